"""The Python package `livekit` (libwebrtc) through the real relay: frames decoded, audio heard, data."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from livekit import rtc

from tests.signaling.rtc.world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]
RATE, BLOCK = 48000, 480  # Hz, samples


async def paint(source: rtc.VideoSource) -> None:
    """A moving picture, 320×180 at 15 fps, until cancelled."""
    picture = np.zeros((180, 320, 4), dtype=np.uint8)
    for number in range(100_000):
        picture[:, :, :] = number * 5 % 256
        picture[:, number % 320 :, 0] = 255
        source.capture_frame(rtc.VideoFrame(320, 180, rtc.VideoBufferType.RGBA, picture.tobytes()))
        await asyncio.sleep(1 / 15)


async def hum(source: rtc.AudioSource) -> None:
    """A 440 Hz tone until cancelled; `capture_frame` keeps the pace."""
    for number in range(100_000):
        at = (np.arange(BLOCK) + number * BLOCK) / RATE
        samples = (np.sin(at * 2 * np.pi * 440) * 12000).astype(np.int16)
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, BLOCK))


async def decoded(track: rtc.RemoteVideoTrack) -> int:
    """Frames decoded so far, as webrtc-stats counts them."""
    inbound = [stats.inbound_rtp for stats in await track.get_stats() if stats.WhichOneof("stats") == "inbound_rtp"]
    return int(inbound[0].inbound.frames_decoded) if inbound else 0


async def see(track: rtc.RemoteVideoTrack, count: int) -> None:
    """Wait for decoded frames. The package's `VideoStream` now and then yields none of them on a busy machine."""
    wanted = await decoded(track) + count
    while await decoded(track) < wanted:
        await asyncio.sleep(0.05)


async def hear(track: rtc.RemoteAudioTrack) -> None:
    """Wait for sound that is not silence."""
    stream = rtc.AudioStream(track)
    async for event in stream:
        if np.abs(np.frombuffer(event.frame.data, dtype=np.int16)).max() > 1000:
            break
    await stream.aclose()


async def test_two_python_clients(world: World) -> None:
    url = world.url.replace("http", "ws", 1)
    ann, bob = rtc.Room(), rtc.Room()
    tracks: asyncio.Queue[rtc.RemoteTrack] = asyncio.Queue()
    data: asyncio.Queue[rtc.DataPacket] = asyncio.Queue()
    bob.on("track_subscribed", lambda track, publication, who: tracks.put_nowait(track))
    bob.on("data_received", data.put_nowait)
    await ann.connect(url, world.token("ann"))
    await bob.connect(url, world.token("bob"))

    pictures, sound = rtc.VideoSource(320, 180), rtc.AudioSource(RATE, 1)
    camera = rtc.LocalVideoTrack.create_video_track("camera", pictures)
    mic = rtc.LocalAudioTrack.create_audio_track("mic", sound)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA)
    publication = await ann.local_participant.publish_track(camera, options)
    await ann.local_participant.publish_track(mic, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE))
    feeds = [asyncio.create_task(paint(pictures)), asyncio.create_task(hum(sound))]
    async with asyncio.timeout(30):
        await publication.wait_for_subscription()
        for _ in range(2):
            track = await tracks.get()
            if isinstance(track, rtc.RemoteVideoTrack):
                await see(track, 20)
            elif isinstance(track, rtc.RemoteAudioTrack):
                await hear(track)
        await ann.local_participant.publish_data(b"hi", topic="t")
        packet = await data.get()
    assert (packet.data, packet.topic) == (b"hi", "t")
    assert packet.participant is not None
    assert packet.participant.identity == "ann"
    assert world.server.participants("demo")[0].camera
    for feed in feeds:
        feed.cancel()
    await asyncio.gather(*feeds, return_exceptions=True)
    await ann.disconnect()
    await bob.disconnect()
