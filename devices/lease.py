"""The move lease: a moving camera stops by itself unless somebody keeps asking for the move."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

SLOWEST = 30.0  # seconds between two stops of a device that refuses them


class MoveLease:
    """`moving` is True from before a move is sent until a stop is confirmed; `on_end` is called to ask for the stop."""

    def __init__(self, seconds: float, on_end: Callable[[], None]) -> None:
        self._seconds = seconds
        self._on_end = on_end
        self._pause = seconds  # before a refused stop is asked again
        self._timer: asyncio.TimerHandle | None = None
        self.moving = False

    def renew(self) -> None:
        """A move was asked for: it may last this long from now."""
        self.moving = True
        self._cancel()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._on_end)

    def stopped(self) -> None:
        """The device confirmed a stop, or cannot move at all."""
        self.moving = False
        self._pause = self._seconds
        self._cancel()

    def refused(self) -> None:
        """The device refused a stop: ask again soon, then ever less often, as long as it may move."""
        self._cancel()
        if self.moving:
            self._timer = asyncio.get_running_loop().call_later(self._pause, self._on_end)
            self._pause = min(SLOWEST, 2 * self._pause)

    def end(self) -> None:
        """Ask for the stop again, if the device may still move."""
        self._cancel()
        if self.moving:
            self._on_end()

    def pause(self) -> None:
        """The connection is gone: nothing can be asked; `end` after the next one."""
        self._cancel()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
