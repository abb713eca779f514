"""A small world for tests of rooms: a network of two centers, a clock, doubles of media and tokens, an agent client."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.asyncio.client import ClientConnection, connect

from signaling.media import Grants, Leave, MediaChanged, MediaParticipant
from signaling.rooms import RoomService, RoomSettings
from signaling.rooms.desk import AgentDesk
from signaling.rooms.handshake import signed_text
from signaling.store import CredentialRecord, Store, sqlite_url
from wire.devices import Connection, Device, Role
from wire.link import Command, FromServer, Hello, Phase, Refused, Reply, Report, Request, Result
from wire.places import Center, Network, Room
from wire.problems import Problem

NETWORK = Network(
    centers=[
        Center("lln", "Louvain-la-Neuve", 50.668, 4.614, contact="Accueil de Louvain-la-Neuve"),
        Center("sai", "Saintes", 50.704, 4.166, contact="Accueil de Saintes"),
    ],
    rooms=[
        Room("lln-lauzelle", "Lauzelle", "lln", 12, "board"),
        Room("lln-hocaille", "Hocaille", "lln", 8),
        Room("lln-blocry", "Blocry", "lln", 6),
        Room("sai-senne", "Senne", "sai", 12, "board"),
        Room("sai-hain", "Hain", "sai", 6),
        Room("sai-mussain", "Mussain", "sai", 4, "huddle"),
    ],
)
LAUZELLE, HOCAILLE, SENNE, HAIN, MUSSAIN = "lln-lauzelle", "lln-hocaille", "sai-senne", "sai-hain", "sai-mussain"
SETTINGS = RoomSettings(public_url="https://meet.example", media_url="wss://meet.example")


class Clock:
    """Time that only tests move; Unix seconds."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class FakeTokens:
    """Tokens that say what they allow."""

    def mint(self, grants: Grants, ttl_seconds: int) -> str:
        return json.dumps({"identity": grants.identity, "media": grants.media, "hidden": grants.hidden})


class FakeMedia:
    """Sessions that tests open and close."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, MediaParticipant]] = {}
        self.ended: list[str] = []
        self._listeners: list[Callable[[MediaChanged], None]] = []

    def join(self, media: str, grants: Grants, **state: bool) -> None:
        self.sessions.setdefault(media, {})[grants.identity] = MediaParticipant(grants, 1.0, **state)
        self._tell(media)

    def participants(self, media: str) -> list[MediaParticipant]:
        return list(self.sessions.get(media, {}).values())

    def remove(self, media: str, identity: str, reason: Leave) -> None:
        if self.sessions.get(media, {}).pop(identity, None) is not None:
            self._tell(media, (identity, reason))

    def end(self, media: str, reason: Leave = Leave.ENDED) -> None:
        self.ended.append(media)
        self.sessions.pop(media, None)
        self._tell(media)

    def listen(self, listener: Callable[[MediaChanged], None]) -> None:
        self._listeners.append(listener)

    def _tell(self, media: str, *left: tuple[str, Leave]) -> None:
        for listener in self._listeners:
            listener(MediaChanged(media, left))


class HeldLink:
    """A link without a socket: keeps what the server offers. An `AgentLink`."""

    def __init__(self, room: str, boot: str = "boot-1") -> None:
        self.room = room
        self.boot = boot
        self.offered: list[FromServer] = []
        self.closed: Problem | None = None

    def offer(self, message: FromServer) -> bool:
        self.offered.append(message)
        return True

    def close(self, problem: Problem) -> None:
        self.closed = problem

    def commands(self, op: str | None = None) -> list[Command]:
        return [message for message in self.offered if isinstance(message, Command) and op in (None, message.op)]

    def replies(self) -> list[Reply]:
        return [message for message in self.offered if isinstance(message, Reply)]


def camera(connection: Connection = Connection.ONLINE, **more: Any) -> Device:
    return Device("camera", Role.MAIN_CAMERA, "visca", "Caméra", connection, **more)


def display(connection: Connection = Connection.ONLINE, **more: Any) -> Device:
    return Device("display", Role.FRONT_DISPLAY, "pjlink", "Écran", connection, **more)


def devices(*all: Device) -> dict[str, Device]:
    return {device.id: device for device in (all or (camera(), display()))}


@dataclass
class World:
    """A service with its doubles; every room connected and idle once `connect` was called."""

    service: RoomService
    store: Store
    media: FakeMedia
    clock: Clock
    links: dict[str, HeldLink] = field(default_factory=dict)

    async def connect(self, room: str, boot: str = "boot-1", report: Report | None = None) -> HeldLink:
        link = HeldLink(room, boot)
        hello = Hello(room, "", "", (1, 1), "test", boot)
        self.desk.connected(link, hello)
        self.links[room] = link
        await self.report(room, report or Report(phase=Phase.IDLE, devices=devices()))
        return link

    @property
    def desk(self) -> AgentDesk:
        return self.service._desk

    async def report(self, room: str, report: Report) -> None:
        await self.desk.hear(self.links[room], report)

    async def phase(self, room: str, phase: Phase, meeting: str | None = None) -> None:
        await self.report(room, Report(phase=phase, meeting=meeting))

    async def ask(self, room: str, op: Any, **args: Any) -> Reply:
        """A request of a room's agent; raises the Refusal that the link would answer with."""
        link = self.links[room]
        await self.desk.hear(link, Request(len(link.replies()) + 1, op, args))
        return link.replies()[-1]

    async def disconnect(self, room: str) -> None:
        self.desk.gone(self.links.pop(room))
        await self.service.turn()

    async def enter(self, room: str, meeting: str) -> None:
        """A room that was told to prepare joins media and says so."""
        media = self.media_of(meeting)
        self.media.join(media, Grants(f"room:{room}", media, attributes={"room": room}), camera=True, mic=True)
        await self.phase(room, Phase.IN_MEETING, meeting)
        await self.service.turn()

    def media_of(self, meeting: str) -> str:
        return next(view.media for view in self.service.meetings() if view.id == meeting)

    async def wait(self, seconds: float) -> None:
        """Virtual time passes, and the service sees it."""
        self.clock.now += seconds
        await self.service.turn()

    def call(self, room: str) -> str | None:
        """Where a room stands in the one running meeting."""
        return next((view.rooms[room].call.value for view in self.service.meetings() if room in view.rooms), None)

    def availability(self, room: str) -> str:
        value: str = self.service.directory.data["rooms"][room].get("availability", "unknown")
        return value


