"""The Python package `livekit` (libwebrtc) as a participant: sends a picture and sound, counts what it decodes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
from livekit import rtc

from tests.network.participants import Received
from tests.network.stacks import BITRATE, BLOCK, FRAMES, HEIGHT, LOUD, RATE, WIDTH, Beat, picture, tone


async def _film(source: rtc.VideoSource) -> None:
    beat = Beat(1 / FRAMES)
    while True:
        pixels = picture(await beat.next()).to_ndarray(format="rgba")
        source.capture_frame(rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.RGBA, pixels.tobytes()))


async def _speak(source: rtc.AudioSource) -> None:
    number = 0
    while True:
        await source.capture_frame(rtc.AudioFrame(tone(number).to_ndarray().tobytes(), RATE, 1, BLOCK))
        number += 1


async def _take(who: str, track: rtc.RemoteTrack, received: Received) -> None:
    if isinstance(track, rtc.RemoteVideoTrack):
        async for _ in rtc.VideoStream(track):
            received.frames[who] += 1
    elif isinstance(track, rtc.RemoteAudioTrack):
        async for event in rtc.AudioStream(track):
            samples = np.frombuffer(event.frame.data, dtype=np.int16)
            received.sounds[who] += int(np.abs(samples).max() > LOUD)


@asynccontextmanager
async def python_sdk(url: str, token: str) -> AsyncIterator[Received]:
    """Join and stay."""
    room, received = rtc.Room(), Received()
    tasks: list[asyncio.Task[None]] = []

    @room.on("track_subscribed")
    def subscribed(track: rtc.RemoteTrack, publication: rtc.RemoteTrackPublication, who: rtc.Participant) -> None:
        if publication.simulcasted:
            publication.set_video_quality(rtc.VideoQuality.VIDEO_QUALITY_LOW)
        tasks.append(asyncio.create_task(_take(who.identity, track, received)))

    await room.connect(url, token)
    try:
        pictures, sound = rtc.VideoSource(WIDTH, HEIGHT), rtc.AudioSource(RATE, 1)
        camera = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_CAMERA,
            simulcast=False,
            video_codec=rtc.VideoCodec.VP8,
            video_encoding=rtc.VideoEncoding(max_bitrate=BITRATE, max_framerate=FRAMES),
        )
        microphone = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        me = room.local_participant
        await me.publish_track(rtc.LocalVideoTrack.create_video_track("camera", pictures), camera)
        await me.publish_track(rtc.LocalAudioTrack.create_audio_track("mic", sound), microphone)
        tasks += [asyncio.create_task(_film(pictures)), asyncio.create_task(_speak(sound))]
        yield received
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await room.disconnect()
