"""The faults page of the demo: what can be broken, what is broken now, breaking and mending it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp import web

from demo.files import EmulatedRoom
from signaling.config import is_loopback, split_host
from web import LANGUAGE_COOKIE, Pages, content_security_policy, preferred_language
from wire.problems import Code, Problem, Refusal

AGENT = "agent"  # stands for the room's agent where a device id is expected
GONE = "gone"  # its only fault


class Breakable(Protocol):
    """An emulated device whose faults can be switched."""

    @property
    def available_faults(self) -> tuple[str, ...]:
        """What can be done to it."""

    @property
    def faults(self) -> set[str]:
        """What is being done to it now."""

    def fault(self, name: str, on: bool = True) -> Awaitable[None] | None:
        """Switch a fault. Raises KeyError for one it does not know."""


@dataclass(frozen=True)
class Breakables:
    """A room's emulated devices, with the name and role each has in the room."""

    room: EmulatedRoom
    devices: Mapping[str, tuple[str, str, Breakable]]  # id -> name, role, emulator


class FaultRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /faults`."""

    room: str
    device: str
    fault: str
    on: bool


class FaultsPage:
    """`/faults`, `/faults/state`."""

    def __init__(self, rooms: Mapping[str, Breakables], agents: str, dashboard: str) -> None:
        self._rooms = rooms
        self._agents = agents
        self._dashboard = dashboard
        self._away: set[str] = set()
        self._pages = Pages()

    def routes(self) -> list[web.AbstractRouteDef]:
        """The routes of this page."""
        return [
            web.get("/faults", self._page),
            web.get("/faults/state", self._state),
            web.post("/faults", self._switch),
            web.static("/static", self._pages.static_dir),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        language = preferred_language(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("Accept-Language"))
        data = {"dashboard": self._dashboard, "agents": self._agents}
        html = self._pages.render("faults", language=language, data=data)
        headers = {"Content-Security-Policy": content_security_policy(), "Cache-Control": "no-store"}
        return web.Response(text=html, content_type="text/html", headers=headers)

    async def _state(self, request: web.Request) -> web.Response:
        rooms = {id: self._describe(room) for id, room in self._rooms.items()}
        return web.json_response({"rooms": rooms}, headers={"Cache-Control": "no-store"})

    async def _switch(self, request: web.Request) -> web.Response:
        try:
            origin = request.headers.get("Origin")
            if not is_loopback(split_host(request.host)):
                raise Refusal(Code.BAD_ORIGIN, "Faults are switched on this machine only")
            if origin is not None and urlsplit(origin).netloc != request.host:
                raise Refusal(Code.BAD_ORIGIN, "Faults are switched from their own page only")
            try:
                wanted = msgspec.json.decode(await request.read(), type=FaultRequest)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise Refusal(Code.BAD_REQUEST, str(error)) from None
            await self._set(wanted)
        except Refusal as refusal:
            return _refused(refusal.problem)
        return web.json_response(self._describe(self._rooms[wanted.room]))

    async def _set(self, wanted: FaultRequest) -> None:
        room = self._rooms.get(wanted.room)
        if room is None:
            raise Refusal(Code.ROOM_UNKNOWN, f"There is no room {wanted.room!r}", room=wanted.room)
        if wanted.device == AGENT and wanted.fault == GONE:
            await self._take_agent(wanted.room, away=wanted.on)
            return
        if wanted.device not in room.devices:
            raise Refusal(Code.DEVICE_UNKNOWN, f"{wanted.room} has no device {wanted.device!r}")
        emulator = room.devices[wanted.device][2]
        if wanted.fault not in emulator.available_faults:
            faults = ", ".join(emulator.available_faults)
            raise Refusal(Code.BAD_REQUEST, f"{wanted.device} knows these faults: {faults}")
        switching = emulator.fault(wanted.fault, wanted.on)
        if switching is not None:
            await switching

    async def _take_agent(self, room: str, *, away: bool) -> None:
        url = f"{self._agents}/demo/agents/{room}"
        try:
            async with aiohttp.ClientSession() as session, session.post(url, json={"present": not away}) as answer:
                answer.raise_for_status()
        except aiohttp.ClientError as error:
            raise Refusal(Code.UNAVAILABLE, f"The rooms' process does not answer: {error}") from error
        (self._away.add if away else self._away.discard)(room)

    def _describe(self, room: Breakables) -> dict[str, object]:
        devices = {
            id: {
                "name": name,
                "role": role,
                "faults": sorted(emulator.faults),
                "available": list(emulator.available_faults),
            }
            for id, (name, role, emulator) in room.devices.items()
        }
        present = room.room.id not in self._away
        return {"name": room.room.name, "center": room.room.center, "agent": present, "devices": devices}


def _refused(problem: Problem) -> web.Response:
    body = msgspec.json.encode(problem)
    return web.Response(body=body, status=400, content_type="application/json")
