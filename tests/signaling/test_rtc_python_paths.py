"""The Python package `livekit` (libwebrtc) on path V1, its default, and with V0 clients; simulcast, and a cut connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from livekit import rtc

from signaling.rtc.receiver import Receiver
from tests.signaling.rtc.wire import wire
from tests.signaling.rtc.world import World
from tests.signaling.test_rtc_python import RATE, hear, hum, see

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
WIDTH, HEIGHT = 1280, 720


async def paint(source: rtc.VideoSource) -> None:
    """A moving picture of 1280×720 at 15 fps, until cancelled."""
    picture = np.zeros((HEIGHT, WIDTH, 4), dtype=np.uint8)
    for number in range(100_000):
        picture[:, :, :] = number * 5 % 256
        picture[:, number * 8 % WIDTH :, 0] = 255
        source.capture_frame(rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.RGBA, picture.tobytes()))
        await asyncio.sleep(1 / 15)


class Person:
    """One client and what it was given."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.room = rtc.Room()
        self.events: list[str] = []
        self.tracks: dict[str, rtc.RemoteTrack] = {}
        self.came = asyncio.Event()
        self.data: asyncio.Queue[rtc.DataPacket] = asyncio.Queue()
        self._feeds: list[asyncio.Task[None]] = []
        self.room.on("track_subscribed", self._subscribed)
        self.room.on("data_received", self.data.put_nowait)
        for name in ("reconnecting", "reconnected", "disconnected", "participant_disconnected", "track_unsubscribed"):
            self.room.on(name, lambda *_, name=name: self.events.append(name))

    def _subscribed(self, track: rtc.RemoteTrack, publication: object, who: rtc.RemoteParticipant) -> None:
        kind = "video" if isinstance(track, rtc.RemoteVideoTrack) else "audio"
        self.tracks[f"{who.identity} {kind}"] = track
        self.came.set()

    async def publish(self) -> None:
        """Camera in three layers, and microphone."""
        pictures, sound = rtc.VideoSource(WIDTH, HEIGHT), rtc.AudioSource(RATE, 1)
        camera = rtc.LocalVideoTrack.create_video_track("camera", pictures)
        mic = rtc.LocalAudioTrack.create_audio_track("mic", sound)
        self._feeds = [asyncio.create_task(paint(pictures)), asyncio.create_task(hum(sound))]
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA, simulcast=True)
        await self.room.local_participant.publish_track(camera, options)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self.room.local_participant.publish_track(mic, options)

    async def flows(self, other: str, frames: int = 15) -> None:
        """Wait for pictures and sound of another one."""
        async with asyncio.timeout(30):
            while not {f"{other} video", f"{other} audio"} <= set(self.tracks):
                self.came.clear()
                await self.came.wait()
            video, audio = self.tracks[f"{other} video"], self.tracks[f"{other} audio"]
            assert isinstance(video, rtc.RemoteVideoTrack)
            assert isinstance(audio, rtc.RemoteAudioTrack)
            await see(video, frames)
            await hear(audio)

    async def leave(self) -> None:
        for feed in self._feeds:
            feed.cancel()
        await asyncio.gather(*self._feeds, return_exceptions=True)
        await self.room.disconnect()


@asynccontextmanager
async def person(world: World, identity: str, *, single: bool | None = None, url: str = "") -> AsyncIterator[Person]:
    """A client past its join; on the SDK's own path, or on V1 (`single`) or V0."""
    made = Person(identity)
    options = rtc.RoomOptions(single_peer_connection=single)
    await made.room.connect((url or world.url).replace("http", "ws", 1), world.token(identity), options)
    try:
        yield made
    finally:
        await made.leave()


def paths(world: World) -> dict[str, str]:
    """The path each session came by."""
    sessions = world.server.rooms["demo"].sessions.values()
    return {s.identity: "v1" if isinstance(s.subscriber, Receiver) else "v0" for s in sessions}


def layers(world: World, identity: str) -> int:
    """How many layers its camera was bound with."""
    (session,) = [s for s in world.server.rooms["demo"].sessions.values() if s.identity == identity]
    return max(len(track.encodings) for track in session.publisher.tracks)


@pytest.mark.parametrize(("one", "other"), [(None, None), (True, False), (False, True), (False, False)])
async def test_simulcast_both_ways(world: World, one: bool | None, other: bool | None) -> None:
    async with person(world, "ann", single=one) as ann, person(world, "bob", single=other) as bob:
        assert paths(world) == {"ann": "v0" if one is False else "v1", "bob": "v0" if other is False else "v1"}
        await ann.publish()
        await bob.publish()
        await bob.flows("ann")
        await ann.flows("bob")
        assert (layers(world, "ann"), layers(world, "bob")) == (3, 3)
        await ann.room.local_participant.publish_data(b"hi", topic="t")
        packet = await bob.data.get()
        assert (packet.data, packet.topic) == (b"hi", "t")


@pytest.mark.parametrize("single", [True, False], ids=["v1", "v0"])
async def test_a_cut_signal_connection_is_resumed(world: World, single: bool) -> None:
    async with (
        wire(world.url) as between,
        person(world, "ann", single=single) as ann,
        person(world, "bob", single=single, url=between.url) as bob,
    ):
        await ann.publish()
        await bob.publish()
        await bob.flows("ann")
        await ann.flows("bob")
        sessions = list(world.server.rooms["demo"].sessions)
        sids = {publication.sid for publication in bob.room.local_participant.track_publications.values()}
        between.cut()
        await bob.flows("ann", 5)
        async with asyncio.timeout(30):
            while "reconnected" not in bob.events:
                await bob.flows("ann", 5)
                await ann.flows("bob", 5)
        assert bob.events == ["reconnecting", "reconnected"]
        assert ann.events == []
        assert list(world.server.rooms["demo"].sessions) == sessions
        assert {publication.sid for publication in bob.room.local_participant.track_publications.values()} == sids
        await bob.room.local_participant.publish_data(b"back")
        assert (await ann.data.get()).data == b"back"
        await bob.flows("ann")
        await ann.flows("bob")
