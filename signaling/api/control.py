"""Meetings and rooms, for IT signed in on the dashboard and for operators' programs with a bearer token."""

from __future__ import annotations

import msgspec
from aiohttp import web

from signaling.api.answers import answer, read
from signaling.auth import Auth
from signaling.rooms import RoomService
from wire.meetings import StartMeeting
from wire.problems import Code, Refusal


class RoomList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rooms to add, by id."""

    rooms: list[str]


class ParticipantRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A participant to remove, by `Participant.id`."""

    participant: str


class ControlApi:
    """`/api/v1/meetings`, `/api/v1/rooms`, `/api/v1/audit`, `/api/v1/sign-in`."""

    def __init__(self, auth: Auth, rooms: RoomService, public_url: str) -> None:
        self._auth = auth
        self._rooms = rooms
        self._public_url = public_url

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part."""
        meeting = "/api/v1/meetings/{meeting}"
        return [
            web.get("/api/v1/meetings", self._meetings),
            web.post("/api/v1/meetings", self._start),
            web.post(f"{meeting}/end", self._end),
            web.post(f"{meeting}/rooms", self._add_rooms),
            web.post(f"{meeting}/remove", self._remove),
            web.post(f"{meeting}/invitations", self._invite),
            web.delete(f"{meeting}/invitations", self._revoke),
            web.get("/api/v1/rooms", self._list_rooms),
            web.get("/api/v1/rooms/{room}", self._room),
            web.post("/api/v1/sign-in", self._sign_in),
        ]

    async def _meetings(self, request: web.Request) -> web.Response:
        await self._auth.operator(request)
        return answer(self._rooms.meetings())

    async def _start(self, request: web.Request) -> web.Response:
        actor = await self._auth.operator(request)
        return answer(await self._rooms.start(actor, None, await read(request, StartMeeting)), 201)

    async def _end(self, request: web.Request) -> web.Response:
        actor = await self._auth.operator(request)
        await self._rooms.end(actor, request.match_info["meeting"])
        return web.Response(status=204)

    async def _add_rooms(self, request: web.Request) -> web.Response:
        actor = await self._auth.operator(request)
        await self._rooms.add_rooms(actor, request.match_info["meeting"], (await read(request, RoomList)).rooms)
        return web.Response(status=204)

    async def _remove(self, request: web.Request) -> web.Response:
        actor = await self._auth.operator(request)
        participant = (await read(request, ParticipantRef)).participant
        await self._rooms.remove(actor, request.match_info["meeting"], participant)
        return web.Response(status=204)

    async def _invite(self, request: web.Request) -> web.Response:
        actor = await self._auth.operator(request)
        return answer(await self._rooms.invite(actor, request.match_info["meeting"]), 201)

    async def _revoke(self, request: web.Request) -> web.Response:
        actor = await self._auth.operator(request)
        await self._rooms.revoke_invitations(actor, request.match_info["meeting"])
        return web.Response(status=204)

    async def _list_rooms(self, request: web.Request) -> web.Response:
        await self._auth.operator(request)
        return answer(self._rooms.dashboard.data.get("rooms", {}))

    async def _room(self, request: web.Request) -> web.Response:
        await self._auth.operator(request)
        room = request.match_info["room"]
        rooms = self._rooms.dashboard.data.get("rooms", {})
        if room not in rooms:
            raise Refusal(Code.ROOM_UNKNOWN, f"There is no room {room!r}", room=room)
        return answer(rooms[room])

    async def _sign_in(self, request: web.Request) -> web.Response:
        await self._auth.operator(request)
        return answer({"url": f"{self._public_url}/it/{await self._auth.new_sign_in()}"}, 201)
