"""Every driver × every fault, over real sockets: the right result or a clear failure, and nothing left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from devices.emulators import ViscaEmulator
from tests.devices.cases import CASES, FAILS, MATRIX, WORKS, Rig
from tests.devices.stage import QUICK, Stage, nothing_left_behind, stage
from wire.devices import Connection, DeviceResult
from wire.problems import Code

CAMERAS = [name for name, case in CASES.items() if case.driver == "visca"]
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


@pytest.mark.parametrize("name", CASES)
async def test_without_a_fault_a_command_is_carried_out_and_reported(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    async with nothing_left_behind(), case.rig(tmp_path) as one, stage(one.config) as room:
        await set_up(room, one)
        device = room.device
        assert device.fault is None
        assert bool(device.model) == case.model
        assert device.last_words
        assert device.last_seen


@pytest.mark.parametrize(("name", "fault"), MATRIX)
async def test_under_a_fault(name: str, fault: str, tmp_path: Path) -> None:
    case = CASES[name]
    expected = case.expected(fault)
    async with nothing_left_behind(), case.rig(tmp_path) as one, stage(one.config) as room:
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


@pytest.mark.parametrize("name", CAMERAS)
@pytest.mark.parametrize("fault", ["", *ViscaEmulator.available_faults])
async def test_no_camera_runs_away(name: str, fault: str, tmp_path: Path) -> None:
    async with nothing_left_behind(), CASES[name].rig(tmp_path) as one, stage(one.config) as room:
        camera = one.emulator
        assert isinstance(camera, ViscaEmulator)
        await room.online()
        assert (await room.do("move", pan=0.5, zoom=-1)).outcome == "done"
        assert camera.moving
        if fault:
            camera.fault(fault)
            await asyncio.gather(room.do("move", pan=1.0), room.do("stop"))
            camera.fault(fault, False)
        await camera.until(lambda: not camera.moving)


@pytest.mark.parametrize("name", CAMERAS)
async def test_the_end_of_the_program_stops_a_moving_camera(name: str, tmp_path: Path) -> None:
    async with nothing_left_behind(), CASES[name].rig(tmp_path) as one:
        assert isinstance(one.emulator, ViscaEmulator)
        async with stage(one.config) as room:
            await room.online()
            await room.do("move", tilt=1)
            assert one.emulator.moving
        assert not one.emulator.moving


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "silent" in case.faults])
async def test_dialling_a_silent_device_fails_in_time_and_goes_on(name: str, tmp_path: Path) -> None:
    async with nothing_left_behind(), CASES[name].rig(tmp_path) as one:
        one.emulator.fault("silent")
        async with stage(one.config) as room:
            device = await room.gone()
            assert device.fault is not None
            assert device.fault.code == "device.unreachable"
            assert not device.properties or all(one.reported is None for one in device.properties.values())
            one.emulator.fault("silent", False)
            await room.online()


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "unplugged" in case.faults])
async def test_ending_while_dialling_leaves_nothing(name: str, tmp_path: Path) -> None:
    async with nothing_left_behind(), CASES[name].rig(tmp_path) as one:
        one.emulator.fault("unplugged")
        async with stage(one.config):
            await asyncio.sleep(0)
