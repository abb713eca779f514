"""The move lease: a moving camera stops by itself unless somebody keeps asking for the move."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

SLOWEST = 30.0  # seconds between two stops of a device that refuses them


class MoveLease:
    """`moving` is True from before a move is sent until a stop is confirmed; `on_end` is called to ask for the stop.

    `renewals` counts the moves asked for. Whoever sends a stop notes it before: what becomes of that stop says nothing
    of a move asked for meanwhile, which goes on when the stop is over.
    """

    def __init__(self, seconds: float, on_end: Callable[[], None]) -> None:
        self._seconds = seconds
        self._on_end = on_end
        self._pause = seconds  # before a refused stop is asked again
        self._timer: asyncio.TimerHandle | None = None
        self.moving = False
        self.renewals = 0

    def renew(self) -> None:
        """A move was asked for: it may last this long from now."""
        self.moving = True
        self.renewals += 1
        self._pause = self._seconds
        self._start(self._seconds)

    def stopped(self, renewals: int) -> None:
        """The device confirmed the stop begun at `renewals`, or cannot move at all."""
        if renewals == self.renewals:
            self.moving = False
            self._cancel()

    def refused(self, renewals: int) -> None:
        """The device refused the stop begun at `renewals`: ask soon, then ever less often, as long as it may move."""
        if self.moving and renewals == self.renewals:
            self._start(self._pause)
            self._pause = min(SLOWEST, 2 * self._pause)

    def resume(self) -> None:
        """The device answers again: ask for the stop, if it may still move and no lease runs."""
        if self.moving and self._timer is None:
            self._on_end()

    def pause(self) -> None:
        """The connection is gone: nothing can be asked; `resume` after the next one."""
        self._cancel()

    def _start(self, seconds: float) -> None:
        self._cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._ended)

    def _ended(self) -> None:
        self._timer = None
        self._on_end()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
