"""When to dial again: full jitter under a ceiling that doubles, and a breaker that refuses commands meanwhile."""

from __future__ import annotations

import random
from enum import Enum

from devices.timing import Timing


class Breaker(Enum):
    """State of a device's circuit."""

    CLOSED = "closed"  # commands flow
    OPEN = "open"  # waiting to dial; commands fail at once
    TRYING = "trying"  # dialling; commands wait for it


TRANSITIONS: dict[Breaker, frozenset[Breaker]] = {
    Breaker.TRYING: frozenset({Breaker.CLOSED, Breaker.OPEN}),
    Breaker.CLOSED: frozenset({Breaker.OPEN}),
    Breaker.OPEN: frozenset({Breaker.TRYING}),
}


class Backoff:
    """Counts failures in a row and says how long to wait, in seconds."""

    def __init__(self, timing: Timing, dice: random.Random) -> None:
        self._timing = timing
        self._dice = dice
        self._failures = 0
        self.breaker = Breaker.TRYING

    def move(self, state: Breaker) -> None:
        """The one way the breaker changes."""
        if state not in TRANSITIONS[self.breaker]:
            raise RuntimeError(f"breaker cannot go from {self.breaker.value} to {state.value}")
        self.breaker = state

    def failed(self, held_for: float) -> None:
        """A connection ended after `held_for` seconds (0: it never stood)."""
        self._failures = 0 if held_for >= self._timing.stable else self._failures
        self._failures += 1
        self.move(Breaker.OPEN)

    def wait(self, *, watched: bool) -> float:
        """Seconds until the next try, drawn evenly below the ceiling."""
        away = self._failures > self._timing.away_after
        lasting = self._timing.backoff_away if away else self._timing.backoff_last
        highest = self._timing.backoff_watched if watched else lasting
        ceiling = min(highest, self._timing.backoff_first * 2 ** min(self._failures - 1, 16))
        return self._dice.uniform(0, ceiling)
