"""How long a warm-up still takes, under any order of what a projector says and any time between."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from devices.pjlink.slow_change import SlowChange

TOTALS = {"warming": 30.0, "cooling": 90.0}
STATES = st.sampled_from(["on", "off", "warming", "cooling"])
SECONDS = st.integers(0, 200).map(float)


class Projector(RuleBasedStateMachine):
    """What is left is counted from where the change was seen to begin, out of what the last one took."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.slow = SlowChange(dict(TOTALS))
        self.totals = dict(TOTALS)
        self.state: str | None = None
        self.began: float | None = None  # None: before we looked

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(state=STATES)
    def says(self, state: str) -> None:
        if state != self.state:
            if self.state in self.totals and self.began is not None:
                self.totals[self.state] = self.now - self.began  # seen from its beginning to its end
            self.began = self.now if self.state is not None else None
            self.state = state
        remaining, total = self.slow.saw(state, self.now)
        if state not in self.totals:
            assert (remaining, total) == (None, None)
            return
        assert total == self.totals[state]
        assert remaining == (total if self.began is None else max(0.0, total - (self.now - self.began)))

    @rule()
    def is_away(self) -> None:
        self.slow.lost_sight()
        self.state = self.began = None


TestProjector = Projector.TestCase
TestProjector.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
