"""A conversation with an RTSP server: one question at a time, its password, no stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from devices.channel import Channel, open_tcp
from devices.context import Context
from devices.errors import DeviceError, Lost, Refused, WrongPassword
from devices.rtsp import messages
from devices.rtsp.messages import Malformed, Reader, Response


class RtspLink:
    """One connection."""

    def __init__(self, context: Context, url: str, login: tuple[str, str]) -> None:
        self._context = context
        self._url = url
        self._login = login
        self._reader = Reader()
        self._number = 0
        self._answer: asyncio.Future[Response] | None = None
        self._channel: Channel | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, context: Context, url: str, login: tuple[str, str]) -> AsyncIterator[RtspLink]:
        """Connect; `login` is name and password. Raises Lost."""
        link, parts = cls(context, url, login), urlsplit(url)
        async with open_tcp(unquote(parts.hostname or ""), parts.port or 554, link.received) as channel:
            link._channel = channel
            channel.on_lost(link._lost)
            yield link

    async def hold(self, work: Coroutine[Any, Any, None], flowing: Callable[[], bool]) -> None:
        """Hold the connection while `work` goes on; raises why either ended, but while pictures are `flowing` why these did."""
        assert self._channel is not None
        both = [asyncio.ensure_future(one) for one in (work, self._channel.until_lost())]
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if both[0] not in done and flowing():
                done, _ = await asyncio.wait(both[:1])
        finally:
            for one in both:
                one.cancel()
            await asyncio.wait(both)
        await done.pop()

    async def alive(self) -> None:
        """Any answer to OPTIONS is a sign of life (RFC 2326 §10.1)."""
        await self._ask("OPTIONS")

    async def describe(self) -> Response:
        """What the stream is; raises WrongPassword or Refused."""
        answer = await self._ask("DESCRIBE")
        if answer.status == 401 and self._login[0]:
            words = messages.authorization(answer.challenges, "DESCRIBE", self._url, *self._login)
            answer = await self._ask("DESCRIBE", words) if words else answer
        if answer.status in (401, 403):
            raise WrongPassword("the camera refuses our name or password")
        if answer.status != 200:
            raise Refused(f"the camera answers {answer.status}")
        return answer

    async def _ask(self, method: str, authorization: str = "") -> Response:
        if self._channel is None:
            raise Lost("not connected")
        self._number += 1
        self._answer = asyncio.get_running_loop().create_future()
        request = messages.request(method, self._url, self._number, authorization=authorization)
        return await self._context.patiently(lambda: self._answered(request))

    async def _answered(self, request: bytes) -> Response:
        assert self._channel is not None
        assert self._answer is not None
        self._channel.send(request)
        return await self._answer

    def received(self, data: bytes) -> None:
        """Bytes from the camera, any bytes."""
        for one in self._reader.feed(data):
            if isinstance(one, Malformed):
                self._context.garbled(one.data)
                continue
            self._context.heard(f"RTSP {one.status} {one.headers.get('server', '')}")
            if self._answer is not None and not self._answer.done() and one.number == self._number:
                self._answer.set_result(one)

    def _lost(self, error: DeviceError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
            self._answer.exception()  # nobody may wait for it
