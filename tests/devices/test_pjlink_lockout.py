"""A projector that locks out who asks too fast, dials too often or comes twice is never given a reason to.

Makers say little of what theirs bear. PJLink (class 2 specification, 5.1) lets a device close a connection that was silent
for 30 s; many serve one client, and reports of projectors that no longer answered name some questions a second.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import pytest

from devices import DeviceHub, Timing
from devices.emulators import PjlinkEmulator
from tests.devices import virtual
from tests.devices.stage import display
from wire.devices import Connection, DeviceCommand, Role

WINDOW = 10.0  # seconds in which questions are counted,
MOST_QUESTIONS = 30
MINUTE = 60.0  # in which connections are counted,
MOST_DIALS = 60
LOCKED = 300.0  # seconds in which it then talks to nobody


class Touchy(PjlinkEmulator):
    """`locked`: why, each time that it locked somebody out."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(power="on", idle_close=30.0, **settings)
        self.locked: list[str] = []
        self._until = 0.0  # loop time
        self._questions: deque[float] = deque(maxlen=MOST_QUESTIONS)
        self._dials: deque[float] = deque(maxlen=MOST_DIALS)

    def accepted(self, stream: Any) -> bool:
        """One client, not too often, none while it is locked."""
        now = asyncio.get_running_loop().time()
        if now < self._until:
            return False
        if len(self._dials) == MOST_DIALS and now - self._dials[0] < MINUTE:
            self._lock("dialled too often")
        self._dials.append(now)
        if self.connections:
            self._lock("a second client")
        return now >= self._until and super().accepted(stream)

    def answer(self, line: str) -> str:
        """Not too fast."""
        now = asyncio.get_running_loop().time()
        if len(self._questions) == MOST_QUESTIONS and now - self._questions[0] < WINDOW:
            self._lock("asked too fast")
        self._questions.append(now)
        return super().answer(line)

    def _lock(self, why: str) -> None:
        self.locked.append(why)
        self._until = asyncio.get_running_loop().time() + LOCKED
        for stream in list(self._streams):
            stream.abort()


async def _used(hub: DeviceHub, projector: Touchy) -> None:
    """A meeting of an hour: everything that a room does with its projector, and some faults."""

    async def ask(op: str, **args: Any) -> None:
        await hub.execute(DeviceCommand(Role.FRONT_DISPLAY, op, args))

    for turn in range(30):
        hub.watch(turn % 3 != 0)
        await ask("set_blank", on=turn % 2 == 0)
        await ask("select_input", input=("hdmi1", "hdmi2")[turn % 2])
        if turn % 10 == 3:
            await ask("set_power", on=False)
            await asyncio.sleep(40)
            await ask("set_power", on=True)  # it warms up, and is asked how far it is
        fault = ("reset", "silent", "unplugged", "half", "drop")[turn % 5]
        projector.fault(fault)
        await asyncio.sleep(MINUTE)
        projector.fault(fault, False)
        await asyncio.sleep(MINUTE)


@asynccontextmanager
async def _driven(projector: Touchy, timing: Timing) -> AsyncIterator[DeviceHub]:
    """A room with this projector alone."""
    hub = DeviceHub("r", [display(projector.address)], lambda: None, timing=timing)
    async with projector:
        running = asyncio.create_task(hub.run())
        try:
            yield hub
        finally:
            running.cancel()
            await asyncio.wait({running})


@asynccontextmanager
async def _flood(hub: DeviceHub) -> AsyncIterator[None]:
    """Somebody sends notifications in its name, ten in a second."""

    async def send() -> None:
        while True:
            await asyncio.sleep(0.1)
            hub._runners[0]._nudge()

    sending = asyncio.create_task(send())
    try:
        yield
    finally:
        sending.cancel()
        await asyncio.wait({sending})


@pytest.mark.parametrize("flooded", [False, True])
def test_it_is_never_given_a_reason_to_lock_us_out(flooded: bool) -> None:
    async def main(_: virtual.VirtualLoop) -> None:
        projector = Touchy(host="127.0.0.1", port=4352)
        async with _driven(projector, Timing()) as hub, _flood(hub) if flooded else nullcontext():
            await _used(hub, projector)
            await asyncio.sleep(MINUTE)
            assert projector.locked == []
            assert hub.snapshot()["pj"].connection is Connection.ONLINE
            assert projector.requests > 500

    virtual.run(main)


@pytest.mark.parametrize(
    ("why", "timing"),
    [
        ("asked too fast", Timing(watched=0.2)),
        ("dialled too often", Timing(backoff_first=0.1, backoff_last=0.1, backoff_watched=0.1)),
    ],
)
def test_who_is_hasty_is_locked_out(why: str, timing: Timing) -> None:
    async def main(_: virtual.VirtualLoop) -> None:
        projector = Touchy(host="127.0.0.1", port=4352)
        async with _driven(projector, timing) as hub:
            hub.watch(True)
            await asyncio.sleep(MINUTE)
            projector.fault("reset")
            await asyncio.sleep(MINUTE)
            assert why in projector.locked

    virtual.run(main)


def test_a_second_client_is_locked_out_with_us() -> None:
    async def main(loop: virtual.VirtualLoop) -> None:
        projector = Touchy(host="127.0.0.1", port=4352)
        async with _driven(projector, Timing()):
            await asyncio.sleep(MINUTE)
            assert projector.locked == []
            await loop.create_connection(asyncio.Protocol, *projector.address)
            assert projector.locked == ["a second client"]

    virtual.run(main)
