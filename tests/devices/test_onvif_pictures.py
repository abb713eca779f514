"""The pictures of ONVIF cameras: offered while they flow, whatever becomes of the control."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from devices.emulators.onvif import OnvifEmulator
from devices.emulators.rtsp import RtspServer
from devices.onvif.driver import OnvifCameraDriver
from tests.devices.cases.onvif import camera
from tests.devices.stage import Stage, nothing_left_behind, stage
from wire.devices import Connection


@pytest.fixture
async def one() -> AsyncIterator[OnvifEmulator]:
    async with nothing_left_behind(), OnvifEmulator(password="secret", recall_time=0.2, reboot=0.2) as emulator:
        yield emulator


async def test_the_address_of_the_pictures_is_that_of_the_camera_we_reach(one: OnvifEmulator) -> None:
    """It names its media service and its stream by addresses of a network of its own."""
    async with nothing_left_behind(), RtspServer() as server:
        one.inner_host = "192.0.2.7"
        one.stream = f"rtsp://192.0.2.7:{server.address[1]}/live"
        async with stage(camera(one)) as room:
            await room.online()
            driver = driver_of(room)
            async with driver.video.watch() as pictures:
                picture = await anext(pictures)
                assert (picture.width, picture.height) == (320, 180)
                assert room.property("streaming").reported is True
            await room.shows("streaming", False)


def driver_of(room: Stage) -> OnvifCameraDriver:
    driver = room.hub._runners[0]._driver
    assert isinstance(driver, OnvifCameraDriver)
    return driver


async def test_a_camera_that_shows_nothing_can_be_moved_and_is_tried_again(one: OnvifEmulator) -> None:
    server = RtspServer()  # refused until it is opened
    one.stream = server.url
    async with stage(camera(one)) as room:
        await room.online()
        async with driver_of(room).video.watch() as pictures:
            await room.until(lambda device: device.fault is not None and device.fault.code == "device.no_picture")
            for _ in range(20):
                assert (await room.do("move", pan=0.5)).outcome == "done"
            assert (await room.do("stop")).outcome == "done"
            assert room.device.connection is Connection.ONLINE
            async with server:
                assert (await anext(pictures)).width == 320
                await room.until(lambda device: device.fault is None)
                server.fault("unplugged")
                await room.until(lambda device: device.fault is not None)
                assert room.property("streaming").reported is False
                assert (await room.do("move", pan=-0.5)).outcome == "done"
        await room.until(lambda device: device.fault is None)


async def test_pictures_that_flow_go_on_though_nobody_can_control_the_camera(one: OnvifEmulator) -> None:
    async with nothing_left_behind(), RtspServer() as server:
        one.stream = server.url
        async with stage(camera(one)) as room:
            await room.online()
            async with driver_of(room).video.watch() as pictures:
                await anext(pictures)
                one.fault("silent")
                await room.gone()
                last = await anext(pictures)
                for _ in range(20):
                    picture = await anext(pictures)
                    assert (picture.pts or 0) > (last.pts or 0), "of the same session"
                one.fault("silent", False)
                await room.online()
                assert ((await anext(pictures)).pts or 0) > (picture.pts or 0)
                assert await server.sessions() == 1
                assert room.property("streaming").reported is True
                one.fault("silent")
                await room.gone()
                server.fault("unplugged")
                await room.shows("streaming", False)
            one.fault("silent", False)
            await room.online()


async def test_pictures_that_flow_are_offered_though_their_address_is_refused(one: OnvifEmulator) -> None:
    async with nothing_left_behind(), RtspServer() as server:
        one.stream = server.url
        async with stage(camera(one)) as room:
            await room.online()
            async with driver_of(room).video.watch() as pictures:
                await anext(pictures)
                one.fault("silent")
                await room.gone()
                one.refuses = {"GetStreamUri": "Action"}
                one.fault("silent", False)
                device = await room.online()
                assert (device.fault, device.capabilities) == (None, ["ptz", "presets", "video"])
                for _ in range(20):
                    await anext(pictures)
                assert (room.device.fault, room.device.capabilities) == (None, ["ptz", "presets", "video"])


async def test_a_camera_whose_stream_has_no_readable_address_can_be_moved(one: OnvifEmulator) -> None:
    one.stream = "http://[elsewhere/"
    async with stage(camera(one)) as room:
        assert (await room.online()).capabilities == ["ptz", "presets"]
        assert (await room.do("move", pan=0.5)).outcome == "done"
        assert (await room.do("stop")).outcome == "done"


async def test_pictures_that_flow_behind_a_silent_control_end_with_the_program(one: OnvifEmulator) -> None:
    async with nothing_left_behind(), RtspServer() as server:
        one.stream = server.url
        async with stage(camera(one)) as room:
            await room.online()
            async with driver_of(room).video.watch() as pictures:
                await anext(pictures)
                one.fault("silent")
                await room.gone()
                await anext(pictures)
            await room.shows("streaming", False)  # nobody watches
            one.fault("silent", False)
            await room.online()
            watching = driver_of(room).video.watch()
            await anext(await watching.__aenter__())
            one.fault("silent")
            await room.gone()


async def test_pictures_behind_another_password_leave_the_camera_to_its_panel(one: OnvifEmulator) -> None:
    async with RtspServer(name="room", password="another") as server:
        one.stream = server.url
        async with stage(camera(one)) as room:
            await room.online()
            async with driver_of(room).video.watch():
                await room.until(lambda device: device.fault is not None and device.fault.code == "device.password")
                assert (await room.do("move", pan=0.5)).outcome == "done"
                assert room.device.connection is Connection.ONLINE


async def test_a_camera_with_the_second_media_service_alone_moves_and_shows() -> None:
    async with (
        nothing_left_behind(),
        RtspServer(name="room", password="secret") as pictures,
        OnvifEmulator(password="secret", second_media=True, stream=pictures.url) as one,
        stage(camera(one)) as room,
    ):
        assert (await room.online()).capabilities == ["ptz", "presets", "video"]
        assert (await room.do("move", zoom=0.5)).outcome == "done"
        await one.until(lambda: "ContinuousMove" in one.commands)
        async with driver_of(room).video.watch() as shown:
            assert (await anext(shown)).width == 320
