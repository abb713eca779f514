"""How media does, for operators: statistics of a media room by the W3C's names, and the flight recorder of a connection."""

from __future__ import annotations

import re
import time

from aiohttp import web

from relay import Relay
from relay.webrtc_stats import webrtc_stats
from signaling.api.answers import answer
from signaling.auth import Auth
from wire.problems import Code, Refusal

MAX_NAME = 256  # characters of a transport's id


class MediaApi:
    """`GET /api/v1/media/stats[?room=]` and `GET /api/v1/media/flight?transport=`."""

    def __init__(self, auth: Auth, relay: Relay) -> None:
        self._auth = auth
        self._relay = relay

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part."""
        return [web.get("/api/v1/media/stats", self._stats), web.get("/api/v1/media/flight", self._flight)]

    async def _stats(self, request: web.Request) -> web.Response:
        await self._auth.operator(request)
        stats = await self._relay.stats(request.query.get("room"))
        return answer(webrtc_stats(stats, time.time()))

    async def _flight(self, request: web.Request) -> web.Response:
        await self._auth.operator(request)
        transport = request.query.get("transport", "")
        if not transport or len(transport) > MAX_NAME:
            raise Refusal(
                Code.BAD_REQUEST, "name the transport: ?transport=, without `T:`, as /api/v1/media/stats lists it"
            )
        try:
            capture = await self._relay.flight(transport)
        except KeyError:
            raise Refusal(Code.NOT_FOUND, "there is no such transport now") from None
        name = re.sub(r"[^A-Za-z0-9_.-]", "-", transport)
        headers = {"Content-Disposition": f'attachment; filename="{name}.pcapng"', "Cache-Control": "no-store"}
        return web.Response(body=capture, content_type="application/x-pcapng", headers=headers)
