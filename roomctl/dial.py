"""Keeps the control link up: dials out, runs one `Link` after another, waits between attempts."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from roomctl.backoff import Backoff
from roomctl.keys import AgentKey
from roomctl.link import Answered, Closed, Link, LinkEvent, Op, Opened
from wire.link import MAX_FRAME, Report, Result
from wire.live import Json
from wire.problems import Code, Problem, Refusal

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 5.0  # seconds
SEND_TIMEOUT = 10.0  # seconds until a server that does not read is given up
PATIENT = (Code.AGENT_REPLACED, Code.AGENT_PRESENT, Code.KEY_REVOKED, Code.PROTOCOL_UNSUPPORTED)


def link_url(server: str) -> str:
    """The WebSocket address of the link for a server's base URL (http, https, ws or wss)."""
    parts = urlsplit(server)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + "/link", "", ""))


class ControlLink:
    """The agent's link to the server, whether it is up or not. `on_event` hears everything but `Answered`."""

    def __init__(
        self,
        room: str,
        server: str,
        key: AgentKey,
        *,
        software: str,
        backoff: Backoff,
        on_event: Callable[[LinkEvent], None],
    ) -> None:
        self._room = room
        self._url = link_url(server)
        self._key = key
        self._software = software
        self._boot = secrets.token_hex(8)
        self._backoff = backoff
        self._on_event = on_event
        self._link: Link | None = None
        self._wake = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self.open = False
        self.refusal: Problem | None = None  # why the server does not accept us, until it does

    async def run(self) -> None:
        """Dial for ever; cancel to stop."""
        while True:
            try:
                async with connect(
                    self._url,
                    open_timeout=CONNECT_TIMEOUT,
                    close_timeout=1,
                    ping_interval=None,  # the link has its own heartbeat
                    max_size=MAX_FRAME,
                    proxy=None,
                    logger=_wire_log,
                ) as connection:
                    await self._converse(connection)
            except* (OSError, TimeoutError, WebSocketException) as errors:
                log.debug("room %s: no link: %s", self._room, errors.exceptions)
            await asyncio.sleep(self._backoff.wait())

    async def request(self, op: Op, args: msgspec.Struct | None = None) -> Json:
        """Ask the server. Raises Refusal with its problem, or `unavailable` without a link or an answer in time."""
        self.require_open()
        assert self._link is not None
        id = self._link.request(op, args, time.monotonic())
        if id is None:
            raise RefusedByLink(Problem(Code.TOO_MANY, "too many requests under way"))
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[id] = answer
        self._wake.set()
        try:
            return await answer
        finally:
            self._waiting.pop(id, None)

    def require_open(self) -> None:
        """Raises Refusal where nothing can be asked now: why the server refuses this agent, or that it is away."""
        if self._link is None or not self.open:
            raise RefusedByLink(self.refusal or Problem(Code.UNAVAILABLE, "the server cannot be reached"))

    def report(self, report: Report) -> None:
        """Tell the room's state; without a link nothing is sent (the whole state is, when it is back)."""
        if self._link is not None:
            self._link.report(report)
            self._wake.set()

    def result(self, result: Result) -> None:
        """Tell what became of a command; without a link it is repeated when the server asks again."""
        if self._link is not None:
            self._link.result(result)
            self._wake.set()

    async def _converse(self, connection: ClientConnection) -> None:
        """One connection from challenge to end."""
        link = Link(self._room, self._key, boot=self._boot, software=self._software, now=time.monotonic())
        self._link = link
        try:
            async with asyncio.TaskGroup() as group:
                pump = group.create_task(self._pump(connection, link))
                async for frame in connection:
                    over = self._dispatch(link.receive(frame, time.monotonic(), time.time()))
                    self._wake.set()
                    if over:
                        break
                pump.cancel()
        finally:
            self._dispatch(link.lose("connection lost"))
            self._link = None

    async def _pump(self, connection: ClientConnection, link: Link) -> None:
        """Write what the link has to say and wake it in time; a connection that cannot keep up is dropped."""
        while True:
            self._wake.clear()
            for frame in link.take():
                async with asyncio.timeout(SEND_TIMEOUT):
                    await connection.send(frame)
            if link.choked:
                await connection.close(1011)
            try:
                async with asyncio.timeout_at(link.deadline()):
                    await self._wake.wait()
            except TimeoutError:
                if self._dispatch(link.tick(time.monotonic(), time.time())):
                    await connection.close(1011)

    def _dispatch(self, events: list[LinkEvent]) -> bool:
        """Hand events on; True when the link is over."""
        over = False
        for event in events:
            match event:
                case Answered(id, result, problem):
                    self._resolve(id, result, problem)
                    continue
                case Opened():
                    self.open, self.refusal = True, None
                    self._backoff.succeeded()
                    log.info("room %s: linked", self._room)
                case Closed(reason, refusal):
                    over, self.open, self.refusal = True, False, refusal or self.refusal
                    if refusal is None:
                        log.info("room %s: link over: %s", self._room, reason)
                    else:
                        log.warning("room %s: link refused: %s (%s)", self._room, refusal.code, refusal.message)
                        if refusal.code in PATIENT:
                            self._backoff.slow_down()
            self._on_event(event)
        return over

    def _resolve(self, id: int, result: Json | None, problem: Problem | None) -> None:
        waiting = self._waiting.pop(id, None)
        if waiting is None or waiting.done():
            return
        if problem is not None:
            waiting.set_exception(RefusedByLink(problem))
        else:
            waiting.set_result(result or {})


class RefusedByLink(Refusal):
    """A refusal that carries a problem made elsewhere."""

    def __init__(self, problem: Problem) -> None:
        Exception.__init__(self, problem.message)
        self.problem = problem


_wire_log = logging.getLogger("roomctl.dial.websocket")
_wire_log.setLevel(logging.WARNING)