@asynccontextmanager
async def world(folder: Path, settings: RoomSettings = SETTINGS, clock: Clock | None = None) -> AsyncIterator[World]:
    """A world on a real SQLite store in `folder`; opening it again is a restart of the server."""
    clock = clock or Clock()
    store = await Store.open(sqlite_url(folder / "rooms.sqlite"))
    await store.put_network(NETWORK)
    media = FakeMedia()
    service = RoomService(store, FakeTokens(), media, NETWORK, settings, clock)
    await service.restore()
    try:
        yield World(service, store, media, clock)
    finally:
        await service.close()
        await store.close()


class Agent:
    """A room's agent as a real WebSocket client."""

    def __init__(self, room: str, key: Ed25519PrivateKey | None = None, boot: str = "boot-1") -> None:
        self.room = room
        self.key = key or Ed25519PrivateKey.generate()
        self.boot = boot

    @property
    def public(self) -> str:
        return base64.b64encode(self.key.public_key().public_bytes_raw()).decode()

    async def enrol(self, store: Store, revoked_at: float | None = None) -> None:
        await store.put_credential(CredentialRecord(self.room, self.public, 1.0, revoked_at))

    def hello(self, nonce: str, **changes: Any) -> Hello:
        signature = base64.b64encode(self.key.sign(signed_text(self.room, nonce))).decode()
        hello = Hello(self.room, self.public, signature, (1, 1), "test 1.0", self.boot)
        return msgspec.structs.replace(hello, **changes)


class Wire:
    """One connection of an agent: JSON in, messages out."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, message: object) -> None:
        await self.socket.send(msgspec.json.encode(message).decode())

    async def receive(self) -> FromServer:
        message: FromServer = msgspec.json.decode(await self.socket.recv(), type=FromServer)
        return message

    async def until(self, kind: type[Any], where: Callable[[Any], bool] = lambda message: True) -> Any:
        """The next message of a kind; others on the way are dropped."""
        while True:
            message = await self.receive()
            if isinstance(message, kind) and where(message):
                return message

    async def ended(self) -> Problem | None:
        """The server's last words; waits for the close."""
        problem = None
        async for frame in self.socket:
            message = msgspec.json.decode(frame, type=FromServer)
            problem = message.problem if isinstance(message, Refused) else problem
        return problem


@asynccontextmanager
async def serving(service: RoomService) -> AsyncIterator[str]:
    """The service's `/link` on a real socket; gives its URL."""
    app = web.Application()
    app.router.add_get("/link", service.handle_link)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"ws://127.0.0.1:{port}/link"
    finally:
        await service.close()
        await runner.cleanup()


@asynccontextmanager
async def dialled(url: str) -> AsyncIterator[Wire]:
    """A connection that has said nothing yet."""
    async with connect(url, max_size=1 << 20, compression=None) as socket:
        yield Wire(socket)


@asynccontextmanager
async def linked(url: str, agent: Agent) -> AsyncIterator[Wire]:
    """A proven link, welcome already taken."""
    async with dialled(url) as wire:
        challenge: Any = await wire.receive()
        await wire.send(agent.hello(challenge.nonce))
        welcome: Any = await wire.receive()
        assert type(welcome).__name__ == "Welcome", welcome
        yield wire


def done(command: Command) -> Result:
    return Result(command.id, "done")
