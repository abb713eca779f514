"""A volume key that is held: its step again and again until it is let go, and not without end should we never hear of that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

FIRST = 0.5  # seconds before the first repetition, as keyboards wait
EVERY = 0.15  # seconds between two
MOST = 20  # repetitions of one press: the whole range in steps of a twentieth


class Held:
    """Calls `step` with the direction (True: up) while a key is held."""

    def __init__(self, step: Callable[[bool], None]) -> None:
        self._step = step
        self._up: bool | None = None
        self._left = 0
        self._timer: asyncio.TimerHandle | None = None

    def now(self, up: bool | None) -> None:
        """Which key is down now; None: none, or both. The press itself has been a step already."""
        if up is self._up:
            return
        self._up, self._left = up, MOST
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if up is not None:
            self._after(FIRST)

    def _after(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._again)

    def _again(self) -> None:
        self._timer = None
        if self._up is not None and self._left:
            self._left -= 1
            self._step(self._up)
            self._after(EVERY)
