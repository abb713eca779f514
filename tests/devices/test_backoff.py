"""Back-off and breaker, under any order of events."""

from __future__ import annotations

import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from devices.backoff import TRANSITIONS, Backoff, Breaker
from devices.timing import Timing

DRAWS = 8  # of each wait


class Dials(RuleBasedStateMachine):
    """Back-off and breaker, however connections come and go."""

    def __init__(self) -> None:
        super().__init__()
        self.timing = Timing()
        self.backoff = Backoff(self.timing, random.Random(1))
        self.failures = 0
        self.locked = False

    @rule(to=st.sampled_from(Breaker))
    def move(self, to: Breaker) -> None:
        before = self.backoff.breaker
        if to in TRANSITIONS[before]:
            self.backoff.move(to)
            assert self.backoff.breaker is to
        else:
            with pytest.raises(RuntimeError):
                self.backoff.move(to)
            assert self.backoff.breaker is before

    @precondition(lambda self: self.backoff.breaker is not Breaker.OPEN)
    @rule(held=st.floats(0, 100), locked=st.booleans())
    def fails(self, held: float, locked: bool) -> None:
        self.backoff.failed(held, locked=locked)
        self.failures = (0 if held >= self.timing.stable else self.failures) + (not locked)
        self.locked = locked
        assert self.backoff.breaker is Breaker.OPEN

    @rule(times=st.integers(1, 60), locked=st.booleans())
    def fails_again_and_again(self, times: int, locked: bool) -> None:
        for _ in range(times):
            if self.backoff.breaker is Breaker.OPEN:
                self.backoff.move(Breaker.TRYING)
            self.fails(0.0, locked)

    @precondition(lambda self: self.backoff.breaker is Breaker.OPEN)
    @rule(watched=st.booleans(), now=st.floats(0, 1e6))
    def waits(self, watched: bool, now: float) -> None:
        for _ in range(DRAWS):
            self._is_fair(self.backoff.due(now, watched=watched) - now, watched)

    def _is_fair(self, wait: float, watched: bool) -> None:
        if self.locked:
            assert self.timing.backoff_away / 2 <= wait <= self.timing.backoff_away + self.timing.together
            return
        away = self.timing.backoff_away if self.failures > self.timing.away_after else self.timing.backoff_last
        highest = self.timing.backoff_watched if watched else away
        assert (
            -1e-6 <= wait <= min(highest, self.timing.backoff_first * 2 ** (self.failures - 1)) + self.timing.together
        )


TestDials = Dials.TestCase
TestDials.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
