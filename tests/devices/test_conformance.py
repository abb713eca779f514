"""Every driver × every fault, over real sockets: the right result or a clear failure, and nothing left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from devices.emulators import ViscaEmulator
from tests.devices.cases import CASES, MATRIX, WORKS, expected, rig
from tests.devices.stage import QUICK, nothing_left_behind, stage
from wire.devices import Connection
from wire.problems import Code

CAMERAS = [case for case in CASES if case.startswith("visca")]


@pytest.mark.parametrize("case", CASES)
async def test_without_a_fault_a_command_is_carried_out_and_reported(case: str, tmp_path: Path) -> None:
    async with nothing_left_behind(), rig(case, tmp_path) as one, stage(one.config) as room:
        await room.online()
        result = await room.do(one.op, **one.args)
        assert result.outcome in WORKS
        device = await room.shows(one.shows, one.value)
        assert device.fault is None
        assert device.model
        assert device.last_words
        assert device.last_seen


@pytest.mark.parametrize(("case", "fault"), MATRIX)
async def test_under_a_fault(case: str, fault: str, tmp_path: Path) -> None:
    outcomes, notice = expected(case, fault)
    loop = asyncio.get_running_loop()
    async with nothing_left_behind(), rig(case, tmp_path) as one, stage(one.config) as room:
        await room.online()
        await room.do(one.op, **one.args)
        await room.shows(one.shows, one.value)

        one.emulator.fault(fault)
        asked = loop.time()
        result = await room.do(one.op, **one.args)
        assert loop.time() - asked < QUICK.command + 1.0, "a command hung"
        assert result.outcome in outcomes, result
        assert (result.code is None) == (result.outcome in WORKS)
        if result.outcome in ("failed", "timed_out"):
            assert result.retryable
            assert result.code in (Code.DEVICE_UNREACHABLE, Code.DEVICE_TIMED_OUT, Code.DEVICE_FAILED)

        if notice is not None:
            device = await room.until(lambda device: device.fault is not None and device.fault.code == notice)
            assert (device.connection is Connection.UNREACHABLE) == (notice != "device.lamp")
            assert device.fault is not None
            assert device.fault.args == {"device": one.config.name}
        assert room.property(one.shows).reported == one.value, "shown what the device did not report"

        one.emulator.fault(fault, False)
        await room.online()
        await room.shows(one.shows, one.value)
        device = await room.until(lambda device: device.fault is None)
        assert (await room.do(one.op, **one.args)).outcome in WORKS


@pytest.mark.parametrize("case", CAMERAS)
@pytest.mark.parametrize("fault", ["", *ViscaEmulator.available_faults])
async def test_no_camera_runs_away(case: str, fault: str, tmp_path: Path) -> None:
    async with nothing_left_behind(), rig(case, tmp_path) as one, stage(one.config) as room:
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


@pytest.mark.parametrize("case", CAMERAS)
async def test_the_end_of_the_program_stops_a_moving_camera(case: str, tmp_path: Path) -> None:
    async with nothing_left_behind(), rig(case, tmp_path) as one:
        assert isinstance(one.emulator, ViscaEmulator)
        async with stage(one.config) as room:
            await room.online()
            await room.do("move", tilt=1)
            assert one.emulator.moving
        assert not one.emulator.moving


@pytest.mark.parametrize("case", CASES)
async def test_dialling_a_silent_device_fails_in_time_and_goes_on(case: str, tmp_path: Path) -> None:
    if case in ("pulse-sink", "pulse-source"):
        pytest.skip("a node cannot be silent while its server talks")
    async with nothing_left_behind(), rig(case, tmp_path) as one:
        one.emulator.fault("silent")
        async with stage(one.config) as room:
            device = await room.gone()
            assert device.fault is not None
            assert device.fault.code == "device.unreachable"
            assert not device.properties or all(one.reported is None for one in device.properties.values())
            one.emulator.fault("silent", False)
            await room.online()


@pytest.mark.parametrize("case", CASES)
async def test_ending_while_dialling_leaves_nothing(case: str, tmp_path: Path) -> None:
    async with nothing_left_behind(), rig(case, tmp_path) as one:
        one.emulator.fault("unplugged")
        async with stage(one.config):
            await asyncio.sleep(0)
