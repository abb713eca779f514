"""An emulated speakerphone behind hidraw: keys, lights, and a microphone that mutes itself while it waits.

A press of the mute key mutes (or opens) its microphone at once and tells the host; when the host's light does not follow
within `patience` seconds, the microphone goes back to what the light says. Its hook switch follows the off-hook light, and
says so.
"""

from __future__ import annotations

import errno
from pathlib import Path

from devices.emulators.node import NodeEmulator
from devices.hid.descriptor import Kind, parse
from devices.hid.hidraw import DESCRIPTOR, GET_DESCRIPTOR, GET_DESCRIPTOR_SIZE, GET_NAME, NAME_LENGTH
from devices.hid.telephony import (
    HOOK_SWITCH,
    LED_MUTE,
    LED_OFF_HOOK,
    PHONE_MUTE,
    VOLUME_DOWN,
    VOLUME_UP,
    Telephony,
)

GET_OUTPUT = 0x0C  # number of HIDIOCGOUTPUT, whose size varies

# Composed from the HID usage tables: a telephony headset with numbered reports, its mute key a button that toggles
# (relative), its hook switch one that stays (no preferred state); volume keys on the consumer page.
SPEAKERPHONE = bytes.fromhex(
    "050C 0901 A101 8501 1500 2501 09E9 09EA 7501 9502 8102 7506 9501 8103 C0"
    "050B 0905 A101 8508 1500 2501 0920 092F 7501 9501 8122 092F 8106 7506 8103 "
    "8509 0508 0909 0917 0918 7501 9503 9122 7505 9501 9101 C0"
)
# A button without report numbers whose key is down or up, and a light.
BUTTON = bytes.fromhex("050B 0901 A101 1500 2501 092F 7501 9501 8102 7507 8101 0508 0909 7501 9102 7507 9101 C0")


class HidEmulator(NodeEmulator):
    """`readable`: its lights can be read back, which not every device allows; `forgetful`: they are read back as out.

    `needs_call`: it says nothing of its mute key while it is on hook.
    """

    def __init__(
        self,
        path: Path,
        *,
        descriptor: bytes = SPEAKERPHONE,
        name: str = "Emulated Speakerphone",
        readable: bool = True,
        forgetful: bool = False,
        needs_call: bool = False,
        patience: float = 1.0,
        delay: float = 0.4,
        reboot: float = 3.0,
    ) -> None:
        super().__init__(path, delay=delay, reboot=reboot)
        self.descriptor = descriptor
        self.name = name
        self.readable, self.forgetful = readable, forgetful
        self.needs_call = needs_call
        self.patience = patience
        self.device = Telephony(parse(descriptor))
        self.forget()

    def forget(self) -> None:
        """As just plugged in."""
        self.light = self.off_hook = self.muted = self.lifted = False
        self._down: int | None = None  # the volume key that somebody holds
        self._lights: dict[int, bytes] = {}

    def press(self) -> None:
        """Somebody presses the mute key."""
        self.muted = not self.muted
        self.later(self.patience, self._revert)
        if self.off_hook or not self.needs_call:
            self._click(PHONE_MUTE)

    def hook(self) -> None:
        """Somebody presses the key that takes or ends a call."""
        self.lifted = not self.lifted
        self._say(HOOK_SWITCH)

    def turn(self, *, up: bool) -> None:
        """Somebody presses a volume key."""
        self._click(VOLUME_UP if up else VOLUME_DOWN)

    def hold(self, *, up: bool | None) -> None:
        """Somebody holds a volume key down; None: lets go."""
        self._down = None if up is None else VOLUME_UP if up else VOLUME_DOWN
        self._say(VOLUME_UP)

    def _revert(self) -> None:
        self.muted = self.light
        self._news.set()

    def _click(self, usage: int) -> None:
        """Down and up; a relative key only says that it is pressed."""
        self._say(usage, down=True)
        if not self.device.keys[usage][0].relative:
            self._say(usage)

    def _say(self, usage: int, *, down: bool = False) -> None:
        """The report of a key, with the hook switch where it shares it."""
        if usage not in self.device.keys:
            return
        report, body = self.device.keys[usage][0].report, 0
        for one, on in ((usage, down), (HOOK_SWITCH, self.lifted), (self._down, True)):
            for field in self.device.keys.get(one, ())[:1] if one is not None else ():
                body |= (on << field.offset) if field.report == report else 0
        length = self.device.reports.length(Kind.INPUT, report)
        self.push((bytes([report]) if self.device.reports.numbered else b"") + body.to_bytes(length, "little"))

    def written(self, data: bytes) -> None:
        """An output report: the lights."""
        for usage in (LED_MUTE, LED_OFF_HOOK):
            for field in self.device.reports.fields:
                if usage in field.usages and data and field.report == data[0]:
                    self._set(usage, on=field.reads(data[1:], usage) != 0)
        self._lights[data[0]] = data
        self.done(f"lights {data.hex()}")

    def _set(self, usage: int, *, on: bool) -> None:
        if usage == LED_MUTE:
            self.light = self.muted = on
            return
        self.off_hook = on
        if self.lifted is not on:
            self.lifted = on
            self._say(HOOK_SWITCH)

    def carry_out(self, request: int, outer: bytes, inner: bytes) -> tuple[bytes, bytes]:
        """The requests of hidraw."""
        if request == GET_DESCRIPTOR_SIZE:
            return len(self.descriptor).to_bytes(4, "little"), b""
        if request == GET_DESCRIPTOR:
            return DESCRIPTOR.pack(len(self.descriptor), self.descriptor), b""
        if request == GET_NAME:
            return self.name.encode().ljust(NAME_LENGTH, b"\0"), b""
        if request & 0xFF == GET_OUTPUT and self.readable:
            return outer if self.forgetful else self._lights.get(outer[0], outer), b""
        raise OSError(errno.EPIPE, "stalled")
