"""The room's camera as its picture: captured only while open, sent as it is, a card in its place while it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from av import VideoFrame
from hypothesis import given
from hypothesis import strategies as st

from devices import DeviceConfig
from devices.emulators.rtsp import RtspServer
from devices.rtsp.feed import VideoFeed, Viewer
from roomctl.agent import RoomAgent
from roomctl.config import MediaSettings
from roomctl.media.camera import HEIGHT, WIDTH, CameraTrack, fit
from roomctl.media.picture import card
from roomctl.media.source import LOST_WORDS
from tests.roomctl.conftest import MakeRoom, running
from tests.roomctl.linkserver import LinkServer
from tests.roomctl.media.mediaserver import MediaServer, media_server
from tests.roomctl.rooms import CENTER, ROOM, TestRoom
from tests.roomctl.test_agent import press
from wire.devices import Connection, Role
from wire.link import MediaAccess, Phase, Prepare

PICTURE = (320, 180)  # of the emulated camera
CARD = (640, 360)


class Feed(VideoFeed):
    """A camera by hand: `show` a picture to who watches."""

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[Viewer]:
        async with super().watch() as viewer:
            self.watching.add(viewer)
            self.news.set()
            try:
                yield viewer
            finally:
                self.watching.discard(viewer)
                self.news.set()

    def __init__(self) -> None:
        super().__init__()
        self.watching: set[Viewer] = set()
        self.news = asyncio.Event()

    async def until(self, watched: bool) -> None:
        async with asyncio.timeout(5):
            while bool(self.watching) is not watched:
                self.news.clear()
                await self.news.wait()

    def show(self, width: int = 64, height: int = 48) -> VideoFrame:
        picture = VideoFrame(width, height, "yuv420p")
        picture.pts = 7
        for viewer in self.watching:
            viewer.offer(picture)
        return picture


@pytest.fixture
async def feed() -> Feed:
    return Feed()


def track(feed: Feed, told: list[bool] | None = None, *, is_open: bool = True, patience: float = 60.0) -> CameraTrack:
    heard: list[bool] = [] if told is None else told
    one = CameraTrack(
        feed,
        lambda: VideoFrame(*CARD, "yuv420p"),
        lambda: heard.append(one.lost),
        is_open=is_open,
        patience=patience,
    )
    return one


async def test_the_camera_is_watched_only_while_the_track_is_open(feed: Feed) -> None:
    one = track(feed, is_open=False)
    coming = asyncio.ensure_future(one.recv())
    await asyncio.sleep(0)
    assert not feed.watching
    one.switch(True)
    await feed.until(watched=True)
    feed.show()
    assert (await coming).width == 64
    one.switch(False)
    await feed.until(watched=False)
    coming = asyncio.ensure_future(one.recv())
    one.switch(True)
    await feed.until(watched=True)
    feed.show(96, 54)
    assert (await coming).width == 96
    one.stop()
    await feed.until(watched=False)


async def test_a_lost_camera_is_a_card_and_said_and_its_picture_comes_back(feed: Feed) -> None:
    told: list[bool] = []
    one = track(feed, told, patience=0.1)
    await feed.until(watched=True)
    cards = [await one.recv(), await one.recv()]
    assert [(frame.width, frame.height) for frame in cards] == [CARD, CARD]
    assert one.lost
    feed.show()
    assert (await one.recv()).width == 64
    assert told == [True, False]
    assert (await one.recv()).width == CARD[0]
    one.switch(False)
    assert told == [True, False, True, False], "a closed camera is not a lost one"
    one.stop()


async def test_a_camera_is_said_to_be_seen_from_its_first_picture_on(feed: Feed) -> None:
    told: list[bool] = []
    one = CameraTrack(feed, lambda: VideoFrame(*CARD, "yuv420p"), lambda: told.append(one.live), is_open=True)
    await feed.until(watched=True)
    assert not one.live
    feed.show()
    await one.recv()
    feed.show()
    await one.recv()
    assert told == [True]
    one.switch(False)
    assert told == [True, False]
    await feed.until(watched=False)
    coming = asyncio.ensure_future(one.recv())
    one.switch(True)
    await feed.until(watched=True)
    assert not one.live, "opened anew, and nothing came yet"
    feed.show()
    await coming
    assert told == [True, False, True]
    one.stop()


async def test_time_stamps_grow_and_the_cameras_own_picture_stays_as_it_was(feed: Feed) -> None:
    one = track(feed)
    await feed.until(watched=True)
    stamps = []
    for _ in range(3):
        picture = feed.show()
        sent = await one.recv()
        stamps.append(sent.pts or 0)
        assert sent is not picture
        assert picture.pts == 7
    assert all(later > earlier for earlier, later in pairwise(stamps))
    one.stop()


@given(
    st.integers(2, 4000),
    st.integers(2, 4000),
    st.sampled_from(["yuv420p", "yuvj420p", "yuyv422", "rgb24", "gray"]),
)
def test_any_picture_is_made_to_fit(width: int, height: int, form: str) -> None:
    fitted = fit(VideoFrame(width, height, form))
    assert fitted.format.name == "yuv420p"
    assert 2 <= fitted.width <= WIDTH
    assert 2 <= fitted.height <= HEIGHT
    assert fitted.width % 2 == fitted.height % 2 == 0


def test_the_card_has_words() -> None:
    luma = card(ROOM, CENTER, LOST_WORDS).to_ndarray()[: CARD[1]]
    assert luma.shape == (CARD[1], CARD[0])
    assert (luma[200:320] > 150).mean() > 0.01


# --- a room with a real RTSP camera, in a meeting -----------------------------------------------------------------


@pytest.fixture
async def rtsp() -> AsyncIterator[RtspServer]:
    async with RtspServer(name="room", password="s3:cr@t", reboot=0.3) as one:
        yield one


@pytest.fixture
async def media() -> AsyncIterator[MediaServer]:
    async with media_server() as one:
        yield one


@pytest.fixture
def room(make_room: MakeRoom, rtsp: RtspServer, tmp_path: Path) -> TestRoom:
    room = make_room(auto=True, after=0.0)
    login = {"url": rtsp.url, "username": "room", "password": "s3:cr@t"}
    config = msgspec.structs.replace(
        room.config,
        devices=(DeviceConfig("cam", Role.MAIN_CAMERA, "rtsp", "Caméra", login),),
        media=MediaSettings("agent", "camera"),
        device_retry=1.0,
    )
    room.agent = RoomAgent(config)
    return room


def size(server: MediaServer) -> tuple[int, int]:
    picture: Any = server.last_picture
    return (picture.width, picture.height) if picture is not None else (0, 0)


def shows_the_ball(server: MediaServer) -> bool:
    """GStreamer's `ball` pattern: a white ball on black."""
    if size(server) != PICTURE:
        return False
    luma = server.last_picture.to_ndarray(format="gray")
    return bool(np.mean(luma < 60) > 0.9 and luma.max() > 180)


