"""Puts the server together: store, relay, media sessions, rooms, API and pages in one aiohttp application."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from relay import Relay
from relay.metrics import exposition
from signaling.api.answers import MAX_BODY, answer, problems
from signaling.api.control import ControlApi
from signaling.api.guests import GuestApi
from signaling.api.live import LiveApi
from signaling.api.media import MediaApi
from signaling.auth import Auth
from signaling.config import Config, own_secret, read_network
from signaling.media import Grants
from signaling.pages import ServerPages
from signaling.rooms import RoomService, RoomSettings
from signaling.rtc import RtcServer, RtcSettings, TurnServers
from signaling.server_api import ServerApi, Webhooks
from signaling.store import AuditRecord, CredentialRecord, Store, sqlite_url
from signaling.tokens import Tokens
from web import Pages
from wire.places import Network, Room
from wire.problems import Problem

OWN_KEY = "roomctl"  # the API key of tokens that we mint ourselves


class _Admission:
    """Hands media's question on to the rooms, which are made after media."""

    rooms: RoomService

    def admit(self, grants: Grants) -> Problem | None:
        return self.rooms.admit(grants)


class Server:
    """A running server: `async with Server.open(config) as server` and serve `server.app`."""

    def __init__(
        self, config: Config, store: Store, relay: Relay, media: RtcServer, rooms: RoomService, server_api: ServerApi
    ) -> None:
        self._store = store
        self._relay = relay
        self.auth = Auth(store, config.api.tokens, secure=config.public_url.startswith("https:"))
        pages = ServerPages(self.auth, Pages(), config.demo.links if config.demo else None)
        self.app = web.Application(middlewares=[pages.problems, problems], client_max_size=MAX_BODY)
        for part in (
            media,
            ControlApi(self.auth, rooms, config.public_url),
            GuestApi(rooms),
            LiveApi(self.auth, {"dashboard": rooms.dashboard}),
            MediaApi(self.auth, relay),
            server_api,
            pages,
        ):
            self.app.add_routes(part.routes())
        self.app.add_routes(
            [
                web.get("/link", rooms.handle_link),
                web.get("/healthz", self._healthz),
                web.get("/metrics", self._metrics),
            ]
        )

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, config: Config) -> AsyncIterator[Server]:
        """Everything running; closed in the opposite order at the end."""
        async with contextlib.AsyncExitStack() as stack:
            secret = own_secret(config)
            store = await Store.open(sqlite_url(config.data / "roomctl.sqlite"))
            stack.push_async_callback(store.close)
            network = await _directory(store, config)
            tokens = Tokens({OWN_KEY: secret, **config.keys})
            heard = config.media
            relay = Relay.start(heard.relay())
            stack.callback(relay.close)
            admission = _Admission()
            limits = RtcSettings(turn=_turn(config), loudest_audio=heard.loudest_audio, last_video=heard.last_video)
            media = RtcServer(relay, tokens, admission, limits)
            stack.push_async_callback(media.close)
            settings = RoomSettings(
                public_url=config.public_url,
                media_url=config.media_url,
                heartbeat=config.heartbeat,
                ring_seconds=config.ring,
                only_meetings=config.only_meetings,
            )
            rooms = RoomService(store, tokens, media, network, settings)
            admission.rooms = rooms
            await rooms.restore()
            stack.push_async_callback(rooms.close)
            running = asyncio.create_task(rooms.run(), name="rooms")
            stack.push_async_callback(_stop, running)
            if config.webhooks.urls:
                webhooks = Webhooks(config.webhooks.urls, tokens, config.webhooks.key)
                media.watch(webhooks.happened)
                stack.push_async_callback(_stop, asyncio.create_task(webhooks.run(), name="webhooks"))
            yield cls(config, store, relay, media, rooms, ServerApi(media, tokens))

    async def _healthz(self, request: web.Request) -> web.Response:
        """Whether database and relay answer: 200 ok, 503 with what does not."""
        failing = []
        for name, probe in (("store", self._store.audit_trail(limit=1)), ("relay", self._relay.stats())):
            try:
                async with asyncio.timeout(2):
                    await probe
            except Exception:
                failing.append(name)
        status = "failing" if failing else "ok"
        return answer({"status": status, "failing": failing, "time": time.time()}, 503 if failing else 200)

    async def _metrics(self, request: web.Request) -> web.Response:
        """Prometheus counters, for operators."""
        await self.auth.operator(request)
        body = generate_latest() + exposition(await self._relay.stats())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _directory(store: Store, config: Config) -> Network:
    """The directory: the network file where there is one (its new agent keys are enrolled), else what the store has."""
    if config.network is None:
        return await store.network()
    file = read_network(config.network)
    rooms = [Room(id=r.id, name=r.name, center=r.center, seats=r.seats, equipment=r.equipment) for r in file.rooms]
    network = Network(centers=file.centers, rooms=rooms)
    await store.put_network(network)
    now = time.time()
    for entry in file.rooms:
        for key in entry.agent_keys:
            if await store.credential(entry.id, key) is None:  # a revoked one stays revoked
                enrolled = AuditRecord(now, "server", "enroll", entry.id, {"key": key})
                await store.put_credential(CredentialRecord(entry.id, key, now), enrolled)
    return network


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _turn(config: Config) -> TurnServers | None:
    turn = config.turn
    return TurnServers(tuple(turn.urls), turn.secret, turn.ttl) if turn is not None else None
