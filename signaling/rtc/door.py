"""The door of the media server: the four addresses of LiveKit's signaling, tokens, admission, and what a refusal says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from aiohttp import web

from signaling.media import Admission, Grants
from signaling.rtc.arrivals import from_query
from signaling.rtc.connection import Connection
from signaling.rtc.counters import REFUSED
from signaling.rtc.room import MediaRoom
from signaling.rtc.session import Arrival
from signaling.rtc.settings import RtcSettings
from signaling.tokens import Tokens
from wire.problems import Code, Problem, Refusal

_CORS = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
_UNAUTHORIZED = (Code.TOKEN_INVALID, Code.TOKEN_EXPIRED, Code.UNAUTHENTICATED)
_BUSY = (Code.TOO_MANY, Code.UNAVAILABLE)
_BAD = (Code.BAD_REQUEST, Code.TOO_LARGE)


class Door:
    """Checks who comes, upgrades to a WebSocket, and hands it to `serve`. `shut` refuses everyone."""

    def __init__(
        self,
        tokens: Tokens,
        admission: Admission,
        settings: RtcSettings,
        rooms: Mapping[str, MediaRoom],
        serve: Callable[[Connection, Arrival], Awaitable[None]],
        wall: Callable[[], float],
    ) -> None:
        self._wall = wall
        self.shut = False
        self._tokens = tokens
        self._admission = admission
        self._settings = settings
        self._rooms = rooms
        self._serve = serve

    def routes(self) -> list[web.RouteDef]:
        """For `Application.add_routes`: path V0 and path V1, each with its `validate`."""
        return [
            web.get("/rtc", self._handle),
            web.get("/rtc/validate", self._validate),
            web.get("/rtc/v1", self._handle),
            web.get("/rtc/v1/validate", self._validate),
        ]

    async def _validate(self, request: web.Request) -> web.Response:
        """Why a join would fail, or `success`."""
        try:
            self._arrive(request)
        except Refusal as refusal:
            return _problem(refusal.problem, "validate")
        return web.Response(text="success", headers=_CORS)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        """One client, from upgrade to close."""
        try:
            arrival = self._arrive(request)
        except Refusal as refusal:
            return _problem(refusal.problem, "join")
        socket = web.WebSocketResponse(max_msg_size=self._settings.max_sdp, compress=False, timeout=2.0)
        if not socket.can_prepare(request).ok:
            return _problem(Problem(Code.BAD_REQUEST, "this address speaks WebSocket"), "join")
        await socket.prepare(request)
        await self._serve(Connection(socket, self._settings, lambda: _abort(request)), arrival)
        return socket

    def _arrive(self, request: web.Request) -> Arrival:
        """Check token, admission, wishes and bounds, in this order. Raises Refusal."""
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        token = request.query.get("access_token") or (bearer.strip() if scheme.lower() == "bearer" else "")
        claims = self._tokens.read(token)
        if self.shut:
            raise Refusal(Code.UNAVAILABLE, "the server is stopping")
        if (problem := self._admission.admit(claims.grants)) is not None:
            refusal = Refusal(problem.code, problem.message)
            refusal.problem = problem
            raise refusal
        single = request.path.startswith("/rtc/v1")
        wishes = from_query(request.query, single=single, max_join=self._settings.max_join)
        if not wishes.resume:
            self.find_place(claims.grants)
        at = self._wall()
        return Arrival(claims.grants, at, claims.expires_at - at, claims.key, wishes)

    def find_place(self, grants: Grants) -> None:
        """Whether there is a place for one more. Its own older session gives it its place. Raises Refusal(too_many)."""
        room = self._rooms.get(grants.media)
        if room is None and len(self._rooms) >= self._settings.max_rooms:
            raise Refusal(Code.TOO_MANY, "the server has no place for another room")
        if room is None or len(room.sessions) < room.max_participants:
            return
        if sum(other.identity != grants.identity for other in room.sessions.values()) >= room.max_participants:
            raise Refusal(Code.TOO_MANY, "the room is full")


def _abort(request: web.Request) -> None:
    """Break the TCP connection, whatever waits in it."""
    if request.transport is not None:
        request.transport.abort()


def _problem(problem: Problem, request: str) -> web.Response:
    """A refusal before the upgrade. LiveKit's SDKs show the body of 401 and 403 to the developer."""
    REFUSED.labels(problem.code, request).inc()
    status = 401 if problem.code in _UNAUTHORIZED else 503 if problem.code in _BUSY else 403
    if problem.code in _BAD:
        status = 400
    body = msgspec.json.encode(problem)
    return web.Response(status=status, body=body, content_type="application/json", headers=_CORS)
