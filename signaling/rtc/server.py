"""The media server's face: WebSocket routes for LiveKit clients, and what meetings may ask of media."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec
from aiohttp import web
from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import SignalResponse

from relay.messages import Command, CommandFailed, DataReceived, Event, Speakers, Stats, TransportState
from signaling.media import Admission, Leave, MediaChanged, MediaParticipant
from signaling.rtc import frames, requests, responses
from signaling.rtc.connection import Connection, Frame
from signaling.rtc.counters import REFUSED, RELAY_FAILED, SESSIONS
from signaling.rtc.effects import BAD_DATA, FAILED, Effects, Happened
from signaling.rtc.room import MediaRoom
from signaling.rtc.session import Arrival, Session
from signaling.rtc.settings import RtcSettings
from signaling.tokens import Tokens
from wire.problems import Code, Problem, Refusal

log = logging.getLogger(__name__)

_CORS = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
_UNAUTHORIZED = (Code.TOKEN_INVALID, Code.TOKEN_EXPIRED, Code.UNAUTHENTICATED)
_BUSY = (Code.TOO_MANY, Code.UNAVAILABLE)


class MediaRelay(Protocol):
    """What is asked of the relay."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DTLS certificate."""

    def candidates(self, room: str) -> Sequence[tuple[str, int, str]]:
        """(address, port, "udp") to announce for transports of a room."""

    def submit(self, *commands: Command) -> None:
        """Queue commands, in order; never blocks."""

    def listen(self, listener: Callable[[list[Event]], None]) -> None:
        """Have events delivered on the loop."""

    async def stats(self, room: str | None = None) -> Stats:
        """Counters of one room. Raises ConnectionError when the relay is closed."""


