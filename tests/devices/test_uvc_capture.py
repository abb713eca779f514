"""Pictures of a USB camera: captured while wanted, again after a failure, never holding up who drives the camera."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from av.video.frame import VideoFrame

from devices import DeviceConfig
from devices.driver import Driver
from devices.emulators.uvc import UvcEmulator
from devices.errors import Lost
from devices.registry import Registry
from devices.rtsp.feed import VideoFeed
from devices.uvc.capture import capture
from devices.uvc.driver import UvcCamera
from devices.uvc.settings import PictureFormat, UvcSettings
from tests.devices.stage import Stage, nothing_left_behind, stage
from tests.devices.test_uvc import usb_camera
from wire.devices import Connection


@pytest.fixture(autouse=True)
async def tidy() -> AsyncIterator[None]:
    async with nothing_left_behind():
        yield


class Pattern(UvcCamera):
    """A camera whose pictures are FFmpeg's test pattern, or none at all."""

    broken = False

    def __init__(self, config: DeviceConfig, settings: UvcSettings) -> None:
        super().__init__(config, settings)
        self.video = VideoFeed(self.take, patience=0.5, let_go=0.1)
        self.open = 0
        self.goes_on: threading.Event | None = None  # until then the camera blocks whoever captures it

    def take(self, path: str, stop: threading.Event, offer: Callable[[VideoFrame], None]) -> None:
        self.open += 1
        try:
            if self.goes_on is not None:
                self.goes_on.wait(10)
                return
            if self.broken:
                capture("/dev/null", stop, offer)
            capture("testsrc=size=64x48:rate=20,realtime", stop, offer, "lavfi")
        finally:
            self.open -= 1


@asynccontextmanager
async def pattern(camera: UvcEmulator) -> AsyncIterator[tuple[Stage, Pattern]]:
    built: list[Pattern] = []

    class Known(Registry):
        def build(self, devices: list[DeviceConfig]) -> list[Driver[Any]]:
            built.extend(one for one in super().build(devices) if isinstance(one, Pattern))
            return [*built]

    async with stage(usb_camera(camera), registry=Known([Pattern])) as room:
        await room.online()
        yield room, built[0]


async def test_the_camera_is_captured_only_while_somebody_wants_pictures(tmp_path: Path) -> None:
    async with UvcEmulator(tmp_path / "v") as camera, pattern(camera) as (room, driver):
        await room.shows("streaming", False)
        assert driver.open == 0
        async with driver.video.watch() as pictures:
            first, second = await anext(pictures), await anext(pictures)
            assert (first.width, first.height) == (64, 48)
            assert first.pts is not None
            assert second.pts is not None
            assert second.pts > first.pts
            await room.shows("streaming", True)
            assert (await room.do("move", pan=0.1)).outcome == "done"
        await room.shows("streaming", False)
        assert driver.open == 0


async def test_a_camera_without_a_picture_says_so_and_can_be_driven(tmp_path: Path) -> None:
    async with UvcEmulator(tmp_path / "v") as camera, pattern(camera) as (room, driver):
        driver.broken = True
        async with driver.video.watch() as pictures:
            device = await room.until(lambda device: device.fault is not None)
            assert device.fault is not None
            assert (device.fault.code, device.connection) == ("device.no_picture", Connection.ONLINE)
            assert (await room.do("stop")).outcome == "done"
            driver.broken = False
            await anext(pictures)
            await room.until(lambda device: device.fault is None)


async def test_a_camera_that_blocks_its_capture_costs_one_thread_and_nothing_else(tmp_path: Path) -> None:
    goes_on = threading.Event()
    async with UvcEmulator(tmp_path / "v") as camera, pattern(camera) as (room, driver):
        driver.goes_on = goes_on
        async with driver.video.watch() as pictures:
            device = await room.until(lambda device: device.fault is not None)
            assert device.fault is not None
            assert (device.fault.code, device.connection) == ("device.no_picture", Connection.ONLINE)
            heard = camera.requests
            await camera.until(lambda: camera.requests > heard + 20)  # polls, after which it is tried again
            assert driver.open == 1
            assert (await room.do("move", pan=0.1)).outcome == "done"
            driver.goes_on = None
            goes_on.set()
            await anext(pictures)
            await room.until(lambda device: device.fault is None)


async def test_a_program_ends_although_a_camera_blocks_its_capture(tmp_path: Path) -> None:
    goes_on = threading.Event()
    async with UvcEmulator(tmp_path / "v") as camera:
        async with asyncio.timeout(4), pattern(camera) as (room, driver):
            driver.goes_on = goes_on
            async with driver.video.watch():
                await room.until(lambda device: device.fault is not None)
        goes_on.set()


def test_a_picture_is_asked_for_as_the_settings_say(tmp_path: Path) -> None:
    wanted = PictureFormat("64x48", 10, "mjpeg")
    assert wanted.options == {"video_size": "64x48", "framerate": "10", "input_format": "mjpeg"}
    assert PictureFormat().options == {}
    raw, stop = tmp_path / "pictures", threading.Event()
    raw.write_bytes(bytes(64 * 48 * 3 // 2) * 2)
    seen: list[VideoFrame] = []
    with pytest.raises(Lost, match="ended"):
        capture(str(raw), stop, seen.append, "rawvideo", PictureFormat("64x48", 10).options)
    assert [(one.width, one.height) for one in seen] == [(64, 48)] * 2


def test_a_node_that_is_gone_has_no_picture() -> None:
    with pytest.raises(Lost) as caught:
        capture("/dev/video250", threading.Event(), lambda frame: None)
    assert caught.value.notice.code == "device.no_picture"
