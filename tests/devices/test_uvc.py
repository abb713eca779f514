"""A USB camera: moves by speed or by steps, positions kept by us, settings, framing, replugging; never running away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest

from devices import DeviceConfig, DeviceSettingsError
from devices.emulators.uvc import FOCUS_AUTO, SELECTOR, UNIT, UvcEmulator
from devices.registry import Registry
from devices.uvc.driver import UvcCamera
from devices.uvc.layout import FOCUS_ABSOLUTE, PAN_ABSOLUTE, PAN_SPEED, TILT_ABSOLUTE
from tests.devices.stage import nothing_left_behind, stage
from tests.devices.usbtree import usb_tree
from wire.devices import Connection, Role

Speeds = Literal["right", "misreported"] | None
KINDS: tuple[Speeds, ...] = ("right", "misreported", None)


@pytest.fixture(autouse=True)
async def tidy() -> AsyncIterator[None]:
    async with nothing_left_behind():
        yield


def usb_camera(emulator: UvcEmulator, **settings: Any) -> DeviceConfig:
    return DeviceConfig("cam", Role.MAIN_CAMERA, "uvc", "Caméra", {"node": emulator.address, **settings})


async def still(camera: UvcEmulator) -> tuple[int, int, int]:
    """Where it stands, once it does; it must stand while a step and a lease go by."""
    await camera.until(lambda: not camera.moving)
    place = camera.place
    while True:
        await asyncio.sleep(0.3)
        if camera.place == place:
            return place
        place = camera.place


@pytest.mark.parametrize("speeds", KINDS)
async def test_a_move_ends_with_its_lease(speeds: Speeds, tmp_path: Path) -> None:
    async with UvcEmulator(tmp_path / "v", speeds=speeds) as camera, stage(usb_camera(camera)) as room:
        await room.online()
        assert (await room.do("move", pan=-0.5, zoom=1.0)).outcome == "done"
        pan, tilt, zoom = await still(camera)
        assert pan < 0
        assert tilt == 0
        assert zoom > 100
        await room.until(lambda device: device.properties["moving"].assumed is False)


@pytest.mark.parametrize("speeds", KINDS)
async def test_a_stop_stands_at_once(speeds: Speeds, tmp_path: Path) -> None:
    async with UvcEmulator(tmp_path / "v", speeds=speeds) as camera, stage(usb_camera(camera)) as room:
        await room.online()
        await room.do("move", tilt=1.0)
        assert (await room.do("stop")).outcome == "done"
        place = camera.place
        await asyncio.sleep(0.25)  # two steps
        assert camera.place == place


@pytest.mark.parametrize("speeds", KINDS)
@pytest.mark.parametrize("fault", ["", *UvcEmulator.available_faults])
async def test_no_camera_runs_away(speeds: Speeds, fault: str, tmp_path: Path) -> None:
    emulator = UvcEmulator(tmp_path / "v", speeds=speeds, delay=0.08, reboot=0.3)
    async with emulator as camera, stage(usb_camera(camera)) as room:
        await room.online()
        await room.do("move", pan=0.2)
        if fault:
            camera.fault(fault)
            await asyncio.gather(room.do("move", pan=1.0), room.do("stop"))
            camera.fault(fault, False)
        await room.online()
        pan, _, _ = await still(camera)
        assert pan < 468000, "it ran to its end"


class _ZoomAlone(UvcEmulator):
    """A camera whose picture is cut closer, on a fixed foot."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.table = {id: one for id, one in self.table.items() if id not in (PAN_ABSOLUTE, TILT_ABSOLUTE)}
        self.forget()


async def test_a_camera_says_which_axes_it_has_and_the_others_are_unsupported(tmp_path: Path) -> None:
    async with _ZoomAlone(tmp_path / "v") as camera, stage(usb_camera(camera)) as room:
        assert (await room.online()).axes == ["zoom"]
        for asked in ({"pan": 1.0}, {"tilt": -1.0}, {"pan": 0.5, "zoom": 0.5}):
            assert (await room.do("move", **asked)).outcome == "unsupported"
        assert not camera.commands
        assert (await room.do("move", zoom=1.0)).outcome == "done"
        await camera.until(lambda: bool(camera.commands))
    async with UvcEmulator(tmp_path / "w") as full, stage(usb_camera(full)) as room:
        assert (await room.online()).axes == ["pan_tilt", "zoom"]


async def test_the_end_of_the_program_stops_a_moving_camera(tmp_path: Path) -> None:
    async with UvcEmulator(tmp_path / "v", speeds="right") as camera:
        async with stage(usb_camera(camera)) as room:
            await room.online()
            await room.do("move", tilt=1.0)
            assert camera.moving
        assert not camera.moving


