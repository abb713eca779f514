"""What the server was told of this room, so that only changes are sent."""

from __future__ import annotations

from wire.devices import Device
from wire.health import Signal
from wire.link import Phase, Report


class Reporter:
    """Compares the room with what was last reported on this link."""

    def __init__(self) -> None:
        self._told: tuple[Phase, str | None] | None = None
        self._devices: dict[str, Device] = {}

    def forget(self) -> None:
        """A new link: everything is to be told again."""
        self._told = None
        self._devices = {}

    def changes(
        self, phase: Phase, meeting: str | None, devices: dict[str, Device], signals: list[Signal]
    ) -> Report | None:
        """The report to send now; None where nothing changed. Phase and meeting go with every report."""
        changed = {id: device for id, device in devices.items() if self._devices.get(id) != device}
        if self._told == (phase, meeting) and not changed and not signals:
            return None
        self._told = (phase, meeting)
        self._devices = dict(devices)
        return Report(phase=phase, meeting=meeting, devices=changed, signals=signals)
