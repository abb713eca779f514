"""When to dial again, and a breaker that refuses commands meanwhile.

Waits are drawn evenly below a ceiling that doubles with each failure; once it has grown to its usual highest, between its
half and itself. Who refuses our password is asked between half of the longest wait and all of it.
"""

from __future__ import annotations

import math
import random
from enum import Enum

from devices.timing import Timing

LONG = 5  # steps of `together` that a wait must be longer than, to be rounded up to the next


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
        self.locked = False  # it refused our password: only time or a person mends that
        self.breaker = Breaker.TRYING

    def move(self, state: Breaker) -> None:
        """The one way the breaker changes."""
        if state not in TRANSITIONS[self.breaker]:
            raise RuntimeError(f"breaker cannot go from {self.breaker.value} to {state.value}")
        self.breaker = state

    def failed(self, held_for: float, *, locked: bool = False) -> None:
        """A connection ended after `held_for` seconds (0: it never stood). `locked`: our password was refused."""
        self._failures = 0 if held_for >= self._timing.stable else self._failures
        self._failures += not locked
        self.locked = locked
        self.move(Breaker.OPEN)

    def wait(self, *, watched: bool) -> float:
        """Seconds until the next try, drawn evenly below the ceiling, and above its half once it has grown.

        A device that refuses our password is asked seldom, whoever looks: some lock everybody out after a few tries.
        """
        if self.locked:
            return self._dice.uniform(self._timing.backoff_away / 2, self._timing.backoff_away)
        away = self._failures > self._timing.away_after
        lasting = self._timing.backoff_away if away else self._timing.backoff_last
        highest = self._timing.backoff_watched if watched else lasting
        ceiling = min(highest, self._timing.backoff_first * 2 ** min(self._failures - 1, 16))
        grown = ceiling >= self._timing.backoff_last  # its upper half is spread enough, and dials a third less
        return self._dice.uniform(ceiling / 2 if grown else 0, ceiling)

    def due(self, now: float, *, watched: bool) -> float:
        """Loop time of the next try. Long waits end together with those of others: one wake-up for many."""
        wait, step = self.wait(watched=watched), self._timing.together
        return math.ceil((now + wait) / step) * step if wait > LONG * step else now + wait
