"""The shell of `/link`: one WebSocket per room's agent, proven, bounded, with heartbeats (`wire.link`).

A link has one reader, one worker that takes its messages in order, and one writer with a bounded outbox. Whatever ends
one of them ends the link; the agent dials again and both sides resync from whole reports and snapshots.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import msgspec
from aiohttp import WSMsgType, web
from prometheus_client import Counter as Metric

from signaling.rooms.handshake import Tries, check_enrolment, check_signature, negotiate, new_nonce
from signaling.rooms.ports import Records
from signaling.rooms.settings import RoomSettings
from wire.link import (
    MAX_FRAME,
    Beat,
    Challenge,
    Document,
    FromAgent,
    FromServer,
    Hello,
    Refused,
    Reply,
    Report,
    Request,
    Result,
    Welcome,
)
from wire.problems import Code, Problem, Refusal
from wire.topic import Topic

OUTBOX: Final = 256  # messages an agent may lag behind
INBOX: Final = 32  # messages of an agent that wait for their turn
MAX_HELLO: Final = 4096  # bytes
SILENCE: Final = 3  # heartbeats
SEND_SECONDS: Final = 20.0
_log = logging.getLogger(__name__)
_decode = msgspec.json.Decoder(FromAgent).decode
_encode = msgspec.json.Encoder().encode
_ended = Metric("roomctl_link_ended_total", "Agents' links that ended or were refused, by why", ["why"])


class Host(Protocol):
    """Who is behind the links: knows rooms, takes what agents say."""

    def connected(self, link: Link, hello: Hello) -> None:
        """A proven agent. May raise Refusal: room_unknown, agent_present."""

    async def hear(self, link: Link, message: Report | Request | Result) -> None:
        """One message, in order. Refusals answer a request, and end the link otherwise."""

    def beat(self, link: Link, at: float) -> None:
        """The agent's clock says `at`."""

    def heard(self, link: Link) -> None:
        """The agent said something."""

    def gone(self, link: Link) -> None:
        """The link is closed."""

    def topics(self, room: str) -> tuple[Topic, ...]:
        """The live documents of a room."""


class _Peek(msgspec.Struct):
    """As much of a malformed message as its answer needs."""

    type: str = ""
    id: int | None = None


class _Over(Exception):
    """Ends a link; with a problem, the agent is told."""

    def __init__(self, count: str, problem: Problem | None = None) -> None:
        super().__init__(count)
        self.count = count
        self.problem = problem


class Link:
    """One proven agent's link. `offer` and `close` may be called from anywhere on the loop."""

    def __init__(self, room: str, boot: str) -> None:
        self.room = room
        self.boot = boot
        self.outbox: asyncio.Queue[bytes] = asyncio.Queue(OUTBOX)
        self.closing = asyncio.Event()
        self.ending = _Over("closed")

    def offer(self, message: FromServer) -> bool:
        """Queue a message; a link whose outbox is full is cut: its agent will resync."""
        if self.closing.is_set():
            return False
        try:
            self.outbox.put_nowait(_encode(message))
        except asyncio.QueueFull:
            self._end(_Over("slow", Problem(Code.TOO_MANY, "the agent reads too slowly")))
            return False
        return True

    def close(self, problem: Problem) -> None:
        """Tell the agent why, and close."""
        self._end(_Over(problem.code, problem))

    def _end(self, over: _Over) -> None:
        if not self.closing.is_set():
            self.ending = over
            self.closing.set()