async def test_a_least_speed_that_is_misreported_is_never_written(tmp_path: Path) -> None:
    async with UvcEmulator(tmp_path / "v", speeds="misreported") as camera, stage(usb_camera(camera)) as room:
        await room.online()
        await room.do("move", pan=-1.0)
        await room.do("stop")
        assert not any(f"{PAN_SPEED:x}=" in command for command in camera.commands)


async def test_a_camera_with_misreported_speeds_and_no_positions_is_not_moved(tmp_path: Path) -> None:
    emulator = UvcEmulator(tmp_path / "v", speeds="misreported", absolute=False)
    async with emulator as camera, stage(usb_camera(camera)) as room:
        await room.online()
        assert room.device.capabilities == ["video"]
        assert (await room.do("move", pan=1.0)).outcome == "unsupported"


async def test_positions_are_kept_over_a_restart_and_told_by_the_camera(tmp_path: Path) -> None:
    settings = {"presets": {"1": "Table", "2": "Tableau"}, "memory": str(tmp_path / "kept" / "camera.json")}
    async with UvcEmulator(tmp_path / "v", speeds="right", reboot=0.1) as camera:
        async with stage(usb_camera(camera, **settings)) as room:
            await room.online()
            assert (await room.do("recall_preset", preset=1)).outcome == "unsupported"
            await room.do("move", pan=0.3, zoom=0.5)
            await still(camera)
            table = camera.place
            assert (await room.do("store_preset", preset=1)).outcome == "done"
            await room.do("move", pan=-1.0)
            await still(camera)
            assert camera.place != table
        async with stage(usb_camera(camera, **settings)) as room:
            await room.online()
            assert room.device.presets == settings["presets"]
            assert (await room.do("recall_preset", preset=1)).outcome == "accepted"
            assert camera.place == table
            await room.shows("preset", 1)
            await room.shows("pan", table[0])
            await room.do("move", pan=1.0)
            assert room.property("preset").reported is None


async def test_a_spoiled_memory_is_no_reason_to_fail(tmp_path: Path) -> None:
    memory = tmp_path / "camera.json"
    memory.write_bytes(b"\xff garbage")
    async with UvcEmulator(tmp_path / "v") as camera, stage(usb_camera(camera, memory=str(memory))) as room:
        await room.online()
        assert (await room.do("store_preset", preset=3)).outcome == "done"
        assert memory.read_bytes().startswith(b'{"3":')


