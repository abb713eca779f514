"""One connection for several devices, under any order of who comes and goes: opened once, closed by the last, all called."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from devices.sharing import Share, Shared

KEYS = ("sound", "sound", "sound", "broker", "broker")  # of the devices
WHO = st.integers(0, len(KEYS) - 1)


@dataclass
class Device:
    """One that uses its connection until it lets go."""

    key: str
    share: Share
    known: bool = False  # it asked for its connection once
    waits: bool = False  # to be called when a neighbour is back
    owed: int = 0  # calls
    holds: asyncio.Task[None] | None = None
    go: asyncio.Event = field(default_factory=asyncio.Event)


class Rooms(RuleBasedStateMachine):
    """Five devices, two connections that may be slow or refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.opened: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        self.called: Counter[int] = Counter()
        self.broken: set[str] = set()
        self.slow: dict[str, asyncio.Event] = {}  # until it is set, nobody is let in
        shared = Shared()
        self.devices = [Device(key, Share(shared, self._call(number))) for number, key in enumerate(KEYS)]

    def _call(self, number: int) -> Callable[[], None]:
        return lambda: self.called.update([number])

    def teardown(self) -> None:
        for device in self.devices:
            self._let_go(device)
        self.loop.close()
        assert self.opened == self.closed

    def _turns(self) -> None:
        async def settle() -> None:
            for _ in range(12):
                await asyncio.sleep(0)

        self.loop.run_until_complete(settle())

    @asynccontextmanager
    async def _open(self, key: str) -> AsyncIterator[str]:
        if key in self.broken:
            raise ConnectionError(key)
        if key in self.slow:
            await self.slow[key].wait()
        self.opened[key] += 1
        try:
            yield key
        finally:
            self.closed[key] += 1

    async def _hold(self, device: Device) -> None:
        async with device.share.use(device.key, lambda: self._open(device.key)) as held:
            assert held == device.key
            await device.go.wait()

    def _let_go(self, device: Device) -> None:
        task, device.holds = device.holds, None
        if task is not None:
            device.go.set()
            if device.key in self.slow:
                task.cancel()  # it waits no longer
            self._turns()
            assert task.done()

    def _users(self, key: str) -> int:
        return sum(device.holds is not None for device in self.devices if device.key == key)

    @rule(key=st.sampled_from(sorted(set(KEYS))), broken=st.booleans())
    def refuses(self, key: str, broken: bool) -> None:
        (self.broken.add if broken else self.broken.discard)(key)

    @rule(key=st.sampled_from(sorted(set(KEYS))))
    def is_slow(self, key: str) -> None:
        if not self._users(key):
            self.slow.setdefault(key, asyncio.Event())

    @rule(key=st.sampled_from(sorted(set(KEYS))))
    def lets_in(self, key: str) -> None:
        if key in self.slow:
            self.slow.pop(key).set()
            self._turns()

    @rule(who=WHO)
    def use(self, who: int) -> None:
        device = self.devices[who]
        self._let_go(device)
        refused = device.key in self.broken and not self._users(device.key)
        device.go, device.known = asyncio.Event(), True
        task = self.loop.create_task(self._hold(device))
        self._turns()
        assert task.done() == refused
        if refused:
            assert isinstance(task.exception(), ConnectionError)
        else:
            device.holds = task

    @rule(who=WHO)
    def leave(self, who: int) -> None:
        self._let_go(self.devices[who])

    @rule(who=WHO)
    def is_lost(self, who: int) -> None:
        self.devices[who].share.lost()
        self.devices[who].waits = self.devices[who].known

    @rule(who=WHO)
    def is_back(self, who: int) -> None:
        one = self.devices[who]
        one.share.back()
        for other in self.devices:
            if one.known and other.key == one.key:
                other.owed += other.waits and other is not one
                other.waits = False

    @rule(who=WHO)
    def ends(self, who: int) -> None:
        self.devices[who].share.end()
        self.devices[who].waits = False

    @invariant()
    def each_is_open_once_exactly_while_somebody_uses_it(self) -> None:
        for key in set(KEYS):
            there = key not in self.slow and self._users(key) > 0
            assert self.opened[key] - self.closed[key] == there

    @invariant()
    def who_lost_it_is_called_once_when_a_neighbour_is_back(self) -> None:
        assert [self.called[number] for number in range(len(KEYS))] == [device.owed for device in self.devices]


TestRooms = Rooms.TestCase
TestRooms.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)


def test_who_is_run_no_more_leaves_nothing_behind() -> None:
    """Rooms come and go in one process, each with devices that were away."""
    shared, called = Shared(), list[int]()
    shares = [Share(shared, lambda number=number: called.append(number)) for number in range(3)]  # type: ignore[misc]

    async def use() -> None:
        for share in shares:
            async with share.use("broker", nothing):
                share.lost()

    asyncio.run(use())
    shares[0].end()
    shares[1].back()
    assert called == [2], "who ended is called no more"
    shares[2].lost()
    shares[1].end()
    assert set(shared.away) == {"broker"}, "of another that is away"
    shares[2].end()
    assert shared.away == {}


@asynccontextmanager
async def nothing() -> AsyncIterator[None]:
    yield
