"""The loudness of a source, as peaks in dBFS: heard by the server only while somebody wants it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from devices.errors import DeviceError
from devices.pulse.link import PulseLink

RATE = 4  # peaks per second
QUIETEST = -90  # dBFS, and anything below


def decibels(peak: float) -> int:
    """A peak of 0..1 in whole dBFS."""
    return max(QUIETEST, round(20 * math.log10(min(peak, 1.0)))) if peak > 0 else QUIETEST


class LevelMeter:
    """Calls `show` with each level, and with None when it no longer listens."""

    def __init__(self, link: PulseLink, show: Callable[[int | None], None]) -> None:
        self._link = link
        self._show = show
        self._source: str | None = None
        self._task: asyncio.Task[None] | None = None

    def tune(self, source: str | None) -> None:
        """Listen to the source of that name from now on; None: to nothing."""
        if source == self._source and (source is None or (self._task is not None and not self._task.done())):
            return
        self._source = source
        if self._task is not None:
            self._task.cancel()
            self._task = None
            self._show(None)
        if source is not None:
            self._task = asyncio.create_task(self._listen(source), name=f"level of {source}")

    async def close(self) -> None:
        """Let go of the source."""
        task, self._task, self._source = self._task, None, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _listen(self, source: str) -> None:
        try:
            async for peak in self._link.peaks(source, RATE):
                self._show(decibels(peak))
        except DeviceError:
            return  # the connection's own end says why