async def test_settings_are_set_at_each_connection(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    wanted = {"focus_automatic_continuous": 0, "focus_absolute": 33, "shutter": 1}
    async with UvcEmulator(tmp_path / "v") as camera, stage(usb_camera(camera, controls=wanted)) as room:
        await room.online()
        assert (camera.values[FOCUS_AUTO], camera.values[FOCUS_ABSOLUTE]) == (0, 35)  # in steps of 5
        assert "shutter" in caplog.text
        await room.reboots(camera)
        await room.online()
        assert camera.values[FOCUS_ABSOLUTE] == 35
        await room.shows("focus", 35)


async def test_framing_through_an_extension_is_reported_as_the_camera_says(tmp_path: Path) -> None:
    framing = {"unit": UNIT, "selector": SELECTOR, "on": "01", "off": "00"}
    async with UvcEmulator(tmp_path / "v") as camera, stage(usb_camera(camera, framing=framing)) as room:
        await room.online()
        assert "framing" in room.device.capabilities
        assert (await room.do("set_framing", on=True)).outcome == "done"
        assert camera.framing == 1
        await room.shows("framing", True)
        camera.framing = 9  # neither on nor off
        await room.shows("framing", None)


async def test_a_refused_control_is_one_failure(tmp_path: Path) -> None:
    async with UvcEmulator(tmp_path / "v", speeds="right") as camera, stage(usb_camera(camera)) as room:
        await room.online()
        camera.fault("stuck")
        result = await room.do("move", pan=1.0)
        assert (result.outcome, result.retryable) == ("failed", True)
        assert room.device.fault is None


async def test_a_refused_step_is_one_failure_and_the_camera_stays(tmp_path: Path) -> None:
    async with UvcEmulator(tmp_path / "v") as camera, stage(usb_camera(camera)) as room:
        await room.online()
        camera.fault("stuck")
        result = await room.do("move", pan=1.0)
        assert (result.outcome, result.retryable) == ("failed", True)
        camera.fault("stuck", False)
        await room.do("move", pan=1.0)
        camera.fault("stuck")
        heard = camera.requests
        await camera.until(lambda: camera.requests > heard + 3)  # steps, polls and the stop of the lease
        camera.fault("stuck", False)
        place = await still(camera)
        assert room.device.connection is Connection.ONLINE
        await room.do("move", pan=-1.0)
        await still(camera)
        assert camera.place < place


async def test_a_move_soon_after_a_position_was_recalled_begins_there(tmp_path: Path) -> None:
    async with UvcEmulator(tmp_path / "v") as camera, stage(usb_camera(camera, presets={"1": "Table"})) as room:
        await room.online()
        camera.values[PAN_ABSOLUTE] = 360000
        await room.do("store_preset", preset=1)
        camera.values[PAN_ABSOLUTE] = -360000
        await room.do("move", pan=-0.1)
        await camera.until(lambda: bool(camera.commands))  # a step
        await room.do("stop")
        await room.do("recall_preset", preset=1)
        await room.do("move", pan=0.01)
        pan, _, _ = await still(camera)
        assert pan >= 360000


async def test_a_camera_in_the_wrong_state_for_its_controls_is_not_lost(tmp_path: Path) -> None:
    async with UvcEmulator(tmp_path / "v", speeds="right") as camera, stage(usb_camera(camera)) as room:
        await room.shows("pan", 0)
        camera.fault("unready")
        result = await room.do("move", pan=1.0)
        assert (result.outcome, result.retryable) == ("failed", True)
        heard = camera.requests
        await camera.until(lambda: camera.requests > heard + 6)  # some polls
        assert (room.device.connection, room.device.fault) == (Connection.ONLINE, None)
        camera.fault("unready", False)
        camera.values[PAN_ABSOLUTE] = 3600
        await room.shows("pan", 3600)


async def test_a_name_that_the_kernel_cut_within_a_letter_is_a_name(tmp_path: Path) -> None:
    async with (
        UvcEmulator(tmp_path / "v", name="Caméra de la salle du conseilé") as camera,
        stage(usb_camera(camera)) as room,
    ):
        assert (await room.online()).model == "Caméra de la salle du conseil"


async def test_a_position_a_motor_missed_by_a_step_is_that_position(tmp_path: Path) -> None:
    async with UvcEmulator(tmp_path / "v") as camera, stage(usb_camera(camera, presets={"1": "Table"})) as room:
        await room.online()
        await room.do("store_preset", preset=1)
        camera.values[PAN_ABSOLUTE] = 3600
        await room.do("recall_preset", preset=1)
        camera.values[PAN_ABSOLUTE] = 3600
        await room.shows("pan", 3600)
        await room.shows("preset", 1)
        camera.values[PAN_ABSOLUTE] = 7200
        await room.shows("preset", None)


async def test_a_position_that_cannot_be_kept_fails_and_breaks_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    memory = str(tmp_path / "file" / "camera.json")
    async with UvcEmulator(tmp_path / "v") as camera, stage(usb_camera(camera, memory=memory)) as room:
        await room.online()
        result = await room.do("store_preset", preset=3)
        assert (result.outcome, result.retryable) == ("failed", False)
        assert (await room.do("recall_preset", preset=3)).outcome == "accepted"
        assert room.device.fault is None


async def test_a_camera_is_found_again_by_place_whatever_its_node(tmp_path: Path) -> None:
    usb = usb_tree(tmp_path)
    usb.add("1-3", "video", "video0")
    config = DeviceConfig("cam", Role.MAIN_CAMERA, "uvc", "Caméra", {"usb": "1-3", "root": str(tmp_path)})
    async with stage(config) as room:
        async with UvcEmulator(tmp_path / "dev" / "video0"):
            await room.online()
        device = await room.gone()
        assert device.fault is not None
        assert device.fault.code == "device.unplugged"
        usb.remove("video0")
        usb.add("1-3", "video", "video2")
        async with UvcEmulator(tmp_path / "dev" / "video2"):
            await room.online()


async def test_cameras_are_found_without_their_metadata_nodes(tmp_path: Path) -> None:
    usb = usb_tree(tmp_path)
    usb.add("1-3", "video", "video0", serial="S1", name="Cam")
    usb.add("2-1.4", "video", "video1", index=1)
    found = await UvcCamera.discover(1.0, str(tmp_path))
    assert [(one.name, one.settings) for one in found] == [("Acme Cam", {"usb": "1-3", "serial": "S1"})]


def test_a_camera_that_is_not_named_is_refused() -> None:
    with pytest.raises(DeviceSettingsError, match="none is given"):
        Registry([UvcCamera]).build([DeviceConfig("c", Role.MAIN_CAMERA, "uvc", "C", {})])
