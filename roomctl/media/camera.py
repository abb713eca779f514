"""The picture of the room's own camera as an aiortc track: the camera is captured only while the track is open.

When no picture comes, a card that says so is sent in its place, until the camera is back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from fractions import Fraction
from typing import Final

import av
from aiortc import MediaStreamTrack
from av import VideoFrame

from devices.rtsp.feed import VideoFeed
from roomctl.media.tracks import VIDEO_CLOCK

log = logging.getLogger(__name__)

WIDTH: Final = 1280  # pixels, at most
HEIGHT: Final = 720
FRAME_RATE: Final = 30  # pictures/s, at most
LOST: Final = 3.0  # seconds without a picture after which the card is shown
CARD_EVERY: Final = 0.5  # seconds between two cards

NewCard = Callable[[], VideoFrame]


class CameraTrack(MediaStreamTrack):
    """`live`: the camera's picture is sent; `lost`: the card in its place. Neither is so while the first is awaited.

    `on_change` is called when either changes.
    """

    kind = "video"

    def __init__(
        self,
        feed: VideoFeed,
        card: NewCard,
        on_change: Callable[[], None],
        *,
        is_open: bool,
        patience: float = LOST,
    ) -> None:
        super().__init__()
        self.live = self.lost = False
        self._feed = feed
        self._card = card
        self._on_change = on_change
        self._patience = patience
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._next = self._seen = self._began  # loop time of the next frame at the earliest, and of the last picture
        self._stamp = -1
        self._newest: VideoFrame | None = None
        self._came = asyncio.Event()
        self._open = asyncio.Event()
        self._watching: set[asyncio.Task[None]] = set()
        self.switch(is_open)

    def switch(self, on: bool) -> None:
        """Open or close: closed, nobody watches the camera, and nothing is sent."""
        if on is self._open.is_set():
            return
        for task in self._watching:
            task.cancel()
        self._newest = None
        self._tell(live=False, lost=False)
        if on:
            self._open.set()
            self._seen = self._clock()
            task = asyncio.create_task(self._watch(), name="room camera")
            self._watching.add(task)
            task.add_done_callback(self._watching.discard)
        else:
            self._open.clear()

    def stop(self) -> None:
        """For good."""
        super().stop()
        self.switch(False)

    async def recv(self) -> VideoFrame:
        """The next picture, or the card when none comes; waits for as long as the track is closed."""
        while True:
            await self._open.wait()
            await asyncio.sleep(max(0.0, self._next - self._clock()))
            frame = await self._picture()
            if frame is not None and self._open.is_set():
                return self._stamped(frame)

    async def _picture(self) -> VideoFrame | None:
        """The camera's next picture, made to fit; the card when it has been away for too long."""
        try:
            async with asyncio.timeout_at(self._card_due):
                while self._newest is None:
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            if self._clock() < self._card_due:  # opened anew meanwhile
                return None
            self._tell(live=False, lost=self._open.is_set())
            return self._card()
        picture, self._newest = self._newest, None
        try:
            fitted = await asyncio.to_thread(fit, picture)
        except (av.error.FFmpegError, ValueError) as error:
            log.debug("a picture of the camera cannot be read: %s", error)
            return None
        self._seen = self._clock()
        self._tell(live=self._open.is_set(), lost=False)
        return fitted

    @property
    def _card_due(self) -> float:
        return max(self._seen + self._patience, self._next + CARD_EVERY)

    def _stamped(self, frame: VideoFrame) -> VideoFrame:
        now = self._clock()
        self._next = now + 1 / FRAME_RATE
        self._stamp = max(self._stamp + 1, int((now - self._began) * VIDEO_CLOCK))
        frame.pts, frame.time_base = self._stamp, Fraction(1, VIDEO_CLOCK)
        return frame

    def _tell(self, *, live: bool, lost: bool) -> None:
        if (live, lost) != (self.live, self.lost):
            self.live, self.lost = live, lost
            self._on_change()

    async def _watch(self) -> None:
        async with self._feed.watch() as pictures:
            async for picture in pictures:
                self._newest = picture
                self._came.set()


def fit(picture: VideoFrame) -> VideoFrame:
    """A copy of at most WIDTH × HEIGHT of even size, as YUV 4:2:0; others may hold the picture itself (blocking)."""
    scale = min(1.0, WIDTH / picture.width, HEIGHT / picture.height)
    width, height = (max(2, int(size * scale) & ~1) for size in (picture.width, picture.height))
    fitted = picture.reformat(width=width, height=height, format="yuv420p")
    return VideoFrame.from_ndarray(fitted.to_ndarray(), format="yuv420p") if fitted is picture else fitted
