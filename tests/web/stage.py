"""A stage for pages without their server: renders them and plays canned documents through the real WebSocket format.

Tests and `python -m tests.web.stage PORT` use it; nothing of it ships. Documents come from `tests/web/scenes.py`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from web import Pages, content_security_policy, preferred_language
from wire.topic import Topic
from wire.views import ActionResult

Handle = Callable[[dict[str, Any]], ActionResult | None]


class Stage:
    """Pages at chosen addresses, and topics at WebSocket addresses."""

    def __init__(self) -> None:
        self.app = web.Application()
        dist = os.environ.get("WEB_DIST")
        self._pages = Pages(Path(dist)) if dist else Pages()
        self.app.router.add_static("/static/", self._pages.static_dir)

    def page(self, path: str, page: str, data: Mapping[str, Any] | None = None, title: str | None = None) -> None:
        """Serve `page` at `path`."""

        async def handler(request: web.Request) -> web.Response:
            language = preferred_language(request.cookies.get("language"), request.headers.get("Accept-Language"))
            return web.Response(
                text=self._pages.render(page, language=language, data=data, title=title),
                content_type="text/html",
                headers={
                    "Cache-Control": "no-store",
                    "Content-Security-Policy": content_security_policy("ws:", "wss:", "http:", "https:"),
                },
            )

        self.app.router.add_get(path, handler)

    def topic(self, path: str, topic: Topic, handle: Handle | None = None) -> None:
        """Play `topic` at the WebSocket `path`; `handle` answers actions (resync is answered here)."""

        async def handler(request: web.Request) -> web.WebSocketResponse:
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            with topic.subscribe() as reader:
                sender = asyncio.create_task(_send(socket, reader))
                try:
                    async for message in socket:
                        if message.type is not WSMsgType.TEXT:
                            continue
                        action = msgspec.json.decode(message.data)
                        if action.get("op") == "resync":
                            reader.resync()
                            continue
                        result = handle(action) if handle else None
                        await socket.send_str(msgspec.json.encode(result or ActionResult(action["id"])).decode())
                finally:
                    sender.cancel()
                    await asyncio.gather(sender, return_exceptions=True)
            return socket

        self.app.router.add_get(path, handler)

    def json(self, method: str, path: str, answer: Callable[[web.Request], object], status: int = 200) -> None:
        """Answer an API call with a struct."""

        async def handler(request: web.Request) -> web.Response:
            return web.Response(
                body=msgspec.json.encode(answer(request)), content_type="application/json", status=status
            )

        self.app.router.add_route(method, path, handler)


async def _send(socket: web.WebSocketResponse, reader: Any) -> None:
    async for change in reader:
        await socket.send_str(msgspec.json.encode(change).decode())


def main() -> None:
    """Serve every scene on the port given, until interrupted."""
    from tests.web import scenes

    stage = Stage()
    scenes.furnish(stage)
    web.run_app(stage.app, host="127.0.0.1", port=int(sys.argv[1]))


if __name__ == "__main__":
    main()
