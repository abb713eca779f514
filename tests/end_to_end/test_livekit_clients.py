"""Other people's clients join the demo's running meeting: the Python package `livekit`."""

from __future__ import annotations

import asyncio
import time

import jwt
import pytest
from livekit import rtc

from tests.end_to_end.conftest import Demo

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning"),  # the demo key is meant to be weak
]
FRAMES = 20  # of each of the two rooms
SECONDS = 15.0


def token(identity: str, room: str = "demo", **grants: object) -> str:
    """A join token of the demo key, as any LiveKit server SDK makes it."""
    video = {"roomJoin": True, "room": room, **grants}
    claims = {"iss": "devkey", "sub": identity, "exp": int(time.time()) + 600, "video": video}
    return jwt.encode(claims, "secret", algorithm="HS256")


async def test_the_python_sdk_sees_and_hears_both_rooms(demo: Demo) -> None:
    frames: dict[str, int] = {}
    loudest: dict[str, int] = {}
    tasks: list[asyncio.Task[None]] = []

    async def watch(identity: str, track: rtc.RemoteTrack) -> None:
        if track.kind == rtc.TrackKind.KIND_VIDEO:
            stream = rtc.VideoStream(track)
            async for _ in stream:
                frames[identity] = frames.get(identity, 0) + 1
        else:
            sound = rtc.AudioStream(track)
            async for event in sound:
                samples = event.frame.data.cast("b").cast("h") if event.frame.data.format != "h" else event.frame.data
                loudest[identity] = max(loudest.get(identity, 0), max(map(abs, samples[:160])))

    room = rtc.Room()

    @room.on("track_subscribed")
    def subscribed(track: rtc.RemoteTrack, _publication: object, participant: rtc.RemoteParticipant) -> None:
        tasks.append(asyncio.create_task(watch(participant.identity, track)))

    await room.connect(f"ws://127.0.0.1:{demo.port}", token("python-sdk", canPublish=False))
    try:
        deadline = time.monotonic() + SECONDS
        while not (sum(n >= FRAMES for n in frames.values()) >= 2 and sum(n > 50 for n in loudest.values()) >= 2):
            assert time.monotonic() < deadline, f"frames {frames}, loudest samples {loudest}"
            await asyncio.sleep(0.2)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await room.disconnect()
    assert {"room:lln-lauzelle", "room:sai-senne"} <= set(frames)


async def test_h264_is_forwarded(demo: Demo) -> None:
    url, enough = f"ws://127.0.0.1:{demo.port}", asyncio.Event()
    codecs: list[str] = []
    tasks: list[asyncio.Task[None]] = []

    async def count(track: rtc.RemoteTrack) -> None:
        frames = 0
        async for _ in rtc.VideoStream(track):
            frames += 1
            if frames >= FRAMES:
                enough.set()

    async def film(source: rtc.VideoSource) -> None:
        """640×360, its shade changes with every frame."""
        for number in range(10_000):
            picture = bytes([number * 5 % 255]) * (640 * 360 * 3 // 2)
            source.capture_frame(rtc.VideoFrame(640, 360, rtc.VideoBufferType.I420, picture))
            await asyncio.sleep(1 / 15)

    viewer, publisher = rtc.Room(), rtc.Room()

    @viewer.on("track_subscribed")
    def subscribed(track: rtc.RemoteTrack, publication: rtc.RemoteTrackPublication, _participant: object) -> None:
        codecs.append(publication.mime_type)
        tasks.append(asyncio.create_task(count(track)))

    await viewer.connect(url, token("viewer", "h264"))
    await publisher.connect(url, token("publisher", "h264"))
    try:
        source = rtc.VideoSource(640, 360)
        tasks.append(asyncio.create_task(film(source)))
        track = rtc.LocalVideoTrack.create_video_track("camera", source)
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_CAMERA, simulcast=False, video_codec=rtc.VideoCodec.H264
        )
        await publisher.local_participant.publish_track(track, options)
        async with asyncio.timeout(SECONDS):
            await enough.wait()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await publisher.disconnect()
        await viewer.disconnect()
    assert codecs == ["video/H264"]
