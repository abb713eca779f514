"""The move lease with queue and runner, under any order of events: no camera moves longer than a lease and a stop."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from devices.errors import Lost, NotNow, Rejected, WrongPassword
from tests.devices import virtual
from tests.devices.scripted import ROOMS, Scene
from wire.devices import Connection, DeviceResult

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
            task = asyncio.create_task(self._ask(op, args))
            await asyncio.sleep(0)  # its time begins in that turn
            self.asked.append((self.loop.time(), op, task))

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

    @rule(into=st.floats(0.0, 1.0))
    def move_during_a_stop(self, into: float) -> None:
        """Asked before the camera confirmed the stop of the move before: a lease of its own."""
        self.scene.driver.takes["stop"] = SLOWEST
        self._command("move", {"pan": 0.5})
        self._sleep(0.01)
        self._command("stop", {})
        self._sleep(into * SLOWEST)
        self._command("move", {"pan": 0.5})

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


TestMotion = Motion.TestCase
TestMotion.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
