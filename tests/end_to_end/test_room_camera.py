"""A room's RTSP camera, from the camera's own server over the relay to somebody who decodes it."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from livekit import rtc

from devices import DeviceConfig, DeviceHub
from devices.emulators.rtsp import RtspServer
from roomctl.media.publisher import Publisher
from tests.end_to_end.conftest import Demo
from tests.end_to_end.test_livekit_clients import token
from wire.devices import Role
from wire.link import MediaAccess
from wire.places import Center, Room

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning"),  # the demo key is meant to be weak
]
WITHIN = 30.0  # seconds
MEETING = "camera"


class Watcher:
    """Somebody in the meeting; `sees` what the last picture shows."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.sees = ""
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.room.on("track_subscribed", self._subscribed)

    def _subscribed(self, track: rtc.RemoteTrack, *_: object) -> None:
        self._tasks.append(asyncio.create_task(self._look(track)))

    async def _look(self, track: rtc.RemoteTrack) -> None:
        async for event in rtc.VideoStream(track):
            frame = event.frame.convert(rtc.VideoBufferType.I420)
            luma = np.frombuffer(frame.data, np.uint8)[: frame.width * frame.height]
            ball = np.mean(luma < 60) > 0.9 and luma.max() > 180  # white on black: GStreamer's pattern
            self.sees = "ball" if ball and frame.width == 320 else f"{frame.width}x{frame.height}"
            self._news.set()

    async def until(self, seen: str) -> None:
        try:
            async with asyncio.timeout(WITHIN):
                while self.sees != seen:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"never saw {seen}; last: {self.sees or 'nothing'}") from None

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.room.disconnect()


async def test_the_cameras_picture_is_decoded_far_away_and_a_card_while_it_is_lost(demo: Demo) -> None:
    url, watcher = f"ws://127.0.0.1:{demo.port}", Watcher()
    async with RtspServer(reboot=0.3) as camera:
        config = DeviceConfig("cam", Role.MAIN_CAMERA, "rtsp", "Caméra", {"url": camera.url})
        hub = DeviceHub("lln-lauzelle", [config], lambda: None)
        hub.watch(True)
        place = Room("lln-lauzelle", "Lauzelle", "lln", 12), Center("lln", "Louvain-la-Neuve", 50.7, 4.6)
        room = Publisher(*place, lambda: None, lambda kind: None, camera=hub.video(Role.MAIN_CAMERA))
        running = [asyncio.create_task(hub.run()), asyncio.create_task(room.run())]
        try:
            await watcher.room.connect(url, token("watcher", MEETING, canPublish=False))
            room.open(MediaAccess(url, token("camera", MEETING), "", 600.0), mic=True, camera=True)
            await watcher.until("ball")
            camera.fault("unplugged")
            await watcher.until("640x360")
            camera.fault("unplugged", False)
            await watcher.until("ball")
        except AssertionError as error:
            raise AssertionError(f"{error}; {room.published}; {hub.snapshot()}") from None
        finally:
            room.close()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await watcher.close()