class RtcServer:
    """Media rooms and their clients. Make it on the running loop; implements `signaling.media.MediaRooms`."""

    def __init__(
        self,
        relay: MediaRelay,
        tokens: Tokens,
        admission: Admission,
        settings: RtcSettings | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._relay = relay
        self._tokens = tokens
        self._admission = admission
        self._settings = settings or RtcSettings()
        self._clock = clock
        self._rooms: dict[str, MediaRoom] = {}
        self._places: dict[str, MediaRoom] = {}  # session sid -> its room
        self._connections: dict[str, Connection] = {}
        self._listeners: list[Callable[[MediaChanged], None]] = []
        self._watchers: list[Callable[[MediaRoom, Happened], None]] = []
        self._left: dict[str, list[tuple[str, Leave]]] = {}  # changed media rooms, to be told
        self._telling: asyncio.TimerHandle | None = None
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(self._settings.tick, self._tick)
        self._measuring = self._loop.create_task(self._measure(), name="rtc-measure")
        relay.listen(self._on_events)

    def routes(self) -> list[web.RouteDef]:
        """For `Application.add_routes`. V1 paths answer 404, so that clients fall back to V0."""
        return [
            web.get("/rtc", self._handle),
            web.get("/rtc/validate", self._validate),
            web.get("/rtc/v1", _no_v1),
            web.get("/rtc/v1/validate", _no_v1),
        ]

    # --- MediaRooms ---------------------------------------------------------------------------------------------

    def participants(self, media: str) -> list[MediaParticipant]:
        """Sessions in a media room, hidden ones included, in order of joining."""
        room = self._rooms.get(media)
        return room.participants() if room is not None else []

    def remove(self, media: str, identity: str, reason: Leave) -> None:
        """End the session of an identity; unknown ones are ignored."""
        if (room := self._rooms.get(media)) is not None:
            for session in [s for s in room.sessions.values() if s.identity == identity]:
                room.end(session, reason)
            self.apply(room)

    def end(self, media: str, reason: Leave = Leave.ENDED) -> None:
        """End every session of a media room."""
        if (room := self._rooms.get(media)) is not None:
            for session in list(room.sessions.values()):
                room.end(session, reason)
            self.apply(room)

    def mute(self, media: str, identity: str, source: str = "microphone") -> None:
        """Mute a participant's source (`microphone`, `camera`…): forwarding stops, and its client is told."""
        if (room := self._rooms.get(media)) is not None:
            for session in room.sessions.values():
                if session.identity == identity:
                    room.silence(session, source)
            self.apply(room)

    def listen(self, listener: Callable[[MediaChanged], None]) -> None:
        """Hear of changes, on the loop, soon after they happen."""
        self._listeners.append(listener)

    # --- for the server API -------------------------------------------------------------------------------------

    @property
    def rooms(self) -> Mapping[str, MediaRoom]:
        """Media rooms by name. Whoever changes one calls `apply` afterwards."""
        return self._rooms

    def open(self, media: str) -> MediaRoom:
        """The media room of this name, made where there is none. Raises Refusal(too_many)."""
        if (room := self._rooms.get(media)) is not None:
            return room
        if len(self._rooms) >= self._settings.max_rooms:
            raise Refusal(Code.TOO_MANY, "the server has no place for another room")
        candidates = [(address, port) for address, port, _ in self._relay.candidates(media)]
        room = self._rooms[media] = MediaRoom(media, self._relay.fingerprint, candidates, self._settings, self._clock())
        self._happened(room, Happened("room_started"))
        return room

    def watch(self, watcher: Callable[[MediaRoom, Happened], None]) -> None:
        """Hear of everything that webhooks tell of, on the loop, when it happens."""
        self._watchers.append(watcher)

    def _happened(self, room: MediaRoom, what: Happened) -> None:
        for watcher in self._watchers:
            watcher(room, what)

    async def close(self) -> None:
        """Ask every client to join again (a restart), and stop."""
        self._closing = True
        self._timer.cancel()
        self._measuring.cancel()
        await asyncio.gather(self._measuring, return_exceptions=True)
        for room in list(self._rooms.values()):
            for session in list(room.sessions.values()):
                room.restart(session, DisconnectReason.SERVER_SHUTDOWN)
            self.apply(room)
        if self._telling is not None:
            self._telling.cancel()

    # --- HTTP ---------------------------------------------------------------------------------------------------

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
        connection = Connection(socket, self._settings)
        if request.query.get("reconnect") == "1":
            await self._refuse_resume(connection, arrival, request.query.get("sid", ""))
        else:
            await self._serve(connection, arrival)
        return socket

    def _arrive(self, request: web.Request) -> Arrival:
        """Check token, admission and bounds. Raises Refusal."""
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        token = request.query.get("access_token") or (bearer.strip() if scheme.lower() == "bearer" else "")
        claims = self._tokens.read(token)
        if self._closing:
            raise Refusal(Code.UNAVAILABLE, "the server is stopping")
        if (problem := self._admission.admit(claims.grants)) is not None:
            refusal = Refusal(problem.code, problem.message)
            refusal.problem = problem
            raise refusal
        room = self._rooms.get(claims.grants.media)
        if room is None and len(self._rooms) >= self._settings.max_rooms:
            raise Refusal(Code.TOO_MANY, "the server has no place for another room")
        if room is not None and len(room.sessions) >= room.max_participants:
            raise Refusal(Code.TOO_MANY, "the room is full")
        protocol = request.query.get("client_protocol", "")
        return Arrival(
            claims.grants,
            claims.expires_at,
            claims.key,
            auto_subscribe=request.query.get("auto_subscribe", "1") not in ("0", "false"),
            client_protocol=int(protocol) if protocol.isascii() and protocol.isdigit() and len(protocol) < 4 else 0,
        )

    async def _refuse_resume(self, connection: Connection, arrival: Arrival, sid: str) -> None:
        """Resuming is not offered: the broken session ends, and the client joins anew by itself."""
        room = self._places.get(sid)
        if room is not None and room.sessions[sid].identity == arrival.grants.identity:
            room.leave(room.sessions[sid], Leave.LOST)
            self.apply(room)
        again = responses.reconnect(DisconnectReason.STATE_MISMATCH)
        connection.push(frames.encode(again, text=False))
        connection.finish(1000, "reconnect: join again")
        await connection.run(lambda frame: None)

    async def _serve(self, connection: Connection, arrival: Arrival) -> None:
        media = arrival.grants.media
        room = self._rooms.get(media)
        if room is None:
            room = self.open(media)
        session = room.join(arrival, self._clock())
        self._connections[session.sid] = connection
        self._places[session.sid] = room
        SESSIONS.inc()
        log.info("%r joined %r as %s", session.identity, media, session.sid)
        self.apply(room)
        try:
            await connection.run(lambda frame: self._on_frame(room, session, frame))
        finally:
            if connection.oversized:
                REFUSED.labels(Code.TOO_LARGE, "frame").inc()
            room.leave(session, Leave.LOST)
            self.apply(room)
            self._connections.pop(session.sid, None)
            SESSIONS.dec()
            log.info("%r (%s) is gone from %r", session.identity, session.sid, media)

    def _on_frame(self, room: MediaRoom, session: Session, frame: Frame) -> None:
        settings = self._settings
        try:
            request = frames.decode(frame, max_message=settings.max_message, max_sdp=settings.max_sdp)
        except Refusal as refusal:
            REFUSED.labels(refusal.problem.code, "frame").inc()
            room.expel(session, BAD_DATA, f"{refusal.problem.code}: {refusal.problem.message}")
        else:
            try:
                requests.handle(room, session, request, self._clock())
            except Exception:  # our fault; it must not cost others their meeting, nor tell the client how we look
                kind = request.WhichOneof("message")
                log.exception("%s of %s in %s failed", kind, session.sid, room.name)
                REFUSED.labels(Code.INTERNAL, str(kind)).inc()
                room.expel(session, FAILED, f"{Code.INTERNAL}: {session.sid}")
        self.apply(room)

    # --- the relay and time -------------------------------------------------------------------------------------

    def _on_events(self, events: list[Event]) -> None:
        touched: dict[str, MediaRoom] = {}
        for event in events:
            try:
                room = self._on_event(event)
            except Exception:
                log.exception("%s failed", type(event).__name__)
                continue
            if room is not None:
                touched[room.name] = room
        for room in touched.values():
            self.apply(room)

    def _on_event(self, event: Event) -> MediaRoom | None:
        """Hand an event to its room; returns the room."""
        if isinstance(event, Speakers):
            if (room := self._rooms.get(event.room)) is not None:
                room.spoke(event.speakers)
            return room
        if isinstance(event, CommandFailed):
            RELAY_FAILED.labels(event.command, event.code).inc()
            log.warning("the relay refused %s of %s: %s %s", event.command, event.id, event.code, event.message)
            return None
        if not isinstance(event, TransportState | DataReceived):
            return None
        sid = event.transport.partition("/")[0]
        if (place := self._places.get(sid)) is None:
            return None
        session = place.sessions[sid]
        if isinstance(event, DataReceived):
            if event.transport == session.publisher.transport:
                place.data(session, event, self._clock())
        else:
            log.info("%s of %r: %s %s", event.transport, session.identity, event.phase, event.srtp_profile or "")
            place.transport_changed(session, event)
        return place

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._settings.tick, self._tick)
        now = self._clock()
        for room in list(self._rooms.values()):
            try:
                for session in room.tick(now):
                    self._renew(room, session, now)
                self.apply(room)
            except Exception:
                log.exception("the timers of %s failed", room.name)

    async def _measure(self) -> None:
        """Look at the relay's counters now and then, and tell everyone how their connections do."""
        while True:
            await asyncio.sleep(self._settings.measure)
            for room in list(self._rooms.values()):
                try:
                    async with asyncio.timeout(self._settings.measure):
                        room.measured(await self._relay.stats(room.name))
                except (TimeoutError, ConnectionError):
                    log.warning("the relay does not say how %s does", room.name)
                except Exception:
                    log.exception("measuring %s failed", room.name)
                self.apply(room)

    def _renew(self, room: MediaRoom, session: Session, now: float) -> None:
        """Ask admission again; a new token, or the end."""
        problem = self._admission.admit(session.grants)
        if problem is not None:
            room.end(session, Leave.ENDED if problem.code is Code.MEETING_OVER else Leave.REMOVED)
            return
        grants = dataclasses.replace(
            session.grants, name=session.name, metadata=session.metadata, attributes=session.attributes
        )
        ttl = self._settings.token_ttl
        room.effects.send([session.sid], responses.refresh_token(self._tokens.mint(grants, ttl, session.key)))
        session.refreshed(now + ttl, now)

    # --- effects ------------------------------------------------------------------------------------------------

    def apply(self, room: MediaRoom) -> None:
        """Do what a room wants done. A client that reads too slowly is cut off, which may want more done."""
        while True:
            effects = room.effects.take()
            if effects.commands:
                self._relay.submit(*effects.commands)
            slow = self._send(effects)
            for goodbye in effects.goodbyes:
                self._places.pop(goodbye.sid, None)
                if (connection := self._connections.get(goodbye.sid)) is not None:
                    connection.finish(goodbye.close_code, goodbye.text)
            for what in effects.happened:
                self._happened(room, what)
            if effects.changed or effects.left:
                self._tell_later(room.name, effects.left)
            if not slow:
                break
            for sid in slow:
                REFUSED.labels(Code.TOO_MANY, "outbox").inc()
                self._connections[sid].cut()
                if sid in room.sessions:
                    room.leave(room.sessions[sid], Leave.LOST)
        empty = not room.sessions and self._clock() >= room.kept_until
        if empty and self._rooms.get(room.name) is room:
            del self._rooms[room.name]
            self._happened(room, Happened("room_finished"))

    def _send(self, effects: Effects) -> set[str]:
        """Queue messages, each coded once per kind of frame; returns the sessions whose outbox is over its bound."""
        slow: set[str] = set()
        for sids, message in effects.messages:
            coded: dict[bool, Frame] = {}
            for sid in sids:
                connection = self._connections.get(sid)
                if connection is None:
                    continue
                if not connection.push(_coded(coded, message, connection.text)):
                    slow.add(sid)
        return slow

    def _tell_later(self, media: str, left: list[tuple[str, Leave]]) -> None:
        self._left.setdefault(media, []).extend(left)
        if self._telling is None:
            self._telling = self._loop.call_later(self._settings.coalesce, self._tell)

    def _tell(self) -> None:
        changed, self._left, self._telling = self._left, {}, None
        for media, left in changed.items():
            for listener in self._listeners:
                listener(MediaChanged(media, tuple(left)))


def _coded(coded: dict[bool, Frame], message: SignalResponse, text: bool) -> Frame:
    if text not in coded:
        coded[text] = frames.encode(message, text=text)
    return coded[text]


async def _no_v1(request: web.Request) -> web.Response:
    return web.Response(status=404, text="path V1 is not served; use /rtc", headers=_CORS)


def _problem(problem: Problem, request: str) -> web.Response:
    """A refusal before the upgrade. LiveKit's SDKs show the body of 401 and 403 to the developer."""
    REFUSED.labels(problem.code, request).inc()
    status = 401 if problem.code in _UNAUTHORIZED else 503 if problem.code in _BUSY else 403
    if problem.code is Code.BAD_REQUEST:
        status = 400
    body = msgspec.json.encode(problem)
    return web.Response(status=status, body=body, content_type="application/json", headers=_CORS)
