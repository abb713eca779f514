"""Exit codes of the command line."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from wire.devices import Connection, Device, DeviceResult


class Status(IntEnum):
    """What the shell gets; 2 is also click's own for a wrong command line."""

    OK = 0  # done, all online, something found
    FAILED = 1  # a device refused or failed, nothing was found
    WRONG = 2  # the command line or the configuration is wrong
    UNREACHABLE = 3  # a device does not answer
    UNSUPPORTED = 4  # a device cannot do that, or the room has no such device


def of_devices(devices: Iterable[Device]) -> Status:
    """All online and well, or the worst of them."""
    seen = list(devices)
    if any(one.connection is not Connection.ONLINE for one in seen):
        return Status.UNREACHABLE
    return Status.FAILED if any(one.fault is not None for one in seen) else Status.OK


def of_result(result: DeviceResult) -> Status:
    """Of one command."""
    match result.outcome:
        case "done" | "accepted" | "superseded":
            return Status.OK
        case "unsupported":
            return Status.UNSUPPORTED
        case "timed_out":
            return Status.UNREACHABLE
    return Status.UNREACHABLE if result.code == "device_unreachable" else Status.FAILED
