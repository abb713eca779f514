"""Picture and chord as aiortc tracks that can be closed: then nothing is drawn, captured or sent."""

from __future__ import annotations

import asyncio
import time
from fractions import Fraction
from typing import Final

from aiortc import MediaStreamTrack
from av import AudioFrame, VideoFrame

from roomctl.media.picture import FRAME_RATE, Picture
from roomctl.media.sound import FRAME, SAMPLE_RATE, Chord

VIDEO_CLOCK: Final = 90_000  # Hz
LATE: Final = 0.2  # seconds behind after which frames are left out instead of made up for


class Shutter:
    """Open or closed, and the beat at which frames leave while open. Times are those of the event loop."""

    def __init__(self, interval: float, *, is_open: bool) -> None:
        self._interval = interval
        self._open = asyncio.Event()
        self._began: float | None = None
        self._index = -1
        self.set(is_open)

    def set(self, is_open: bool) -> None:
        """Open or close."""
        if is_open:
            self._open.set()
        else:
            self._open.clear()

    async def beat(self) -> int:
        """Wait for the next frame's time; its index since the first. Waits for as long as it is closed."""
        loop = asyncio.get_running_loop()
        self._began = loop.time() if self._began is None else self._began
        while True:
            await self._open.wait()
            self._index += 1
            due = int((loop.time() - self._began) / self._interval)
            if due - self._index > LATE / self._interval:
                self._index = due
            wait = self._began + self._index * self._interval - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            if self._open.is_set():
                return self._index


class PictureTrack(MediaStreamTrack):
    """The test picture, 640×360 at 15 frames/s."""

    kind = "video"

    def __init__(self, picture: Picture, *, is_open: bool) -> None:
        super().__init__()
        self.shutter = Shutter(1 / FRAME_RATE, is_open=is_open)
        self._picture = picture

    def switch(self, on: bool) -> None:
        """Open or close."""
        self.shutter.set(on)

    async def recv(self) -> VideoFrame:
        """The next frame, when it is time and the camera is open."""
        index = await self.shutter.beat()
        frame = self._picture.frame(time.time())
        frame.pts, frame.time_base = index * VIDEO_CLOCK // FRAME_RATE, Fraction(1, VIDEO_CLOCK)
        return frame


class ChordTrack(MediaStreamTrack):
    """The room's chord, 20 ms per frame."""

    kind = "audio"

    def __init__(self, chord: Chord, *, is_open: bool) -> None:
        super().__init__()
        self.shutter = Shutter(FRAME / SAMPLE_RATE, is_open=is_open)
        self._chord = chord

    def switch(self, on: bool) -> None:
        """Open or close."""
        self.shutter.set(on)

    async def recv(self) -> AudioFrame:
        """The next frame, when it is time and the microphone is open."""
        index = await self.shutter.beat()
        frame = self._chord.frame(index)
        frame.pts, frame.time_base = index * FRAME, Fraction(1, SAMPLE_RATE)
        return frame
