"""What the conformance suite asserts of one driver, without a fault and under one."""

from __future__ import annotations

import asyncio
from pathlib import Path

from devices.registry import Registry
from tests.devices.cases.case import FAILS, WORKS, Case, Rig
from tests.devices.stage import QUICK, Stage, nothing_left_behind, stage
from wire.devices import Connection, DeviceResult
from wire.problems import Code

DAY = 86400.0


async def set_up(room: Stage, one: Rig) -> None:
    """Online, and showing what it was asked."""
    await room.online()
    if one.op is not None:
        result = await room.do(one.op, **one.args)
        assert result.outcome in WORKS, result
    await room.shows(one.shows, one.value)


def switch(room: Stage, one: Rig, fault: str, *, on: bool) -> None:
    """A fault of the emulator; when the clock jumps, so does this machine's, a day back."""
    if fault == "clock":
        room.jumped = -DAY if on else 0.0
    if fault != "clock" or fault in one.emulator.available_faults:
        one.emulator.fault(fault, on)
    one.stir()


async def ask(room: Stage, one: Rig) -> DeviceResult | None:
    """The case's command, answered in time with a code exactly when it failed."""
    if one.op is None:
        return None
    loop = asyncio.get_running_loop()
    asked = loop.time()
    result = await room.do(one.op, **one.args)
    assert loop.time() - asked < QUICK.command + 1.0, "a command hung"
    assert (result.code is None) == (result.outcome in WORKS)
    if result.outcome in FAILS:
        assert result.retryable
        assert result.code in (Code.DEVICE_UNREACHABLE, Code.DEVICE_TIMED_OUT, Code.DEVICE_FAILED)
    return result


async def works(case: Case, folder: Path, registry: Registry | None = None) -> None:
    """A command is carried out and reported, and nothing is left behind."""
    async with nothing_left_behind(), case.rig(folder) as one, stage(one.config, registry=registry) as room:
        await set_up(room, one)
        device = room.device
        assert device.fault is None
        assert bool(device.model) == case.model
        assert device.last_words
        assert device.last_seen


async def holds(case: Case, fault: str, folder: Path, registry: Registry | None = None) -> None:
    """Under a fault: the right result or a clear failure, nothing shown that was not reported, well again afterwards."""
    expected = case.expected(fault)
    async with nothing_left_behind(), case.rig(folder) as one, stage(one.config, registry=registry) as room:
        await set_up(room, one)

        switch(room, one, fault, on=True)
        result = await ask(room, one)
        assert result is None or result.outcome in expected.outcomes, result

        if expected.notice is not None:
            notice = expected.notice
            device = await room.until(lambda device: device.fault is not None and device.fault.code == notice)
            assert (device.connection is Connection.ONLINE) == expected.online
            assert device.fault is not None
            assert device.fault.args["device"] == one.config.name
        assert room.property(one.shows).reported == one.value, "shown what the device did not report"

        switch(room, one, fault, on=False)
        await room.online()
        await room.shows(one.shows, one.value)
        await room.until(lambda device: device.fault is None)
        result = await ask(room, one)
        assert result is None or result.outcome in WORKS
