"""The publisher against a media server that decodes what it sends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from random import Random

import pytest_asyncio
from livekit.protocol import models, rtc
from websockets.exceptions import ConnectionClosed

from roomctl.media.publisher import Publisher
from tests.roomctl.media.mediaserver import MediaServer, media_server
from tests.roomctl.rooms import CENTER, ROOM
from wire.link import MediaAccess
from wire.problems import Code


class Published:
    """A publisher with what it told."""

    def __init__(self) -> None:
        self.muted: list[str] = []
        self._changed = asyncio.Event()
        self.publisher = Publisher(ROOM, CENTER, self._changed.set, self.muted.append, Random(3))

    async def until(self, *, connected: bool, seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while self.publisher.published.connected != connected:
                self._changed.clear()
                await self._changed.wait()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[MediaServer]:
    async with media_server() as server:
        yield server


@pytest_asyncio.fixture
async def room(server: MediaServer) -> AsyncIterator[Published]:
    """Joined and publishing."""
    room = Published()
    task = asyncio.create_task(room.publisher.run())
    room.publisher.open(access(server, "first"), mic=True, camera=True)
    await room.until(connected=True)
    yield room
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def access(server: MediaServer, token: str) -> MediaAccess:
    return MediaAccess(server.url, token, "", 600.0)


async def test_picture_and_sound_arrive(server: MediaServer, room: Published) -> None:
    await server.until(lambda: server.frames >= 10 and server.energy > 0.5)
    assert (server.last_picture.width, server.last_picture.height) == (640, 360)
    tracks = {track.name: (track.type, track.source) for track in server.said("add_track")}
    assert tracks == {
        "microphone": (models.TrackType.AUDIO, models.TrackSource.MICROPHONE),
        "camera": (models.TrackType.VIDEO, models.TrackSource.CAMERA),
    }
    assert server.tokens == ["first"]
    assert "first" not in server.queries[0]
    assert room.publisher.published.mic


async def test_a_closed_camera_sends_nothing_while_sound_goes_on(server: MediaServer, room: Published) -> None:
    await server.until(lambda: server.frames >= 5)
    room.publisher.switch(mic=True, camera=False)
    await server.until(lambda: any(mute.sid == "TR_camera" and mute.muted for mute in server.said("mute")))
    assert not room.publisher.published.camera
    settled = server.energy
    await server.until(lambda: server.energy > settled + 0.3)
    frames, energy = server.frames, server.energy
    await server.until(lambda: server.energy > energy + 0.6)
    assert server.frames <= frames + 1
    room.publisher.switch(mic=True, camera=True)
    await server.until(lambda: server.frames >= frames + 5)


async def test_a_closed_microphone_sends_nothing_while_the_picture_goes_on(
    server: MediaServer, room: Published
) -> None:
    await server.until(lambda: server.energy > 0.2)
    room.publisher.switch(mic=False, camera=True)
    frames = server.frames
    await server.until(lambda: server.frames >= frames + 8)
    energy, frames = server.energy, server.frames
    await server.until(lambda: server.frames >= frames + 8)
    assert server.energy == energy


async def test_joins_anew_when_the_server_comes_back_with_the_token_it_was_given(
    server: MediaServer, room: Published
) -> None:
    await server.until(lambda: server.frames >= 3)
    await server.send(rtc.SignalResponse(refresh_token="second"))
    await server.send(rtc.SignalResponse(mute=rtc.MuteTrackRequest(sid="TR_microphone", muted=True)))
    energy = server.energy
    await server.until(lambda: server.energy > energy + 0.1)
    assert room.muted == ["audio"]
    await server.stop()
    await room.until(connected=False)
    server.frames = 0
    await server.start()
    await room.until(connected=True)
    await server.until(lambda: server.frames >= 5)
    assert server.tokens[-1] == "second"


async def test_pings_that_are_answered_make_up_for_those_that_were_not(server: MediaServer) -> None:
    server.pings, server.forgetful = (1, 2), True
    room = Published()
    task = asyncio.create_task(room.publisher.run())
    room.publisher.open(access(server, "first"), mic=False, camera=False)
    await server.until(lambda: len(server.said("ping_req")) >= 7)
    assert len(server.queries) == 1  # it joined once
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_pings_who_is_told_much(server: MediaServer, room: Published) -> None:
    server.pings = (1, 2)
    await server.stop()
    await server.start()
    async with asyncio.timeout(20):
        while not server.said("ping_req"):  # a server ends whom it does not hear
            with contextlib.suppress(ConnectionClosed):
                await server.send(rtc.SignalResponse(room_update=rtc.RoomUpdate()))
            await asyncio.sleep(0.2)


async def test_nobody_remote_unmutes(server: MediaServer, room: Published) -> None:
    room.publisher.switch(mic=False, camera=True)
    await server.send(rtc.SignalResponse(mute=rtc.MuteTrackRequest(sid="TR_microphone", muted=False)))
    frames = server.frames
    await server.until(lambda: server.frames >= frames + 8)
    energy, frames = server.energy, server.frames
    await server.until(lambda: server.frames >= frames + 5)
    assert server.energy == energy
    assert room.muted == []


async def test_leaves_when_closed(server: MediaServer, room: Published) -> None:
    room.publisher.close()
    await server.until(lambda: bool(server.said("leave")))
    await room.until(connected=False)
    assert room.publisher.published.problem is None


async def test_a_meeting_that_is_over_is_not_joined_again(server: MediaServer, room: Published) -> None:
    leave = rtc.LeaveRequest(reason=models.DisconnectReason.ROOM_DELETED, action=rtc.LeaveRequest.Action.DISCONNECT)
    await server.send(rtc.SignalResponse(leave=leave))
    await room.until(connected=False)
    problem = room.publisher.published.problem
    assert problem is not None
    assert problem.code is Code.MEETING_OVER
    room.publisher.open(access(server, "other meeting"), mic=False, camera=False)
    await room.until(connected=True)
    assert server.tokens == ["first", "other meeting"]
    assert all(track.muted for track in server.said("add_track")[2:])
