"""The endpoint that stays joined: session after session while the room is in a meeting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from roomctl.media.endpoint import Published
from wire.link import MediaAccess
from wire.places import Center, Room


class Publisher:
    """Publishes a room's test picture and chord."""

    def __init__(self, room: Room, center: Center, on_change: Callable[[], None]) -> None:
        self.published = Published()

    def open(self, access: MediaAccess, *, mic: bool, camera: bool) -> None:
        """Not yet."""

    def close(self) -> None:
        """Not yet."""

    def switch(self, *, mic: bool, camera: bool) -> None:
        """Not yet."""

    async def run(self) -> None:
        """Not yet."""
        await asyncio.Event().wait()
