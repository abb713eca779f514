"""What the agent observes of itself and its room, as signals with a lifetime: silence becomes unknown."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from roomctl.media.endpoint import Published
from wire.devices import Connection, Device
from wire.health import Signal, Status
from wire.link import Phase

PERIOD: Final = 20.0  # seconds between reports of unchanged signals
TTL: Final = 60.0  # seconds a signal stays true without a newer one

DISK_WARN: Final = 0.10  # free part of the data folder's disk
DISK_BAD: Final = 0.02
DRIFT_WARN: Final = 2.0  # seconds between the server's clock and ours
DRIFT_BAD: Final = 30.0

CONNECTIONS: Final = {
    Connection.ONLINE: Status.OK,
    Connection.CONNECTING: Status.UNKNOWN,
    Connection.UNREACHABLE: Status.BAD,
}


@dataclass(frozen=True)
class Vitals:
    """The agent itself: clock drift in seconds, free part of the disk 0..1 (None: not known)."""

    drift: float | None
    disk_free: float | None


def observe(
    vitals: Vitals, devices: Mapping[str, Device], phase: Phase, published: Published, now: float
) -> list[Signal]:
    """Every signal of the room at `now` (Unix seconds)."""

    def signal(code: str, subject: str, status: Status, value: str | float | bool | None) -> Signal:
        return Signal(code, subject, status, observed_at=now, ttl=TTL, value=value)

    signals = [
        signal("agent_running", "agent", Status.OK, True),
        signal("clock_drift", "agent", _level(vitals.drift, DRIFT_WARN, DRIFT_BAD), vitals.drift),
        signal("disk_free", "agent", _falling(vitals.disk_free, DISK_WARN, DISK_BAD), vitals.disk_free),
    ]
    if phase is Phase.IN_MEETING:
        joined = Status.OK if published.connected else Status.BAD
        signals.append(signal("media_joined", "agent", joined, published.connected))
    for id, device in devices.items():
        status = CONNECTIONS[device.connection]
        signals.append(signal("device_connection", id, status, device.connection.value))
        if device.fault is not None:
            signals.append(signal("device_fault", id, Status.WARN, device.fault.code))
    return signals


def _level(value: float | None, warn: float, bad: float) -> Status:
    if value is None:
        return Status.UNKNOWN
    return Status.BAD if abs(value) >= bad else Status.WARN if abs(value) >= warn else Status.OK


def _falling(value: float | None, warn: float, bad: float) -> Status:
    if value is None:
        return Status.UNKNOWN
    return Status.BAD if value <= bad else Status.WARN if value <= warn else Status.OK


def disk_free(folder: Path) -> float | None:
    """Free part 0..1 of the disk that holds `folder`, None where nobody can say (blocking)."""
    try:
        usage = shutil.disk_usage(folder if folder.exists() else folder.anchor or ".")
    except OSError:
        return None
    return round(usage.free / usage.total, 3)
