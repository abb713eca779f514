"""What the conformance suite asserts of one driver, without a fault and under one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devices.registry import Registry
from tests.devices.cases.case import FAILS, WORKS, Case, Expected, Rig
from tests.devices.dials import Dials, counted
from tests.devices.stage import QUICK, WITHIN, Stage, nothing_left_behind, stage
from wire.devices import Connection, DeviceResult, Value
from wire.problems import Code

LEAVING = ("unplugged", "reboot")  # faults that close the emulator's sockets
DIALS = 2  # of a device that is away, while we look
PAUSE = min(QUICK.backoff_first / 2, QUICK.nudge)  # seconds: the shortest wait between two dials
SOCKETS = 10  # connections that a dial or a poll may take


@dataclass
class Play:
    """One driver on its stage with its emulator."""

    case: Case
    room: Stage
    one: Rig
    dials: Dials

    @property
    def shown(self) -> Value:
        """What the device reported, unless something else is believed since."""
        known = self.room.property(self.one.shows)
        return known.reported if known.assumed is None else None

    async def shows(self, value: Value) -> None:
        """Wait until the device reported it."""
        await self.room.until(lambda _: self.shown == value)

    async def set_up(self) -> None:
        """Online, and showing what it was asked."""
        await self.room.online()
        if self.one.op is not None:
            result = await self.room.do(self.one.op, **self.one.args)
            assert result.outcome in WORKS, result
        await self.shows(self.one.value)

    async def undo(self) -> None:
        """Let somebody at the device undo it, where a command would have nothing to do otherwise."""
        if self.one.undo is not None:
            await self.one.undo()
            await self.room.until(lambda _: self.shown != self.one.value)

    async def switch(self, fault: str, *, on: bool) -> None:
        """A fault of the emulator."""
        self.one.emulator.fault(fault, on)
        if self.one.lingers and fault in LEAVING:
            await self.one.emulator.settled()
        self.one.stir()

    async def ask(self, args: dict[str, Any]) -> DeviceResult | None:
        """The case's command, answered in time with a code exactly when it failed."""
        if self.one.op is None:
            return None
        loop = asyncio.get_running_loop()
        asked = loop.time()
        result = await self.room.do(self.one.op, **args)
        assert loop.time() - asked < QUICK.command + 1.0, "a command hung"
        assert (result.code is None) == (result.outcome in WORKS)
        if result.outcome in FAILS:
            assert result.retryable
            assert result.code in (Code.DEVICE_UNREACHABLE, Code.DEVICE_TIMED_OUT, Code.DEVICE_FAILED)
        return result

    async def honest(self, asked: Value) -> None:
        """What was asked is shown only when the device is so."""
        if self.one.real is None:
            assert self.shown == self.one.value, "shown what the device did not report"
        elif self.shown == asked:
            assert await self._real() == asked, "shown what was asked, not what is"

    async def _real(self) -> Value:
        assert self.one.real is not None
        real = self.one.real()
        return await real if isinstance(real, Awaitable) else real

    async def true_again(self) -> None:
        """Wait until what is shown is so, or nothing is shown as reported."""
        async with asyncio.timeout(WITHIN):
            while self.one.real is not None and self.shown is not None and self.shown != await self._real():
                await asyncio.sleep(0.05)

    async def heard(self, times: int) -> None:
        """Wait until the device was heard anew so many times."""
        for _ in range(times):
            before = self.room.device.last_seen
            async with asyncio.timeout(WITHIN):
                while self.room.device.last_seen == before:  # its age moves without a change being told
                    self.one.stir()
                    await asyncio.sleep(0.05)

    async def dialled(self, times: int) -> None:
        """Wait until it was dialled so many times more, and see that it was not in a busy loop."""
        begun, before = time.monotonic(), len(self.dials.begun)
        async with asyncio.timeout(WITHIN):
            while len(self.dials.begun) < before + times:
                await asyncio.sleep(PAUSE / 2)
        pauses = (time.monotonic() - begun) / PAUSE
        assert self.dials.connects_since(begun) <= SOCKETS * (pauses + 1), "connections in a busy loop"
        self.paced()

    def paced(self) -> None:
        """It was never dialled without a pause."""
        assert self.dials.shortest_pause >= PAUSE, "dials in a busy loop"

    async def noticed(self, expected: Expected) -> None:
        """It is shown that something is wrong, and with whom."""
        notice = expected.notice
        device = await self.room.until(lambda device: device.fault is not None and device.fault.code == notice)
        assert (device.connection is Connection.ONLINE) == expected.online
        assert device.fault is not None
        assert device.fault.args["device"] == self.one.config.name

    async def recovers(self) -> None:
        """Well again, and it obeys."""
        await self.room.online()
        await self.room.until(lambda device: device.fault is None)
        await self.true_again()
        await self.undo()
        result = await self.ask(self.one.args)
        assert result is None or result.outcome in WORKS, result
        await self.shows(self.one.value)
        await self.honest(self.one.value)


@asynccontextmanager
async def play(case: Case, folder: Path, registry: Registry | None = None) -> AsyncIterator[Play]:
    """The case on its stage; nothing may be left of it."""
    kind = (registry or Registry.installed()).driver(case.driver)
    assert kind is not None
    async with nothing_left_behind(), case.rig(folder) as one:
        with counted(kind, one.config) as dials:
            async with stage(one.config, registry=registry) as room:
                yield Play(case, room, one, dials)


async def works(case: Case, folder: Path, registry: Registry | None = None) -> None:
    """A command is carried out and reported, and nothing is left behind."""
    async with play(case, folder, registry) as it:
        await it.set_up()
        device = it.room.device
        assert device.fault is None
        assert bool(device.model) == case.model
        assert device.last_words
        assert device.last_seen
        await it.honest(it.one.value)


async def holds(case: Case, fault: str, folder: Path, registry: Registry | None = None) -> None:
    """Under a fault: the right result or a clear failure, nothing shown that the device is not, well again afterwards.

    Who is away is dialled at the pace of the back-off.
    """
    expected = case.expected(fault)
    async with play(case, folder, registry) as it:
        await it.set_up()
        await it.undo()
        args, asked = it.one.other or (it.one.args, it.one.value)

        await it.switch(fault, on=True)
        result = await it.ask(args)
        assert result is None or result.outcome in expected.outcomes, result
        await it.honest(asked)

        if expected.notice is not None:
            await it.noticed(expected)
        elif expected.mute:
            pass
        elif result is None:
            await it.heard(3)
        elif result.outcome in WORKS:
            await it.shows(asked)
        await it.honest(asked)
        if expected.dialled and "reboot" not in fault:  # that ends by itself
            await it.dialled(DIALS)

        await it.switch(fault, on=False)
        if expected.lasts:
            await it.ask(args)
            await it.shows(asked)
        await it.recovers()
        it.paced()
