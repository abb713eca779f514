"""What the conformance suite asserts when the clock of this machine jumps a day, forth and back, whatever a driver waits for.

A jump is `time.time()` that says something else all at once, in the framework, the driver and the libraries beneath it.
What waits by it would wait for a day, or not at all: nothing may hang, spin, or be late. libpulse reads the kernel's clock
itself, which no test may set: what its binding compares with that goes on as it is.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from devices.registry import Registry
from tests.devices.cases.case import FAILS, Case
from tests.devices.conformance import DIALS, Play, play
from tests.devices.stage import REAL_TIME, Stage

DAY = 86400.0
AWAY = ("unplugged", "silent")  # faults under which it is dialled
AWARE = "pulsectl_asyncio"  # beside libpulse
TURNS = 4000  # of the loop in a second: what spins takes tens of thousands


async def jumps(case: Case, folder: Path, registry: Registry | None = None) -> None:
    """Forward, then back, while it waits for its next poll, for its next dial, and for an answer."""
    async with play(case, folder, registry) as it:
        with _jumping(it.room), _no_spinning():
            await it.set_up()
            for day in (DAY, -DAY):
                await _while_it_waits_for_a_poll(it, day)
                await _while_it_waits_for_a_dial(it, day)
                await _while_it_waits_for_an_answer(it, day)
            if "clock" in it.one.emulator.available_faults:
                await it.switch("clock", on=True)
                await it.recovers()
                await it.switch("clock", on=False)
            await it.recovers()
        it.paced()


async def _while_it_waits_for_a_poll(it: Play, day: float) -> None:
    await it.heard(1)
    it.room.jumped = day
    await it.heard(2)
    await it.recovers()
    it.room.jumped = 0.0
    await it.heard(2)


async def _while_it_waits_for_a_dial(it: Play, day: float) -> None:
    away = next((fault for fault in AWAY if fault in it.case.faults and it.case.expected(fault).dialled), None)
    if away is None:
        return  # its row says why
    await it.switch(away, on=True)
    await it.noticed(it.case.expected(away))
    it.room.jumped = day
    await it.dialled(DIALS)
    it.room.jumped = 0.0
    await it.dialled(DIALS)
    await it.switch(away, on=False)
    await it.recovers()


async def _while_it_waits_for_an_answer(it: Play, day: float) -> None:
    if "silent" not in it.case.faults or it.one.op is None:
        return
    await it.switch("silent", on=True)
    args, asked = it.one.other or (it.one.args, it.one.value)
    answer = asyncio.create_task(it.ask(args))
    await asyncio.sleep(0)  # it is asked
    it.room.jumped = day
    result = await answer
    assert result is not None
    assert result.outcome in FAILS
    await it.honest(asked)
    await it.noticed(it.case.expected("silent"))
    await it.switch("silent", on=False)
    await it.recovers()
    it.room.jumped = 0.0
    await it.recovers()


@contextmanager
def _jumping(room: Stage) -> Iterator[None]:
    """Let this machine have the room's clock."""

    def now() -> float:
        asks = str(sys._getframe(1).f_globals.get("__name__"))
        return REAL_TIME() + (0.0 if asks.startswith(AWARE) else room.jumped)

    with patch.object(time, "time", now):
        yield


@contextmanager
def _no_spinning() -> Iterator[None]:
    """Fails when the loop went round too often."""
    selector = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
    turns, begun, select = 0, time.monotonic(), selector.select

    def counted(timeout: float | None = None) -> object:
        nonlocal turns
        turns += 1
        return select(timeout)

    with patch.object(selector, "select", counted):
        yield
    rate = turns / (time.monotonic() - begun)
    assert rate < TURNS, f"{rate:.0f} turns of the loop in a second: a busy loop"
