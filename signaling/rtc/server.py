"""The media server's face: WebSocket routes for LiveKit clients, and what meetings may ask of media."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import Callable, Mapping

from aiohttp import web
from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import SignalRequest

from relay.messages import CommandFailed, Event, Speakers
from signaling.media import Admission, Leave, MediaChanged, MediaParticipant
from signaling.rtc import events, frames, requests, responses, resume
from signaling.rtc.connection import Connection, Frame
from signaling.rtc.counters import REFUSED, SESSIONS
from signaling.rtc.delivery import Delivery
from signaling.rtc.door import Door
from signaling.rtc.effects import BAD_DATA, FAILED, Happened
from signaling.rtc.leaving import Leaving
from signaling.rtc.media_relay import MediaRelay
from signaling.rtc.room import MediaRoom
from signaling.rtc.session import RESERVED_ATTRIBUTES, Arrival, Session
from signaling.rtc.settings import RtcSettings
from signaling.tokens import Tokens
from wire.problems import Code, Refusal

log = logging.getLogger(__name__)


class RtcServer:
    """Media rooms and their clients. Make it on the running loop; implements `signaling.media.MediaRooms`."""

    def __init__(
        self,
        relay: MediaRelay,
        tokens: Tokens,
        admission: Admission,
        settings: RtcSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._relay = relay
        self._tokens = tokens
        self._admission = admission
        self._settings = settings or RtcSettings()
        self._clock = clock  # how long things last
        self._wall = wall  # Unix seconds: tokens, TURN, and what is told; it may be set at any time
        self._rooms: dict[str, MediaRoom] = {}
        self._owners = events.Owners()
        self._delivery = Delivery(self._settings)
        self._leaving = Leaving(self._settings)
        self._listeners: list[Callable[[MediaChanged], None]] = []
        self._watchers: list[Callable[[MediaRoom, Happened], None]] = []
        self._left: dict[str, list[tuple[str, Leave]]] = {}  # changed media rooms, to be told
        self._telling: asyncio.TimerHandle | None = None
        self._offering: dict[str, asyncio.TimerHandle] = {}  # rooms with offers that wait for their time, by sid
        self._door = Door(tokens, admission, self._settings, self._rooms, self._serve, wall)
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(self._settings.tick, self._tick)
        self._measuring = self._loop.create_task(self._measure(), name="rtc-measure")
        relay.listen(self._on_events)

    def routes(self) -> list[web.RouteDef]:
        """For `Application.add_routes`."""
        return self._door.routes()

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
        if reason is not Leave.LEFT:
            self.silence(media, identity)

    def silence(self, media: str, identity: str | None = None) -> bool:
        """What came of who just left goes to nobody from now on (None: of anybody); whether somebody just had."""
        rooms = self._leaving.tell(media, identity, silence=True)
        for room in rooms:
            self.apply(room)
        return bool(rooms)

    def end(self, media: str, reason: Leave = Leave.ENDED) -> None:
        """End every session of a media room."""
        if (room := self._rooms.get(media)) is not None:
            for session in list(room.sessions.values()):
                room.end(session, reason)
            self.apply(room)
        self.silence(media)

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

    def now(self) -> float:
        """The clock of `MediaRoom`'s times."""
        return self._clock()

    def open(self, media: str) -> MediaRoom:
        """The media room of this name, made where there is none. Raises Refusal(too_many)."""
        if (room := self._rooms.get(media)) is not None:
            return room
        if len(self._rooms) >= self._settings.max_rooms:
            raise Refusal(Code.TOO_MANY, "the server has no place for another room")
        candidates = self._relay.candidates(media)
        room = self._rooms[media] = MediaRoom(media, self._relay.fingerprint, candidates, self._settings, self._wall)
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
        self._door.shut = True
        self._timer.cancel()
        self._measuring.cancel()
        await asyncio.gather(self._measuring, return_exceptions=True)
        for room in list(self._rooms.values()):
            for session in list(room.sessions.values()):
                room.restart(session, DisconnectReason.SERVER_SHUTDOWN)
            self.apply(room)
        for timer in (*self._offering.values(), *([self._telling] if self._telling is not None else [])):
            timer.cancel()

    # --- clients ------------------------------------------------------------------------------------------------

    async def _serve(self, connection: Connection, arrival: Arrival) -> None:
        """One client, from its arrival to the end of its signal connection."""
        place = self._resume(connection, arrival) if arrival.wishes.resume else self._join(connection, arrival)
        if place is None:
            self._send_away(connection)
            await connection.run(lambda frame: None)
            return
        (room, session), sid = place, place[1].sid
        try:
            self._begin(room, session, arrival)
            await connection.run(lambda frame: self._on_frame(room, session, connection, frame))
        finally:
            if connection.oversized:
                REFUSED.labels(Code.TOO_LARGE, "frame").inc()
            if self._delivery.connections.get(sid) is connection:  # else the client is back already on another one
                del self._delivery.connections[sid]
                kept = self._delivery.kept  # with this one
                may_return = not connection.oversized and kept <= self._settings.max_kept and not self._door.shut
                room.lose(session, self._clock(), keep=may_return)
                self.apply(room)
                log.info("%r (%s) lost its signal connection", session.identity, sid)

    def _join(self, connection: Connection, arrival: Arrival) -> tuple[MediaRoom, Session] | None:
        """A new session and its room; None where there is no place for it."""
        try:
            self._door.find_place(arrival.grants)
            # Clients know each other by identity: first its end, then its new session.
            for told in self._leaving.tell(arrival.grants.media, arrival.grants.identity, silence=False):
                self.apply(told)
            room = self.open(arrival.grants.media)
        except Refusal:  # another took the last place between its check and its upgrade
            return None
        now = self._clock()
        session = room.join(arrival, now)
        self._delivery.connections[session.sid] = connection
        self._delivery.places[session.sid] = room
        SESSIONS.inc()
        log.info("%r joined %r as %s", session.identity, room.name, session.sid)
        return room, session

    def _begin(self, room: MediaRoom, session: Session, arrival: Arrival) -> None:
        """Do what the client asked for as it came. It may be sent away for that: its connection then ends by itself."""
        wishes = arrival.wishes
        if wishes.resume:
            resume.resume(room, session, arrival, self._clock())
            log.info("%r (%s) resumed", session.identity, session.sid)
            asked = [SignalRequest(sync_state=wishes.sync)] if wishes.sync is not None else []
        else:
            asked = [SignalRequest(update_metadata=wishes.about)] if wishes.about is not None else []
            asked.extend(SignalRequest(add_track=track) for track in wishes.tracks)
        if wishes.offer is not None:
            asked.append(SignalRequest(offer=wishes.offer))
        for request in asked:
            self._do(room, session, request)
        self.apply(room)

    def _resume(self, connection: Connection, arrival: Arrival) -> tuple[MediaRoom, Session] | None:
        """The session the client comes back to, and its room; None where it has to join again."""
        now, sid = self._clock(), arrival.wishes.sid
        room = self._delivery.places.get(sid)
        session = room.sessions.get(sid) if room is not None else None
        if room is None or session is None or not resume.may_resume(session, arrival, now):
            if room is not None and session is not None and resume.is_own(session, arrival):
                room.leave(session, Leave.LOST)
                self.apply(room)
            return None
        if (older := self._delivery.connections.get(sid)) is not None:
            older.finish(1000, "resumed: the client is back on another connection")
        self._delivery.connections[sid] = connection
        return room, session

    def _send_away(self, connection: Connection) -> None:
        """Ask a client to join (again)."""
        connection.push(frames.encode(responses.reconnect(DisconnectReason.STATE_MISMATCH), text=False))
        connection.finish(1000, "reconnect: join again")

    def _on_frame(self, room: MediaRoom, session: Session, connection: Connection, frame: Frame) -> None:
        if self._delivery.connections.get(session.sid) is not connection:
            return  # of a connection that its client left for a new one
        settings = self._settings
        try:
            request = frames.decode(frame, max_message=settings.max_message, max_sdp=settings.max_sdp)
        except Refusal as refusal:
            REFUSED.labels(refusal.problem.code, "frame").inc()
            room.expel(session, BAD_DATA, f"{refusal.problem.code}: {refusal.problem.message}")
        else:
            self._do(room, session, request)
        self.apply(room)

    def _do(self, room: MediaRoom, session: Session, request: SignalRequest) -> None:
        """Do a request. A fault of ours costs nobody else their meeting, nor tells the client how we look."""
        try:
            requests.handle(room, session, request, self._clock())
        except Exception:
            kind = request.WhichOneof("message")
            log.exception("%s of %s in %s failed", kind, session.sid, room.name)
            REFUSED.labels(Code.INTERNAL, str(kind)).inc()
            room.expel(session, FAILED, f"{Code.INTERNAL}: {session.sid}")

    # --- the relay and time -------------------------------------------------------------------------------------

    def _on_events(self, batch: list[Event]) -> None:
        touched: dict[str, MediaRoom] = {}  # by sid: one of this name may have ended, and another begun
        for event in batch:
            try:
                room = self._on_event(event)
            except Exception:
                log.exception("%s failed", type(event).__name__)
                continue
            if room is not None:
                touched[room.sid] = room
        for room in touched.values():
            self.apply(room)

    def _on_event(self, event: Event) -> MediaRoom | None:
        """Hand an event to its room; returns the room."""
        if isinstance(event, Speakers):
            if (room := self._rooms.get(event.room)) is not None:
                room.spoke(event.speakers)
            return room
        if isinstance(event, CommandFailed):
            events.refused(event)
        sid = self._owners.session(event)
        place = self._delivery.places.get(sid)
        if place is not None and (session := place.sessions.get(sid)) is not None:  # an event before may have ended it
            events.handle(place, session, event, self._clock())
        return place or self._leaving.handle(sid, event, self._clock())

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._settings.tick, self._tick)
        now = self._clock()
        self._leaving.forget(now)
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
            session.grants,
            name=session.name,
            metadata=session.metadata,
            attributes=session.attributes,
            can_subscribe=session.grants.can_subscribe and not session.deaf,
        )
        ttl = self._settings.token_ttl
        token = self._tokens.renew(grants, ttl, session.key, RESERVED_ATTRIBUTES)
        room.effects.send([session.sid], responses.refresh_token(token))
        session.refreshed(ttl, now)

    # --- effects ------------------------------------------------------------------------------------------------

    def apply(self, room: MediaRoom) -> None:
        """Do what a room wants done. A client that reads too slowly is cut off, which may want more done."""
        while True:
            effects = room.effects.take()
            if effects.commands:
                self._owners.note(effects.commands)
                self._relay.submit(*effects.commands)
            slow = self._delivery.send(effects)
            for goodbye in effects.goodbyes:
                if self._delivery.places.pop(goodbye.sid, None) is not None:
                    SESSIONS.dec()
                if (connection := self._delivery.connections.get(goodbye.sid)) is not None:
                    connection.finish(goodbye.close_code, goodbye.text)
            for session, reason in effects.leaving:
                touched = self._leaving.add(room, session, self._clock(), speaks=reason is Leave.LEFT)
                if touched is not room:
                    self.apply(touched)
                self._loop.call_later(self._settings.linger, self._lingered, session.sid)
            for what in effects.happened:
                self._happened(room, what)
            if effects.changed or effects.left:
                self._tell_later(room.name, effects.left)
            if effects.due_at is not None and room.sid not in self._offering:
                wait = max(0.0, effects.due_at - self._clock())
                self._offering[room.sid] = self._loop.call_later(wait, self._offer, room)
            if not slow and not effects.leaving:
                break
            for sid in slow:
                REFUSED.labels(Code.TOO_MANY, "outbox").inc()
                if (connection := self._delivery.connections.get(sid)) is not None:
                    connection.cut()
                if sid in room.sessions:
                    room.leave(room.sessions[sid], Leave.LOST)
        empty = not room.sessions and self._clock() >= room.kept_until
        if empty and self._rooms.get(room.name) is room:
            del self._rooms[room.name]
            self._happened(room, Happened("room_finished"))

    def _lingered(self, sid: str) -> None:
        """One that left had time to end its connection."""
        if not self._door.shut and (room := self._leaving.close(sid)) is not None:
            self.apply(room)

    def _offer(self, room: MediaRoom) -> None:
        """Send the offers that waited for their time."""
        del self._offering[room.sid]
        try:
            room.negotiate_all(self._clock())
        except Exception:
            log.exception("the offers of %s failed", room.name)
        self.apply(room)

    def _tell_later(self, media: str, left: list[tuple[str, Leave]]) -> None:
        self._left.setdefault(media, []).extend(left)
        if self._telling is None:
            self._telling = self._loop.call_later(self._settings.coalesce, self._tell)

    def _tell(self) -> None:
        changed, self._left, self._telling = self._left, {}, None
        for media, left in changed.items():
            for listener in self._listeners:
                listener(MediaChanged(media, tuple(left)))
