"""A session's WebSocket: one reader, one writer, a bounded outbox."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from aiohttp import WSCloseCode, WSMsgType, web

from signaling.rtc.settings import RtcSettings

Frame = bytes | str


class Connection:
    """Owns one upgraded WebSocket. `text` says whether the client speaks JSON; `abort` breaks its TCP connection."""

    def __init__(self, socket: web.WebSocketResponse, settings: RtcSettings, abort: Callable[[], None]) -> None:
        self.text = False
        self._abort = abort
        self._deadline: asyncio.TimerHandle | None = None
        self._socket = socket
        self._settings = settings
        self._outbox: deque[Frame] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._goodbye: tuple[int, str] | None = None
        self.oversized = False  # the client sent a frame over the bound

    def push(self, frame: Frame) -> bool:
        """Queue a frame; False where the client reads too slowly and must be cut off."""
        self._outbox.append(frame)
        self._bytes += len(frame)
        self._wake.set()
        return len(self._outbox) <= self._settings.outbox and self._bytes <= self._settings.outbox_bytes

    def finish(self, code: int, text: str) -> None:
        """Close once the queue is out; who does not read it in time is cut off. A close frame holds 123 bytes of `text`."""
        if self._goodbye is None:
            self._goodbye = (code, text)
        self._hurry()
        self._wake.set()

    def _hurry(self) -> None:
        """From now on the client has so long to read what is left; else a writer would wait for it for ever."""
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().call_later(self._settings.parting, self._abort)

    def cut(self) -> None:
        """Drop what is queued and close."""
        self._outbox.clear()
        self._bytes = 0
        self.finish(WSCloseCode.TRY_AGAIN_LATER, "too_slow: messages were not read in time")

    async def run(self, on_frame: Callable[[Frame], None]) -> None:
        """Read and write until either side is done. Never raises for a broken connection."""
        writer = asyncio.create_task(self._write(), name="rtc-writer")
        reader = asyncio.create_task(self._read(on_frame), name="rtc-reader")
        try:
            await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reader, writer):
                task.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)
            code, text = self._goodbye or (WSCloseCode.OK, "")
            self._hurry()
            try:
                await self._socket.close(code=code, message=text.encode()[:123])
            except ConnectionError:
                pass  # it was cut off
            finally:
                if self._deadline is not None:
                    self._deadline.cancel()

    async def _read(self, on_frame: Callable[[Frame], None]) -> None:
        async for message in self._socket:
            if message.type is WSMsgType.BINARY:
                on_frame(message.data)
            elif message.type is WSMsgType.TEXT:
                self.text = True
                on_frame(message.data)
            else:
                break
        self.oversized = self._socket.close_code == WSCloseCode.MESSAGE_TOO_BIG

    async def _write(self) -> None:
        while True:
            while self._outbox:
                frame = self._outbox.popleft()
                self._bytes -= len(frame)
                try:
                    await (self._socket.send_str(frame) if isinstance(frame, str) else self._socket.send_bytes(frame))
                except (ConnectionError, RuntimeError):
                    return
            if self._goodbye is not None:
                return
            self._wake.clear()
            await self._wake.wait()
