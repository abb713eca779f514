"""Every driver × every fault, over real sockets: the right result or a clear failure, and nothing left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from devices.emulators import ViscaEmulator
from tests.devices import clock, conformance
from tests.devices.cases import CASES, MATRIX
from tests.devices.stage import nothing_left_behind, stage

CAMERAS = [name for name, case in CASES.items() if case.driver == "visca"]


@pytest.mark.parametrize("name", CASES)
async def test_without_a_fault_a_command_is_carried_out_and_reported(name: str, tmp_path: Path) -> None:
    await conformance.works(CASES[name], tmp_path)


@pytest.mark.parametrize(("name", "fault"), MATRIX)
async def test_under_a_fault(name: str, fault: str, tmp_path: Path) -> None:
    await conformance.holds(CASES[name], fault, tmp_path)


@pytest.mark.parametrize("name", CASES)
async def test_when_the_clock_jumps(name: str, tmp_path: Path) -> None:
    await clock.jumps(CASES[name], tmp_path)


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
