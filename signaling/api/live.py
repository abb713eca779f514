"""Live documents over a WebSocket: `/api/v1/live?topic=dashboard`, for IT only."""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import WSMsgType, web

from signaling.auth import Auth
from wire.problems import Code, Refusal
from wire.topic import Subscription, Topic

MAX_READERS = 200  # of one topic
MAX_FRAME = 1024  # bytes a page may send


class LiveApi:
    """Streams topics to pages; anything a page sends asks for a fresh snapshot."""

    def __init__(self, auth: Auth, topics: dict[str, Topic]) -> None:
        self._auth = auth
        self._topics = topics

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part."""
        return [web.get("/api/v1/live", self._live)]

    async def _live(self, request: web.Request) -> web.StreamResponse:
        await self._auth.operator(request)
        topic = self._topics.get(request.query.get("topic", ""))
        if topic is None:
            raise Refusal(Code.NOT_FOUND, f"topic must be one of {', '.join(sorted(self._topics))}")
        if topic.readers >= MAX_READERS:
            raise Refusal(Code.TOO_MANY, "Too many pages are open; close some")
        socket = web.WebSocketResponse(heartbeat=20, max_msg_size=MAX_FRAME)
        await socket.prepare(request)
        with topic.subscribe() as changes:
            sender = asyncio.create_task(_send(socket, changes))
            try:
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        changes.resync()
            finally:
                sender.cancel()
                await asyncio.gather(sender, return_exceptions=True)
        return socket


async def _send(socket: web.WebSocketResponse, changes: Subscription) -> None:
    async for change in changes:
        await socket.send_str(msgspec.json.encode(change).decode())
