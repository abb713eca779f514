"""A device's own wish, which goes up to the room."""

from __future__ import annotations

from dataclasses import dataclass, field

from wire.devices import Role, Value


@dataclass(frozen=True)
class DeviceRequest:
    """Somebody at the device asked the room for `op` (`set_mute` with `on`, `set_volume` with `volume`, `answer`…)."""

    device: str
    role: Role
    op: str
    args: dict[str, Value] = field(default_factory=dict)
