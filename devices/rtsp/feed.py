"""Pictures of a camera for those who want them now: the camera is opened for the first and closed after the last."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from devices.context import Context
from devices.errors import Lost, WrongPassword
from devices.rtsp.capture import capture

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

log = logging.getLogger(__name__)

PATIENCE = 8.0  # seconds without a picture after which a capture that says nothing is given up
LET_GO = 3.0  # seconds in which a capture that was told to stop ends; one that a camera blocks is left behind

Said = TypeVar("Said")
Take = Callable[[str, threading.Event, Callable[["VideoFrame"], None]], None]


class Viewer:
    """An endless iterator over pictures, each the newest when asked for; those not asked for in time are dropped.

    It goes on through failures of the camera, which reconnects as any device does.
    """

    def __init__(self) -> None:
        self._newest: VideoFrame | None = None
        self._came = asyncio.Event()

    def offer(self, frame: VideoFrame) -> None:
        """A picture came."""
        self._newest = frame
        self._came.set()

    def __aiter__(self) -> Viewer:
        return self

    async def __anext__(self) -> VideoFrame:
        while self._newest is None:
            self._came.clear()
            await self._came.wait()
        frame, self._newest = self._newest, None
        return frame


class VideoFeed:
    """The driver calls `serve`, whoever wants pictures `watch`. `take` captures them, on a thread of its own.

    A `take` that a camera blocks for ever (the kernel waits for a picture) costs that one thread until the camera goes on
    or is unplugged, and nothing else: the device stays usable, and is not captured again before.
    """

    def __init__(self, take: Take = capture, *, patience: float = PATIENCE, let_go: float = LET_GO) -> None:
        self._take = take
        self._patience = patience
        self._let_go = let_go
        self._blocked: asyncio.Future[BaseException | None] | None = None
        self._context: Context | None = None  # of the connection that is told
        self._capturing: asyncio.Task[None] | None = None
        self._keeps = False  # pictures that flow, though the connection ends
        self.flowing = False  # pictures come
        self._viewers: set[Viewer] = set()
        self._changed: asyncio.Event = asyncio.Event()

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[Viewer]:
        """Pictures for as long as the context lasts; nobody watching closes the camera."""
        viewer = Viewer()
        self._viewers.add(viewer)
        self._changed.set()
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
            self._changed.set()

    async def serve(self, context: Context, url: str) -> None:
        """Capture while somebody watches, report `streaming`; raises why the pictures ended. Cancel to close."""
        while True:
            self._changed.clear()
            context.report("streaming", False)
            if not self._viewers:
                await self._changed.wait()
            else:
                await self._captured(context, url)

    async def keep(self) -> None:
        """While this runs, pictures that flow when their connection ends go on: their session is its own proof of life.

        The next connection goes on with them. Cancel to close.
        """
        self._keeps = True
        try:
            await asyncio.Event().wait()
        finally:
            self._keeps = False
            await self._close()

    async def _captured(self, context: Context, url: str) -> None:
        """Until the pictures end, raising why; those that came to flow before go on."""
        self._context = context
        if self._capturing is None:
            self._capturing = asyncio.create_task(self._capture(url), name="capture for all")
            self._capturing.add_done_callback(self._ended)
        context.report("streaming", self.flowing)
        try:
            await asyncio.shield(self._capturing)
        except asyncio.CancelledError:
            if not (self._keeps and self.flowing):
                await self._close()
            raise

    def _ended(self, capturing: asyncio.Task[None]) -> None:
        self._capturing = None
        if not capturing.cancelled():
            capturing.exception()  # nobody may wait for it

    async def _close(self) -> None:
        if (capturing := self._capturing) is not None:
            capturing.cancel()
            await asyncio.wait({capturing})

    def _shows(self, flowing: bool) -> None:
        self.flowing = flowing
        assert self._context is not None
        self._context.report("streaming", flowing)
        if flowing:
            self._context.trouble(None)

    async def serve_beside(self, context: Context, url: str, polled: asyncio.Event) -> None:
        """As `serve`, for a camera that can be driven while it shows nothing: that is its `trouble` until it does again.

        It is tried again when `polled` is set, and seldom after a refused password.
        """
        while True:
            try:
                await self.serve(context, url)
            except (Lost, WrongPassword) as error:
                context.trouble(error.notice)
                if isinstance(error, WrongPassword):
                    await asyncio.sleep(context.timing.backoff_away)
                polled.clear()
                await polled.wait()
                if not self._viewers:
                    context.trouble(None)  # nobody knows any more

    async def _capture(self, url: str) -> None:
        """Until nobody watches; the session is closed when this returns."""
        if self._blocked is not None and not self._blocked.done():
            raise _no_picture("the camera still blocks the capture before")
        loop = asyncio.get_running_loop()
        stop, ended = threading.Event(), loop.create_future()
        seen = loop.time()

        def show(frame: VideoFrame) -> None:
            nonlocal seen
            seen = loop.time()
            if not self.flowing and not stop.is_set():
                self._shows(True)
            for viewer in self._viewers:
                viewer.offer(frame)

        def end(error: BaseException | None) -> None:
            if not ended.done():
                ended.set_result(error)

        def work() -> None:
            error: BaseException | None = None
            try:
                self._take(url, stop, lambda frame: _tell(loop, show, frame))
            except BaseException as caught:
                error = caught
            _tell(loop, end, error)

        threading.Thread(target=work, name="capture", daemon=True).start()
        try:
            while self._viewers and not ended.done():
                if (left := seen + self._patience - loop.time()) <= 0:
                    raise _no_picture("no picture comes")
                self._changed.clear()
                changed = asyncio.ensure_future(self._changed.wait())
                try:
                    await asyncio.wait({changed, ended}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    changed.cancel()
        finally:
            stop.set()
            if not (await asyncio.wait({ended}, timeout=self._let_go))[0]:
                log.warning("a capture is blocked by its camera and left behind")
                self._blocked = ended
            self._shows(False)
        error = ended.result() if ended.done() else _no_picture("the camera blocks its capture")
        if error is not None and self._viewers:
            raise error if isinstance(error, Exception) else Lost("the capture ended")


def _no_picture(why: str) -> Lost:
    return Lost(why, code="device.no_picture")


def _tell(loop: asyncio.AbstractEventLoop, call: Callable[[Said], None], argument: Said) -> None:
    """From the thread to the loop, which may be closed already."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call, argument)
