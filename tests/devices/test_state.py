"""What is known of a device, under any order of events."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from devices.config import DeviceConfig
from devices.state import NOT_FOLLOWED, DeviceState
from wire.devices import Connection, Role, Value
from wire.problems import Notice

FOLLOW = 12.0
VALUES = st.sampled_from(["on", "off", "warming", "cooling", None])


class Known(RuleBasedStateMachine):
    """Whatever happens, what is shown as reported was reported last, and the rest is marked as believed."""

    def __init__(self) -> None:
        super().__init__()
        config = DeviceConfig("d", Role.FRONT_DISPLAY, "x", "Écran", {})
        self.now, self.changes = 0.0, 0
        self.state = DeviceState(config, ["power"], {}, self._changed, lambda: self.now)
        self.reported: Value = None
        self.reported_at: float | None = None
        self.believed: Value = None
        self.there = False
        self.wish: Value = None
        self.untrue: Value = None  # what it took three times and never showed
        self.doubts = 0  # since it was asked, or came
        self.since = 0.0
        self.open = self.met = False  # to be applied again; seen or believed to be so since the device came
        self.known = self.heard = self.slow = False

    def _changed(self) -> None:
        self.changes += 1

    @rule(value=VALUES)
    def desire(self, value: Value) -> None:
        self.state.desire("power", value)
        self.known = self.known or value is not None
        self.wish, self.open, self.doubts, self.untrue = value, False, 0, None
        self.met = value is not None and value == (self.reported if self.believed is None else self.believed)

    @rule(value=VALUES, remaining=st.none() | st.floats(0, 30))
    def report(self, value: Value, remaining: float | None) -> None:
        self.now += 1
        before, changes = self.shown, self.changes
        self.state.report("power", value, remaining, remaining)
        if value is not None and value != self.reported:  # it does it after all, or somebody else had it their way
            self.untrue = None
        self.reported, self.reported_at, self.believed = value, self.now, None
        self.known = self.heard = True
        self.slow = remaining is not None
        on_its_way = (self.wish, value) in (("on", "warming"), ("off", "cooling"))
        if value == self.wish:
            self.met, self.open = True, False
        elif self.met and value is not None and not on_its_way:  # somebody at the device
            self.wish, self.met, self.open = None, False, False
        assert self.shown == before or self.changes > changes, "every change is told"

    @rule(value=VALUES)
    def assume(self, value: Value) -> None:
        before, changes = self.shown, self.changes
        self.state.assume("power", value)
        self.believed, self.known = value, True
        if value is not None and value == self.wish:
            self.met, self.open = True, False
        assert self.shown == before or self.changes > changes, "every change is told"

    @rule()
    def reopen(self) -> None:
        self.state.reopen("power")
        self.open = self.wish is not None
        self.doubts = 0 if self.open else self.doubts

    @rule(times=st.integers(1, 4), apart=st.sampled_from([1.0, FOLLOW]))
    def polled(self, times: int, apart: float) -> None:
        """Whole polls are over."""
        for _ in range(times):
            self._doubt(apart)

    @rule(before=st.integers(1, 2), after=st.integers(1, 3))
    def not_yet(self, before: int, after: int) -> None:
        """Doubted already, it says that it cannot yet: it is no liar, and is asked as often again."""
        self.desire("on")
        self.report("off", None)
        self.polled(before, FOLLOW)
        self.reopen()
        self.polled(after, FOLLOW)

    def _doubt(self, apart: float) -> None:
        self.now += apart
        self.state.doubt(self.now, FOLLOW)
        on_its_way = (self.wish, self.reported) in (("on", "warming"), ("off", "cooling"))
        unlike = self.reported not in (None, self.wish) and not on_its_way
        if self.wish is not None and self.heard and self.believed is None and unlike and not self.slow:
            self.since = self.since if self.doubts else self.now
            self.doubts += 1
            self.open = self.doubts <= 2
            if self.doubts > 2 and self.now - self.since >= FOLLOW:  # then it is let be
                self.wish, self.met, self.untrue = None, False, self.wish

    @rule(wish=st.sampled_from(["on", "off"]), apart=st.sampled_from([FOLLOW / 2, FOLLOW]))
    def pretend(self, wish: str, apart: float) -> None:
        """It comes, takes a wish, and goes on saying the other."""
        self.comes()
        self.report({"on": "off", "off": "on"}[wish], None)
        self.desire(wish)
        self.polled(3, apart)
        assert self.untrue == wish

    @rule()
    def comes(self) -> None:
        self.state.connected("M", None)
        self.there = True
        self.open, self.met, self.doubts = self.wish is not None, False, 0

    @rule(code=st.sampled_from(["device.unreachable", "device.garbage"]))
    def goes(self, code: str) -> None:
        again = self.state.connection is Connection.UNREACHABLE and self.state.fault is not None
        again = again and self.state.fault is not None and self.state.fault.code == code
        self.state.unreachable(Notice(code))
        self.there = self.heard = False
        self.untrue = None
        if not again:
            self.believed, self.slow = None, False

    @property
    def shown(self) -> tuple[Value, Value, Value]:
        known = self.state.device().properties.get("power")
        return (None, None, None) if known is None else (known.desired, known.reported, known.assumed)

    @invariant()
    def only_what_was_reported_is_shown_so(self) -> None:
        _, reported, assumed = self.shown
        assert (reported, assumed) == (self.reported, self.believed)
        known = self.state.device().properties.get("power")
        assert known is None or known.observed_at == self.reported_at
        assert ("power" in self.state.device(heard=True).properties) == self.heard
        assert (known is not None) == self.known

    @invariant()
    def a_wish_lasts_until_it_is_met_and_then_undone(self) -> None:
        assert self.shown[0] == self.wish
        assert ("power" in self.state.open_wishes) == self.open
        assert self.state.changing == self.slow
        assert self.state.unmet == ({"power": self.wish} if self.open and not self.slow else {})

    @invariant()
    def a_lie_is_said_until_it_ends(self) -> None:
        said = [one.args["property"] for one in self.state.notices if one.code == NOT_FOLLOWED]
        assert said == (["power"] if self.there and self.untrue is not None else [])
        assert self.untrue is None or (self.wish is None and self.reported != self.untrue)

    @invariant()
    def it_is_online_exactly_when_it_came(self) -> None:
        assert (self.state.connection is Connection.ONLINE) == self.there


TestKnown = Known.TestCase
TestKnown.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
