"""The queue of one device, under any order of events."""

from __future__ import annotations

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from devices.capabilities import OPERATIONS, Arguments, PortState
from devices.errors import Lost, NotNow
from devices.queue import MOST, CommandQueue, Task
from tests.devices import virtual

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


TestWaiting = Waiting.TestCase
TestWaiting.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
