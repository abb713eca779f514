"""State machines under any order of events: move lease with queue and runner, the queue, what is known, the back-off."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from devices.backoff import TRANSITIONS, Backoff, Breaker
from devices.capabilities import OPERATIONS, Arguments, PortState
from devices.config import DeviceConfig
from devices.errors import Lost, NotNow, Rejected, WrongPassword
from devices.queue import MOST, CommandQueue, Task
from devices.state import DeviceState
from devices.timing import Timing
from tests.devices import virtual
from tests.devices.scripted import ROOMS, Scene
from wire.devices import Connection, DeviceResult, Role, Value
from wire.problems import Notice

CALM = 300.0  # seconds after which all has settled: longer than any pause before a dial or a stop
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
        self.refusing = False  # it refused a stop: the next is asked later than a lease
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

    @rule(first=st.sampled_from(sorted(OPS)), order=st.permutations(sorted(OPS)))
    def crowd(self, first: str, order: list[str]) -> None:
        """All at once behind one that takes longer than anybody waits."""
        self.scene.driver.takes[first] = 5.0
        for op in (first, *order):
            self._command(op, OPS[op])

    @rule(seconds=BRIEF)
    def stop_is_refused(self, seconds: float) -> None:
        """It moves, and for as long does not let itself be stopped."""
        self.scene.driver.raises["stop"] = Rejected(retryable=True)
        self.refusing = True
        self._command("move", {"pan": 0.5})
        self._sleep(seconds)

    @rule()
    def stop_is_obeyed(self) -> None:
        self.scene.driver.raises.pop("stop", None)

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
        if runner.state.connection is Connection.ONLINE and runner.state.settled and not self.refusing:
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

    async def _calm(self) -> None:
        """Nobody does anything, the device obeys at once: all ends well."""
        driver, runner = self.scene.driver, self.scene.runner
        driver.raises.clear()
        driver.takes.clear()
        await asyncio.sleep(CALM)
        assert runner.state.connection is Connection.ONLINE
        assert not driver.moving, "it stands still"
        assert not runner._lease.moving
        assert not runner._queue.waiting
        assert all(task.done() for _, _, task in self.asked)

    def teardown(self) -> None:
        async def end() -> None:
            try:
                await self._calm()
            finally:
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
        self.wish: Value = None
        self.doubts = 0  # since it was asked, or came
        self.open = self.met = False  # to be applied again; seen or believed to be so since the device came
        self.known = self.heard = self.slow = False

    def _changed(self) -> None:
        self.changes += 1

    @rule(value=VALUES)
    def desire(self, value: Value) -> None:
        self.state.desire("power", value)
        self.known = self.known or value is not None
        self.wish, self.open, self.doubts = value, False, 0
        self.met = value is not None and value == (self.reported if self.believed is None else self.believed)

    @rule(value=VALUES, remaining=st.none() | st.floats(0, 30))
    def report(self, value: Value, remaining: float | None) -> None:
        self.now += 1
        before, changes = self.shown, self.changes
        self.state.report("power", value, remaining, remaining)
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

    @rule()
    def doubt(self) -> None:
        self.state.doubt()
        on_its_way = (self.wish, self.reported) in (("on", "warming"), ("off", "cooling"))
        unlike = self.reported not in (None, self.wish) and not on_its_way
        if self.wish is not None and self.heard and self.believed is None and unlike and not self.slow:
            self.doubts += 1
            self.open = self.doubts <= 2  # then it is let be
            if not self.open:
                self.wish, self.met = None, False

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
    def it_is_online_exactly_when_it_came(self) -> None:
        assert (self.state.connection is Connection.ONLINE) == self.there


WAITING = {name: OPERATIONS[name] for name in ("move", "stop", "set_power", "set_volume", "recall_preset", "set_port")}


class Waiting(RuleBasedStateMachine):
    """The queue beside a plain picture of it: one task a lane, motion first, then by age, each answered once."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = virtual.VirtualLoop()
        asyncio.set_event_loop(self.loop)
        self.queue = self.loop.run_until_complete(self._queue())
        self.lanes: dict[str, Task] = {}  # that wait, the oldest first
        self.taken: list[Task] = []

    async def _queue(self) -> CommandQueue:
        return CommandQueue()

    def _put(self, name: str, port: int = 1) -> None:
        operation = WAITING[name]
        args = PortState(port=port, on=True) if name == "set_port" else Arguments()
        task = Task(operation, args, 1e9, self.loop.create_future())
        lane = f"port:{port}" if name == "set_port" else operation.lane
        room = lane in self.lanes or name != "set_port" or len(self.lanes) < MOST
        older = self.lanes.pop(lane, None) if room else None
        self.queue.put(task)
        if older is not None:
            assert older.answer.result().superseded
        if room:
            self.lanes[lane] = task
        else:
            assert isinstance(task.answer.result().error, NotNow)

    @rule(name=st.sampled_from(sorted(WAITING)), port=st.integers(1, 4))
    def put(self, name: str, port: int) -> None:
        self._put(name, port)

    @rule(more=st.integers(MOST - 2, MOST + 2))
    def flood(self, more: int) -> None:
        for port in range(1, more + 1):
            self._put("set_port", port)

    @rule()
    def take(self) -> None:
        order = {name: number for number, name in enumerate(("motion", "power"))}
        first = min(self.lanes, key=lambda lane: order.get(lane, len(order)), default=None)  # of equals the oldest
        got = self.loop.run_until_complete(self.queue.get(self.loop.time()))
        assert got is (None if first is None else self.lanes.pop(first))
        if got is not None:
            self.taken.append(got)

    @rule()
    def clear(self) -> None:
        self.queue.clear(Lost("fell"))
        assert all(isinstance(task.answer.result().error, Lost) for task in self.lanes.values())
        self.lanes.clear()

    @invariant()
    def what_waits_is_not_answered(self) -> None:
        assert self.queue.waiting == bool(self.lanes)
        assert not any(task.answer.done() for task in (*self.lanes.values(), *self.taken))
        assert len(self.lanes) <= MOST + len(WAITING)

    def teardown(self) -> None:
        asyncio.set_event_loop(None)
        self.loop.close()


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
TestMotion.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
TestWaiting = Waiting.TestCase
TestWaiting.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestKnown = Known.TestCase
TestKnown.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
TestDials = Dials.TestCase
TestDials.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