class LinkServer:
    """Accepts agents' links. `counts` tells how links ended and who was refused, by stable code."""

    def __init__(
        self,
        records: Records,
        host: Host,
        settings: RoomSettings,
        counts: Counter[str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._host = host
        self._settings = settings
        self._counts = counts
        self._clock = clock
        self._tries = Tries(settings.tries_per_minute)
        self._unproven: dict[asyncio.Timeout, None] = {}  # by age

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """GET /link: lives as long as the link does."""
        if "Origin" in request.headers:  # a browser; agents send none
            return self._turn_away(Problem(Code.BAD_ORIGIN, "this address is for rooms' agents"), 403)
        self._make_room()
        socket = web.WebSocketResponse(max_msg_size=2 * MAX_FRAME, compress=False)
        link: Link | None = None
        over: _Over | None = None
        try:
            await socket.prepare(request)
            link, hello = await self._prove(socket, request.remote or "")
            over = await self._serve(socket, link, hello)
        except _Over as error:
            over = error
        except ConnectionError:
            over = _Over("lost")
        except Exception:
            over = _internal(link)
        finally:
            if link is not None:
                self._host.gone(link)
        self._count(over.count)
        await self._part(socket, over)
        return socket

    def _turn_away(self, problem: Problem, status: int) -> web.Response:
        self._count(problem.code)
        return web.Response(body=_encode(problem), status=status, content_type="application/json")

    def _count(self, why: str) -> None:
        self._counts[f"link_{why}"] += 1
        _ended.labels(str(why)).inc()

    async def _part(self, socket: web.WebSocketResponse, over: _Over) -> None:
        """Last words and a close frame; an agent that does not take them is cut."""
        try:
            async with asyncio.timeout(5.0):
                if over.problem is not None and not socket.closed:
                    await socket.send_str(_encode(Refused(over.problem)).decode())
                await socket.close()
        except (ConnectionError, TimeoutError, RuntimeError):
            _log.debug("link cut without last words")

    # --- proof ----------------------------------------------------------------------------------------------------

    def _make_room(self) -> None:
        """The longest silent of too many gives way: agents prove themselves at once, and are not shut out by the mute."""
        if len(self._unproven) >= self._settings.links_pending:
            oldest = next(iter(self._unproven))
            del self._unproven[oldest]
            if not oldest.expired():
                oldest.reschedule(asyncio.get_running_loop().time())

    async def _prove(self, socket: web.WebSocketResponse, address: str) -> tuple[Link, Hello]:
        deadline = asyncio.timeout(self._settings.hello_seconds)
        try:
            async with deadline:
                self._unproven[deadline] = None
                return await self._challenge(socket)
        except TimeoutError:
            raise _Over("mute", Problem(Code.UNAUTHENTICATED, "no hello came in time")) from None
        except Refusal as refusal:
            raise self._refused(refusal.problem, address) from None
        finally:
            self._unproven.pop(deadline, None)

    async def _challenge(self, socket: web.WebSocketResponse) -> tuple[Link, Hello]:
        nonce = new_nonce()
        await socket.send_str(_encode(Challenge(nonce)).decode())
        text = await _receive(socket, MAX_HELLO)
        try:
            hello = msgspec.json.decode(text, type=Hello)
        except msgspec.DecodeError as error:
            raise Refusal(Code.BAD_REQUEST, f"a link begins with hello: {error}") from None
        protocol = negotiate(hello.protocols)
        check_signature(hello, nonce)
        await check_enrolment(self._records, hello)
        link = Link(hello.room, hello.boot)
        link.offer(Welcome(protocol, self._settings.heartbeat, self._clock()))
        self._host.connected(link, hello)
        return link, hello

    def _refused(self, problem: Problem, address: str) -> _Over:
        """Count a bad try; who tries too often hears when to come back, and is no longer logged."""
        retry = self._tries.failed(address, self._clock())
        if retry is None:
            _log.warning("agent from %s refused: %s (%r)", address, problem.code, problem.room)
            return _Over(problem.code, problem)
        self._count(problem.code)
        return _Over(Code.TOO_MANY, Problem(Code.TOO_MANY, f"too many bad tries: {problem.code}", retry_after=retry))

    # --- a proven link --------------------------------------------------------------------------------------------

    async def _serve(self, socket: web.WebSocketResponse, link: Link, hello: Hello) -> _Over:
        async def enrolled() -> None:
            await check_enrolment(self._records, hello)

        session = _Session(socket, link, self._host, self._settings.heartbeat, enrolled, self._clock)
        over = _Over("lost")  # the peer went while something was being sent
        try:
            await session.run()
        except* _Over as group:
            over = next(error for error in group.exceptions if isinstance(error, _Over))
        except* ConnectionError:
            _log.debug("room %s: link lost", link.room)
        except* Exception:
            over = _internal(link)
        return over


class _Session:
    """The tasks of one proven link."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        link: Link,
        host: Host,
        heartbeat: float,
        enrolled: Callable[[], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self._socket = socket
        self._link = link
        self._host = host
        self._heartbeat = heartbeat
        self._enrolled = enrolled
        self._clock = clock
        self._inbox: asyncio.Queue[Report | Request | Result] = asyncio.Queue(INBOX)
        self._sending = asyncio.Lock()
        self._heard = asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Until one task raises _Over; the TaskGroup then ends the others."""
        await self._send(self._link.outbox.get_nowait())  # welcome comes before any document
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read())
            tasks.create_task(self._work())
            tasks.create_task(self._write())
            tasks.create_task(self._beat())
            tasks.create_task(self._watch())
            for topic in self._host.topics(self._link.room):
                tasks.create_task(self._follow(topic))

    async def _read(self) -> None:
        while True:
            try:
                text = await _receive(self._socket, MAX_FRAME)
            except Refusal as refusal:
                raise _Over(refusal.problem.code, refusal.problem) from None
            self._heard = asyncio.get_running_loop().time()
            self._host.heard(self._link)
            message = self._decoded(text)
            if isinstance(message, Beat):
                self._host.beat(self._link, message.at)
            elif message is not None:
                await self._inbox.put(message)

    def _decoded(self, text: str) -> Report | Request | Result | Beat | None:
        """The message; a malformed request is answered, anything else malformed ends the link."""
        try:
            message: FromAgent = _decode(text)
        except msgspec.DecodeError as error:
            problem = Problem(Code.BAD_REQUEST, f"malformed message: {error}")
            self._answer_malformed(text, problem)
            return None
        if isinstance(message, Hello):
            raise _Over(Code.BAD_REQUEST, Problem(Code.BAD_REQUEST, "hello comes once"))
        return message

    def _answer_malformed(self, text: str, problem: Problem) -> None:
        try:
            peek = msgspec.json.decode(text, type=_Peek)
        except msgspec.DecodeError:
            peek = _Peek()
        if peek.type != "request" or peek.id is None:
            raise _Over(problem.code, problem)
        self._link.offer(Reply(peek.id, problem=problem))

    async def _work(self) -> None:
        while True:
            message = await self._inbox.get()
            try:
                await self._host.hear(self._link, message)
            except Refusal as refusal:
                self._refuse(message, refusal.problem)
            except Exception:
                problem = _internal(self._link).problem
                assert problem is not None
                self._refuse(message, problem)

    def _refuse(self, message: Report | Request | Result, problem: Problem) -> None:
        if not isinstance(message, Request):
            raise _Over(problem.code, problem)
        self._link.offer(Reply(message.id, problem=problem))

    async def _write(self) -> None:
        while True:
            await self._send(await self._link.outbox.get())

    async def _send(self, frame: bytes) -> None:
        """One frame at a time; an agent that does not read for long is cut."""
        try:
            async with asyncio.timeout(SEND_SECONDS), self._sending:
                await self._socket.send_str(frame.decode())
        except TimeoutError:
            raise _Over("slow") from None

    async def _beat(self) -> None:
        """Say that we are alive; and see whether the key was revoked meanwhile, by whatever process."""
        while True:
            await asyncio.sleep(self._heartbeat)
            self._link.offer(Beat(self._clock()))
            try:
                await self._enrolled()
            except Refusal as refusal:
                if refusal.problem.code in (Code.KEY_REVOKED, Code.KEY_UNKNOWN):
                    raise _Over(refusal.problem.code, refusal.problem) from None

    async def _watch(self) -> None:
        """Close a link that is asked to close, or that is silent for three heartbeats."""
        while True:
            try:
                async with asyncio.timeout_at(self._heard + SILENCE * self._heartbeat):
                    await self._link.closing.wait()
                raise self._link.ending
            except TimeoutError:
                if asyncio.get_running_loop().time() >= self._heard + SILENCE * self._heartbeat:
                    raise _Over("silent") from None

    async def _follow(self, topic: Topic) -> None:
        """Hand on a live document; while the agent reads slowly its changes wait, and past a bound become a snapshot."""
        with topic.subscribe() as changes:
            async for change in changes:
                await self._send(_encode(Document(change)))


def _internal(link: Link | None) -> _Over:
    """Log the error being handled under a reference; the agent gets the reference and nothing else."""
    reference = secrets.token_hex(4)
    _log.exception("internal error %s on the link of room %s", reference, link.room if link else "unknown")
    return _Over(Code.INTERNAL, Problem(Code.INTERNAL, "something went wrong here", reference=reference))


async def _receive(socket: web.WebSocketResponse, limit: int) -> str:
    """The next text frame. Raises Refusal (bad_request, too_large), _Over when the link is closed."""
    message = await socket.receive()
    if message.type is WSMsgType.TEXT:
        text: str = message.data
        if len(text) > limit or len(text.encode()) > limit:
            raise Refusal(Code.TOO_LARGE, f"a message has at most {limit} bytes")
        return text
    if message.type is WSMsgType.BINARY:
        raise Refusal(Code.BAD_REQUEST, "messages are JSON text")
    raise _Over(Code.TOO_LARGE if socket.close_code == 1009 else "closed")
