"""What can go wrong between a driver and its device. Drivers raise these; the framework turns them into results.

DeviceError                 has a notice for people
 ├── Lost                   the connection is gone, or the device no longer answers: dial again
 ├── Garbage                it answers, but not in its protocol: dial again
 ├── Refused                it does not let us in (it has one client already): dial again
 │    └── WrongPassword     dial again once in a minute or two, whoever looks: some devices lock out who is refused often
 ├── DriverBlocked          its driver does not come back: dial again
 ├── NotNow                 it will take the command later (warming up): kept as desired and tried again
 ├── NotSupported            this device cannot do that
 └── Rejected                it said no to this command
"""

from __future__ import annotations

from wire.problems import Notice


class DeviceError(Exception):
    """Base. `notice` is the sentence for people; the message is for the log."""

    code = "device.failed"
    retryable = True  # the same may work later
    about_command = False  # True: one command failed; False: the connection is over

    def __init__(self, detail: str = "", *, code: str | None = None) -> None:
        super().__init__(detail or self.code)
        self.notice = Notice(code or self.code)


class Lost(DeviceError):
    """The connection ended or the device fell silent."""

    code = "device.unreachable"


class Garbage(DeviceError):
    """What came is not the device's protocol."""

    code = "device.garbage"


class Refused(DeviceError):
    """The device answers but does not let us control it."""

    code = "device.refused"


class WrongPassword(Refused):
    """The device asks for a password that we do not have."""

    code = "device.password"


class DriverBlocked(DeviceError):
    """The device's driver holds its thread and does not come back."""

    code = "device.driver_blocked"


class NotNow(DeviceError):
    """The device is busy with something that will end by itself."""

    code = "device.busy"
    about_command = True


class NotSupported(DeviceError):
    """The device does not know this command or value."""

    code = "device.unsupported"
    retryable = False
    about_command = True


class Rejected(DeviceError):
    """The device refused one command; `retryable` when the same may work later."""

    code = "device.rejected"
    about_command = True

    def __init__(self, detail: str = "", *, retryable: bool = False) -> None:
        super().__init__(detail)
        self.retryable = retryable