async def captured_by_nobody(rtsp: RtspServer) -> None:
    """Wait until the camera's server has no session."""
    async with asyncio.timeout(5):
        while await rtsp.sessions():
            await asyncio.sleep(0.02)


async def test_a_room_shows_its_camera_in_a_meeting_and_says_when_it_is_lost(
    server: LinkServer, room: TestRoom, rtsp: RtspServer, media: MediaServer
) -> None:
    async with running(room.agent):
        await server.linked()
        await room.shows(lambda view: view.devices["cam"].connection is Connection.ONLINE)
        assert await rtsp.sessions() == 0, "nobody sees the room while it is idle"
        prepare = Prepare("m1", "", MediaAccess(media.url, "token", "", 600.0))
        await server.result(await server.command("prepare", prepare), "done")
        await room.shows(lambda view: view.phase is Phase.IN_MEETING and view.media.connected)
        await press(room, "set_camera", on=True)
        await media.until(lambda: shows_the_ball(media))
        await room.shows(lambda view: view.media.camera)
        assert [track.name for track in media.said("add_track")] == ["camera"], "a camera brings no sound"

        rtsp.fault("unplugged")
        await media.until(lambda: size(media) == CARD)
        view = await room.shows(lambda view: not view.media.camera)
        assert view.media.camera_wanted
        assert view.devices["cam"].fault is not None
        rtsp.fault("unplugged", False)
        await media.until(lambda: shows_the_ball(media), 30.0)
        await room.shows(lambda view: view.media.camera)

        await press(room, "set_camera", on=False)
        await room.shows(lambda view: view.devices["cam"].properties["streaming"].reported is False)
        await captured_by_nobody(rtsp)
        await press(room, "set_camera", on=True)
        frames = media.frames
        await media.until(lambda: media.frames > frames + 5 and shows_the_ball(media))
        await press(room, "leave")
        await room.shows(lambda view: view.devices["cam"].properties["streaming"].reported is False)
        await captured_by_nobody(rtsp)
