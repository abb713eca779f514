"""Positions of a camera that remembers none: where it said that it looked, kept by us."""

from __future__ import annotations

import asyncio

from devices.errors import NotSupported, Rejected
from devices.onvif.camera import Status
from devices.presets import PresetBook

PARTS = 1000  # of an axis, in which a place is noted


class Places:
    """By number, in the file `memory` when there is one."""

    def __init__(self, memory: str | None) -> None:
        self._book = PresetBook(memory)

    async def load(self) -> None:
        """Read the file."""
        await asyncio.to_thread(self._book.load)

    async def note(self, number: int, status: Status) -> None:
        """Keep where the camera looks; raises NotSupported when it does not say, Rejected when it cannot be kept."""
        if status.pan is None or status.tilt is None:
            raise NotSupported("the camera neither remembers positions nor says where it looks")
        said = {"pan": status.pan, "tilt": status.tilt, "zoom": status.zoom}
        place = {axis: round(value * PARTS) for axis, value in said.items() if value is not None}
        try:
            await asyncio.to_thread(self._book.store, number, place)
        except OSError as error:
            raise Rejected(f"it is known until the program ends, and not kept: {error}") from error

    def at(self, number: int) -> tuple[float, float, float | None]:
        """Pan, tilt and zoom of a position; raises NotSupported when none is stored."""
        if (place := self._book.place(number)) is None:
            raise NotSupported(f"no position is stored as {number}")
        zoom = place.get("zoom")
        return place.get("pan", 0) / PARTS, place.get("tilt", 0) / PARTS, None if zoom is None else zoom / PARTS
