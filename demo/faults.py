"""The faults page of the demo: what can be broken, what is broken now, breaking and mending it, and what hands do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp import web

from demo.acts import shown_by
from demo.emulated import Emulated
from demo.files import EmulatedRoom
from signaling.config import is_loopback, split_host
from web import LANGUAGE_COOKIE, Pages, content_security_policy, preferred_language
from wire.problems import Code, Problem, Refusal

AGENT = "agent"  # stands for the room's agent where a device id is expected
GONE = "gone"  # its only fault
EVERYWHERE = "all"  # stands for a room: what all rooms rest on
PATIENCE = 1.0  # seconds for what a room says of its devices


Rooms = Mapping[str, tuple[EmulatedRoom, Mapping[str, Emulated]]]


class FaultRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /faults`."""

    room: str
    device: str
    fault: str
    on: bool


class ActRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /faults/acts`."""

    room: str
    device: str
    act: str


Request = TypeVar("Request", FaultRequest, ActRequest)


class FaultsPage:
    """`/faults`, `/faults/state`, `/faults/acts`. `everywhere`: servers that all rooms rest on, by id."""

    def __init__(self, rooms: Rooms, everywhere: Mapping[str, Emulated], agents: str, dashboard: str) -> None:
        self._rooms = rooms
        self._everywhere = everywhere
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
            web.post("/faults/acts", self._act),
            web.static("/static", self._pages.static_dir),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        language = preferred_language(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("Accept-Language"))
        data = {"dashboard": self._dashboard, "agents": self._agents}
        html = self._pages.render("faults", language=language, data=data)
        headers = {"Content-Security-Policy": content_security_policy(), "Cache-Control": "no-store"}
        return web.Response(text=html, content_type="text/html", headers=headers)

    async def _state(self, request: web.Request) -> web.Response:
        rooms = {id: self._describe(id) for id in (*self._rooms, EVERYWHERE)}
        broken = [id for id, (_, devices) in self._rooms.items() if any(one.emulator.faults for one in _there(devices))]
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE)) as session:
            told = await asyncio.gather(*(self._told(session, id) for id in broken))
        said = dict(zip(broken, told, strict=True))
        return web.json_response({"rooms": rooms, "said": said}, headers={"Cache-Control": "no-store"})

    async def _told(self, session: aiohttp.ClientSession, room: str) -> object:
        """What a room's agent says of its devices; nothing while it does not answer."""
        try:
            async with session.get(f"{self._agents}/demo/agents/{room}") as answer:
                return await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return {}

    async def _switch(self, request: web.Request) -> web.Response:
        return await self._answered(request, FaultRequest, self._set)

    async def _act(self, request: web.Request) -> web.Response:
        return await self._answered(request, ActRequest, self._do)

    async def _answered(
        self, request: web.Request, kind: type[Request], carry_out: Callable[[Request], Awaitable[None]]
    ) -> web.Response:
        try:
            origin = request.headers.get("Origin")
            if not is_loopback(split_host(request.host)):
                raise Refusal(Code.BAD_ORIGIN, "Faults are switched on this machine only")
            if origin is not None and urlsplit(origin).netloc != request.host:
                raise Refusal(Code.BAD_ORIGIN, "Faults are switched from their own page only")
            try:
                wanted = msgspec.json.decode(await request.read(), type=kind)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise Refusal(Code.BAD_REQUEST, str(error)) from None
            await carry_out(wanted)
        except Refusal as refusal:
            return _refused(refusal.problem)
        return web.json_response(self._describe(wanted.room))

    async def _set(self, wanted: FaultRequest) -> None:
        if wanted.device == AGENT and wanted.fault == GONE and wanted.room in self._rooms:
            await self._take_agent(wanted.room, away=wanted.on)
            return
        emulator = self._device(wanted.room, wanted.device).emulator
        if wanted.fault not in emulator.available_faults:
            faults = ", ".join(emulator.available_faults)
            raise Refusal(Code.BAD_REQUEST, f"{wanted.device} knows these faults: {faults}")
        emulator.fault(wanted.fault, wanted.on)

    async def _do(self, wanted: ActRequest) -> None:
        acts = self._device(wanted.room, wanted.device).acts
        if wanted.act not in acts:
            raise Refusal(Code.BAD_REQUEST, f"with {wanted.device} one can: {', '.join(acts) or 'do nothing'}")
        doing = acts[wanted.act]()
        if doing is not None:
            await doing

    def _devices(self, room: str) -> Mapping[str, Emulated]:
        if room == EVERYWHERE:
            return self._everywhere
        if room not in self._rooms:
            raise Refusal(Code.ROOM_UNKNOWN, f"There is no room {room!r}", room=room)
        return self._rooms[room][1]

    def _device(self, room: str, device: str) -> Emulated:
        one = self._devices(room).get(device)
        if one is None:
            raise Refusal(Code.DEVICE_UNKNOWN, f"{room} has no device {device!r}")
        if one.missing:
            raise Refusal(Code.UNAVAILABLE, f"{device} is not emulated on this machine: it has no {one.missing}")
        return one

    async def _take_agent(self, room: str, *, away: bool) -> None:
        url = f"{self._agents}/demo/agents/{room}"
        try:
            async with aiohttp.ClientSession() as session, session.post(url, json={"present": not away}) as answer:
                answer.raise_for_status()
        except aiohttp.ClientError as error:
            raise Refusal(Code.UNAVAILABLE, f"The rooms' process does not answer: {error}") from error
        (self._away.add if away else self._away.discard)(room)

    def _describe(self, id: str) -> dict[str, object]:
        devices = {name: _described(device) for name, device in self._devices(id).items()}
        if id == EVERYWHERE:
            return {"name": "", "center": "", "agent": True, "devices": devices}
        room = self._rooms[id][0]
        return {"name": room.name, "center": room.center, "agent": id not in self._away, "devices": devices}


def _there(devices: Mapping[str, Emulated]) -> list[Emulated]:
    """Those that this machine emulates."""
    return [one for one in devices.values() if not one.missing]


def _described(device: Emulated) -> dict[str, object]:
    """`shows`: what one would see before the device; `missing`: the package without which it is not emulated."""
    there = not device.missing
    return {
        "name": device.name,
        "role": device.role,
        "faults": sorted(device.emulator.faults),
        "available": list(device.emulator.available_faults) if there else [],
        "acts": list(device.acts) if there else [],
        "shows": shown_by(device.emulator) if there else {},
        "missing": device.missing,
    }


def _refused(problem: Problem) -> web.Response:
    body = msgspec.json.encode(problem)
    return web.Response(body=body, status=400, content_type="application/json")
