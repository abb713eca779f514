"""People who join by link: no account; the secret of the link, then the refresh secret, is what lets them in."""

from __future__ import annotations

from aiohttp import web

from signaling.api.answers import answer, read
from signaling.rooms import RoomService
from wire.meetings import JoinRequest, RefreshRequest


class GuestApi:
    """`/api/v1/invitations/{secret}` and `/api/v1/sessions`."""

    def __init__(self, rooms: RoomService) -> None:
        self._rooms = rooms

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part."""
        return [
            web.get("/api/v1/invitations/{secret}", self._look),
            web.post("/api/v1/invitations/{secret}/join", self._join),
            web.post("/api/v1/sessions/refresh", self._refresh),
            web.post("/api/v1/sessions/invite", self._invite),
            web.post("/api/v1/sessions/leave", self._leave),
        ]

    async def _look(self, request: web.Request) -> web.Response:
        return answer(await self._rooms.look(request.match_info["secret"]))

    async def _join(self, request: web.Request) -> web.Response:
        return answer(await self._rooms.join(request.match_info["secret"], await read(request, JoinRequest)))

    async def _refresh(self, request: web.Request) -> web.Response:
        return answer(await self._rooms.refresh((await read(request, RefreshRequest)).refresh))

    async def _invite(self, request: web.Request) -> web.Response:
        return answer(await self._rooms.guest_invite((await read(request, RefreshRequest)).refresh))

    async def _leave(self, request: web.Request) -> web.Response:
        await self._rooms.leave((await read(request, RefreshRequest)).refresh)
        return web.Response(status=204)
