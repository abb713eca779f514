"""State machines under any order of events: the move lease with queue and runner, what is known of a device, back-off."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from devices.backoff import TRANSITIONS, Backoff, Breaker
from devices.config import DeviceConfig
from devices.errors import Lost, NotNow, Rejected, WrongPassword
from devices.state import DeviceState
from devices.timing import Timing
from tests.devices import virtual
from tests.devices.scripted import ROOMS, Scene
from wire.devices import Connection, DeviceResult, Role, Value
from wire.problems import Notice

BRIEF = st.sampled_from([0.0, 0.01, 0.05, 0.1, 0.3, 0.49, 0.5, 0.51, 1.0, 3.0, 4.0])
SLOWEST = 0.4  # seconds that a stop, a move or a dial takes here at most
OPS: dict[str, dict[str, Any]] = {
    "set_power": {"on": True},
    "set_mute": {"on": True},
    "recall_preset": {"preset": 1},
    "cycle_port": {"port": 1},
}


class Motion(RuleBasedStateMachine):
    """Somebody moves, stops and commands a camera that is slow, says no, and goes away, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = virtual.VirtualLoop()
        asyncio.set_event_loop(self.loop)
        self.asked: list[tuple[float, str, asyncio.Task[DeviceResult]]] = []
        self.loop.run_until_complete(self._start())

    async def _start(self) -> None:
        self.scene = Scene(ROOMS)
        self.running = asyncio.create_task(self.scene.runner.run())
        await self.scene.online()

    def _sleep(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    async def _ask(self, op: str, args: dict[str, Any]) -> DeviceResult:
        begun = self.loop.time()
        result = await self.scene.do(op, **args)
        assert self.loop.time() - begun <= ROOMS.command + 0.001, "each is answered in time"
        return result

    def _command(self, op: str, args: dict[str, Any]) -> None:
        async def ask() -> None:
            self.asked.append((self.loop.time(), op, asyncio.create_task(self._ask(op, args))))
            await asyncio.sleep(0)

        self.loop.run_until_complete(ask())

    @rule(seconds=BRIEF)
    def time_passes(self, seconds: float) -> None:
        self._sleep(seconds)

    @rule()
    def move(self) -> None:
        self._command("move", {"pan": 0.5})

    @rule()
    def stop(self) -> None:
        self._command("stop", {})

    @rule(op=st.sampled_from(sorted(OPS)))
    def command(self, op: str) -> None:
        self._command(op, OPS[op])

    @rule(op=st.sampled_from(["move", "stop"]), seconds=st.floats(0, SLOWEST))
    def motion_takes(self, op: str, seconds: float) -> None:
        self.scene.driver.takes[op] = seconds

    @rule(op=st.sampled_from(sorted(OPS)), seconds=st.floats(0, 5))
    def command_takes(self, op: str, seconds: float) -> None:
        self.scene.driver.takes[op] = seconds

    @rule(
        op=st.sampled_from(sorted(OPS)), error=st.sampled_from([None, Rejected(), Rejected(retryable=True), NotNow()])
    )
    def command_is_refused(self, op: str, error: Exception | None) -> None:
        if error is None:
            self.scene.driver.raises.pop(op, None)
        else:
            self.scene.driver.raises[op] = error

    @precondition(lambda self: self.scene.runner.state.connection is Connection.ONLINE)
    @rule(password=st.booleans(), dialling=st.floats(0, SLOWEST))
    def goes_away(self, password: bool, dialling: float) -> None:
        self.scene.driver.dialling = dialling
        self.scene.driver.fall(WrongPassword() if password else Lost("fell"))
        self._sleep(0.01)

    @invariant()
    def it_never_moves_longer_than_a_lease_and_a_stop(self) -> None:
        driver, runner = self.scene.driver, self.scene.runner
        if not driver.moving:
            return
        if runner.state.connection is Connection.ONLINE and runner.state.settled:
            begun = max(driver.moved_at[-1], self.online_since())
            assert self.loop.time() - begun <= ROOMS.lease + 2 * SLOWEST + 0.02
        assert runner._lease.moving, "the lease knows"

    def online_since(self) -> float:
        """No stop can be asked before."""
        return self.scene.driver.online_at

    @invariant()
    def what_was_answered_is_not_begun_later(self) -> None:
        for _, _, task in self.asked:
            assert not task.done() or task.exception() is None
        momentary = [(at, op) for at, op, _ in self.scene.driver.begun if op in ("cycle_port", "recall_preset", "move")]
        for at, op in momentary:
            wanted = [asked for asked, name, _ in self.asked if name == op and asked <= at]
            limit = ROOMS.lease if op == "move" else ROOMS.command
            assert wanted, f"{op} was never asked"
            assert at - max(wanted) < limit, f"{op} begun after its time"

    def teardown(self) -> None:
        async def end() -> None:
            self.scene.driver.raises.clear()
            self.running.cancel()
            await asyncio.wait({self.running, *(task for _, _, task in self.asked)})

        try:
            self.loop.run_until_complete(end())
            assert not asyncio.all_tasks(self.loop)
        finally:
            asyncio.set_event_loop(None)
            self.loop.close()


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

    def _changed(self) -> None:
        self.changes += 1

    @rule(value=VALUES)
    def desire(self, value: Value) -> None:
        self.state.desire("power", value)

    @rule(value=VALUES, remaining=st.none() | st.floats(0, 30))
    def report(self, value: Value, remaining: float | None) -> None:
        self.now += 1
        before, changes = self.shown, self.changes
        self.state.report("power", value, remaining, remaining)
        self.reported, self.reported_at, self.believed = value, self.now, None
        assert self.shown == before or self.changes > changes, "every change is told"

    @rule(value=VALUES)
    def assume(self, value: Value) -> None:
        self.state.assume("power", value)
        self.believed = value

    @rule()
    def reopen(self) -> None:
        self.state.reopen("power")

    @rule()
    def comes(self) -> None:
        self.state.connected("M", None)
        self.there = True

    @rule(code=st.sampled_from(["device.unreachable", "device.garbage"]))
    def goes(self, code: str) -> None:
        again = self.state.connection is Connection.UNREACHABLE and self.state.fault is not None
        again = again and self.state.fault is not None and self.state.fault.code == code
        self.state.unreachable(Notice(code))
        self.there = False
        if not again:
            self.believed = None

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
        heard = self.state.device(heard=True).properties
        assert not heard or self.reported_at is not None

    @invariant()
    def an_open_wish_is_a_wish_that_is_not_met(self) -> None:
        if "power" in self.state.open_wishes:
            desired, _, _ = self.shown
            assert desired is not None
        if self.state.changing:
            assert self.state.unmet == {}

    @invariant()
    def it_is_online_exactly_when_it_came(self) -> None:
        assert (self.state.connection is Connection.ONLINE) == self.there


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

    @precondition(lambda self: self.backoff.breaker is Breaker.OPEN)
    @rule(watched=st.booleans(), now=st.floats(0, 1e6))
    def waits(self, watched: bool, now: float) -> None:
        wait = self.backoff.due(now, watched=watched) - now
        if self.locked:
            assert self.timing.backoff_away / 2 <= wait <= self.timing.backoff_away + self.timing.together
            return
        away = self.timing.backoff_away if self.failures > self.timing.away_after else self.timing.backoff_last
        highest = self.timing.backoff_watched if watched else away
        assert (
            -1e-6 <= wait <= min(highest, self.timing.backoff_first * 2 ** (self.failures - 1)) + self.timing.together
        )


TestMotion = Motion.TestCase
TestMotion.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestKnown = Known.TestCase
TestKnown.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
TestDials = Dials.TestCase
TestDials.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
