"""What the conformance suite asserts of one driver, without a fault and under one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from devices.context import Context
from devices.registry import Registry
from tests.devices.cases.case import FAILS, WORKS, Case, Rig
from tests.devices.stage import QUICK, WITHIN, Stage, nothing_left_behind, stage
from wire.devices import Connection, DeviceResult, Value
from wire.problems import Code

DAY = 86400.0
LEAVING = ("unplugged", "reboot")  # faults that close the emulator's sockets
DIALLING = 1.0  # seconds in which dials are counted


async def set_up(room: Stage, one: Rig) -> None:
    """Online, and showing what it was asked."""
    await room.online()
    if one.op is not None:
        result = await room.do(one.op, **one.args)
        assert result.outcome in WORKS, result
    await room.shows(one.shows, one.value)


async def switch(room: Stage, one: Rig, fault: str, *, on: bool) -> None:
    """A fault of the emulator; when the clock jumps, so does this machine's, a day back."""
    if fault == "clock":
        room.jumped = -DAY if on else 0.0
    if fault != "clock" or fault in one.emulator.available_faults:
        one.emulator.fault(fault, on)
    if one.lingers and fault in LEAVING:
        await one.emulator.settled()
    one.stir()


async def ask(room: Stage, one: Rig, args: dict[str, Any]) -> DeviceResult | None:
    """The case's command, answered in time with a code exactly when it failed."""
    if one.op is None:
        return None
    loop = asyncio.get_running_loop()
    asked = loop.time()
    result = await room.do(one.op, **args)
    assert loop.time() - asked < QUICK.command + 1.0, "a command hung"
    assert (result.code is None) == (result.outcome in WORKS)
    if result.outcome in FAILS:
        assert result.retryable
        assert result.code in (Code.DEVICE_UNREACHABLE, Code.DEVICE_TIMED_OUT, Code.DEVICE_FAILED)
    return result


async def honest(room: Stage, one: Rig, asked: Value) -> None:
    """What was asked is shown only when the device is so."""
    shown = room.property(one.shows).reported
    if one.real is None:
        assert shown == one.value, "shown what the device did not report"
    elif shown == asked:
        real = one.real()
        assert (await real if isinstance(real, Awaitable) else real) == asked, "shown what was asked, not what is"


async def heard(room: Stage, one: Rig, times: int) -> None:
    """Wait until the device was heard anew so many times."""
    for _ in range(times):
        before = room.device.last_seen
        async with asyncio.timeout(WITHIN):
            while room.device.last_seen == before:  # its age moves without a change being told
                one.stir()
                await asyncio.sleep(0.05)


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
    """Under a fault: the right result or a clear failure, nothing shown that the device is not, well again afterwards."""
    expected = case.expected(fault)
    async with nothing_left_behind(), case.rig(folder) as one, stage(one.config, registry=registry) as room:
        await set_up(room, one)
        args, asked = one.other or (one.args, one.value)

        await switch(room, one, fault, on=True)
        result = await ask(room, one, args)
        assert result is None or result.outcome in expected.outcomes, result
        await honest(room, one, asked)

        if expected.notice is not None:
            notice = expected.notice
            device = await room.until(lambda device: device.fault is not None and device.fault.code == notice)
            assert (device.connection is Connection.ONLINE) == expected.online
            assert device.fault is not None
            assert device.fault.args["device"] == one.config.name
        elif expected.mute:
            pass
        elif result is None:
            await heard(room, one, 3)
        elif result.outcome in WORKS:
            await room.shows(one.shows, asked)
        await honest(room, one, asked)

        await switch(room, one, fault, on=False)
        await room.online()
        await room.until(lambda device: device.fault is None)
        result = await ask(room, one, one.args)
        assert result is None or result.outcome in WORKS, result
        await room.shows(one.shows, one.value)
        await honest(room, one, one.value)


async def paced(case: Case, folder: Path, registry: Registry) -> None:
    """A device that is away is dialled at the pace of the back-off, not in a busy loop."""
    kind = registry.driver(case.driver)
    assert kind is not None
    dials = 0
    run = kind.run

    async def counted(driver: Any, context: Context) -> None:
        nonlocal dials
        dials += 1
        await run(driver, context)

    async with nothing_left_behind(), case.rig(folder) as one:
        one.emulator.fault("unplugged")
        with patch.object(kind, "run", counted):
            async with stage(one.config, registry=registry) as room:
                await room.gone()
                before = dials
                await asyncio.sleep(DIALLING)
    # A wait is `backoff_first` or half as much again on average; three dials in the time of one are no chance any more.
    assert dials - before <= 3 * DIALLING / QUICK.backoff_first, "a busy loop"
