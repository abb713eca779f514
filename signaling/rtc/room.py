"""A media room: who is in, what they publish, who is subscribed to what.

Sans-IO: requests, relay events and the time in; `effects` out. The shell (`server.py`) owns sockets and clocks.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

from livekit.protocol.models import DisconnectReason, ParticipantInfo, SubscriptionError
from livekit.protocol.models import Room as RoomInfo

from relay.messages import CloseTransport, MuteTrack, SetRoom, SpeakerLevel, Stats, TransportState
from signaling.media import Leave, MediaParticipant
from signaling.rtc import demand, ids, responses, turn
from signaling.rtc.counters import JOINED, LEFT
from signaling.rtc.effects import NORMAL, POLICY, Effects, Goodbye, Happened
from signaling.rtc.ends import Ends
from signaling.rtc.history import History
from signaling.rtc.publisher import Bound
from signaling.rtc.quality import Qualities
from signaling.rtc.receiver import Requirement
from signaling.rtc.session import Arrival, Session, State
from signaling.rtc.settings import RtcSettings
from signaling.rtc.speakers import Speakers
from signaling.rtc.track import Track

PER_REQUEST = 4  # people who are told of a track, and offered it or its end: they count as one request of its owner's


class MediaRoom:
    """Sessions in order of joining, by sid. `name` is the LiveKit room name and the relay's room."""

    def __init__(
        self,
        name: str,
        fingerprint: str,
        candidates: Iterable[tuple[str, int, str]],
        settings: RtcSettings,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.wall = wall  # Unix seconds, for what is told; how long something lasts is measured by `now` alone
        self.name = name
        self.sid = ids.room_sid()
        self.settings = settings
        self.created_at = wall()
        self.metadata = ""
        self.max_participants = settings.max_sessions
        self.kept_until = 0.0  # until then it stays though nobody is in it
        self.effects = Effects()
        self.sessions: dict[str, Session] = {}
        self.published: dict[str, tuple[Session, Track]] = {}  # bound tracks by sid, with their owners
        self.speakers = Speakers()
        self.departed: deque[ParticipantInfo] = deque(maxlen=settings.max_sessions)  # for those who resume
        self.history = History(settings.history_bytes, settings.silence + settings.resume)
        self._ends = Ends(name, fingerprint, candidates, settings)
        self._counts = (0, 0)
        self._trailer = ids.frame_trailer()
        self._qualities = Qualities()

    # --- joining and leaving ------------------------------------------------------------------------------------

    def join(self, arrival: Arrival, now: float) -> Session:
        """Let a session in; an older one of the same identity is sent away."""
        for old in [s for s in self.sessions.values() if s.identity == arrival.grants.identity]:
            self.end(old, Leave.DUPLICATE)
        session = self._ends.open(arrival, self.effects.commands, now)
        if not self.sessions and (self.settings.loudest_audio, self.settings.last_video) != (None, None):
            # After its first transport: the relay knows a room by these.
            self.effects.commands.append(SetRoom(self.name, self.settings.loudest_audio, self.settings.last_video))
        others = [other.info() for other in self.sessions.values() if not other.grants.hidden]
        self.sessions[session.sid] = session
        primary = arrival.grants.can_subscribe and not arrival.wishes.single
        servers = turn.announced(self.settings.turn, session.identity, arrival.at)
        join = responses.join(
            self.info(),
            session.info(),
            others,
            self.settings,
            servers,
            subscriber_primary=primary,
            trailer=self._trailer,
        )
        self.effects.send([session.sid], join)
        if speaking := self.speakers.current():
            self.effects.send([session.sid], responses.speakers(speaking))
        self._announce(session, to_self=False)
        for owner in self.sessions.values():
            for track in owner.publisher.tracks:
                self.subscribe(session, owner, track)
        self.negotiate(session, now)
        JOINED.inc()
        return session

    def leave(self, session: Session, reason: Leave) -> None:
        """The client left by itself, or its connection broke: nothing more is sent to it."""
        if session.state is not State.CLOSED:
            self._remove(session, reason, announce=not session.parts(reason))
            self.effects.goodbyes.append(Goodbye(session.sid, NORMAL, str(reason)))
            if session.parts(reason):
                self.effects.leaving.append((session, reason))

    def lose(self, session: Session, now: float, *, keep: bool) -> None:
        """The client's signal connection broke. With `keep` and while its media flows it may come back for a while."""
        if keep and session.state is State.ACTIVE:
            session.lost_at = now
        else:
            self.leave(session, Leave.LOST)

    def end(self, session: Session, reason: Leave) -> None:
        """Send a session away for good."""
        if session.state is not State.CLOSED:
            self.effects.send([session.sid], responses.leave(reason))
            self.leave(session, reason)

    def restart(self, session: Session, reason: DisconnectReason) -> None:
        """Media does not come through, or we stop: ask the client to join again."""
        if session.state is not State.CLOSED:
            self.effects.send([session.sid], responses.reconnect(reason))
            self.leave(session, Leave.LOST)

    def expel(self, session: Session, close_code: int, text: str) -> None:
        """The client broke the protocol."""
        if session.state is not State.CLOSED:
            self.effects.send([session.sid], responses.bad_request())
            self._remove(session, Leave.LOST, announce=True)
            self.effects.goodbyes.append(Goodbye(session.sid, close_code, text))

    def _remove(self, session: Session, reason: Leave, *, announce: bool) -> None:
        del self.sessions[session.sid]
        for track in session.publisher.tracks:
            self._drop_subscriptions(track)
            self.published.pop(track.sid, None)
            self._tell("track_unpublished", session, track)
        lingers = reason is Leave.LEFT and session.speaks  # until what it had sent has come
        kept = session.publisher.stop() if lingers else None
        self.effects.commands.extend(CloseTransport(name) for name in session.transports if name != kept)
        session.move(State.CLOSED)
        if not session.grants.hidden:
            gone = ParticipantInfo(sid=session.sid, identity=session.identity, state=ParticipantInfo.DISCONNECTED)
            self.departed.append(gone)
        self._tell("participant_left", session)
        if changed := self.speakers.silence(session.sid):
            self.effects.send(self.sessions, responses.speakers(changed))
        if announce:
            self._announce(session, to_self=False)
        self.effects.changed = True
        self.effects.left.append((session.identity, reason))
        LEFT.labels(str(reason)).inc()

    # --- what is told -------------------------------------------------------------------------------------------

    def info(self) -> RoomInfo:
        """As told to clients."""
        visible, publishing = self._count()
        return RoomInfo(
            sid=self.sid,
            name=self.name,
            max_participants=self.max_participants,
            metadata=self.metadata,
            creation_time=int(self.created_at),
            creation_time_ms=int(self.created_at * 1000),
            enabled_codecs=responses.enabled_codecs(),
            num_participants=visible,
            num_publishers=publishing,
        )

    def _count(self) -> tuple[int, int]:
        visible = [session for session in self.sessions.values() if not session.grants.hidden]
        return len(visible), sum(bool(session.publisher.tracks) for session in visible)

    def announce(self, session: Session) -> None:
        """Something of a session changed: tell all, itself too."""
        session.version += 1
        self._announce(session, to_self=True)

    def _announce(self, session: Session, *, to_self: bool) -> None:
        self.effects.changed = True
        targets = [] if session.grants.hidden else [sid for sid in self.sessions if sid != session.sid]
        if to_self and session.sid in self.sessions:
            targets.append(session.sid)
        self.effects.send(targets, responses.update([session.info()]))

    def _tell(self, event: str, session: Session, track: Track | None = None) -> None:
        self.effects.happened.append(Happened(event, session.info(), track.info if track is not None else None))

    def participants(self) -> list[MediaParticipant]:
        """As the meeting sees them."""
        return [session.view(self.speakers.active(session.sid)) for session in self.sessions.values()]

    def received(self, session: Session, started: Iterable[Track], refused: Iterable[Track]) -> None:
        """A client takes tracks from now on, or cannot."""
        for track in refused:
            session.declined.add(track.sid)
            error = responses.subscription_error(track.sid, SubscriptionError.SE_CODEC_UNSUPPORTED)
            self.effects.send([session.sid], error)
        for track in started:
            if not track.subscribed:
                track.subscribed = True
                self.effects.send([track.owner], responses.track_subscribed(track.sid))
            if session.subscriber.needs_second(track.sid):
                self.demand(track)

    def demand(self, track: Track) -> None:
        """Tell a track's publisher what to send of it, where that changed."""
        needed = any(session.subscriber.needs_second(track.sid) for session in self.sessions.values())
        if (update := demand.update(track, needed=needed)) is not None:
            self.effects.send([track.owner], responses.subscribed_quality(update))

    # --- tracks and subscriptions -------------------------------------------------------------------------------

    def bound(self, session: Session, bound: Bound, now: float) -> None:
        """An offer or `add_track` bound tracks to sections, or ended some."""
        self.received(session, bound.received.started, bound.received.refused)
        for track in (*bound.ended, *bound.refused):
            self._drop_subscriptions(track)
        for track in bound.ended:
            self.published.pop(track.sid, None)
            self._tell("track_unpublished", session, track)
        for track in [track for track in bound.refused if track.main is None]:
            session.publisher.withdraw(track)
            self.effects.send([session.sid], responses.track_unpublished(track.sid))
        for track in (*bound.started, *bound.seconds):
            if track.info.muted:
                self.effects.commands.extend(MuteTrack(version.sid, muted=True) for version in track.versions)
        for track in bound.seconds:
            self._second_changed(track)
            self.demand(track)
        if bound.started or bound.ended or bound.seconds:
            self._charge(session, bound)
            self.announce(session)  # before the media: subscribers must know whose it is
        for track in bound.started:
            self.published[track.sid] = session, track
            self._tell("track_published", session, track)
            for other in self.sessions.values():
                self.subscribe(other, session, track)
        self.negotiate_all(now)

    def _charge(self, session: Session, bound: Bound) -> None:
        """What an owner's tracks make everybody do counts against it; not as many as it may have, the first time."""
        free = max(0, self.settings.max_tracks - session.starts)
        session.starts += len(bound.started)
        if bound.ended or bound.seconds or len(bound.started) > free:
            session.requests.charge(len(self.sessions) // PER_REQUEST)

    def _second_changed(self, track: Track) -> None:
        """The second codec of a track came or went."""
        for session in self.sessions.values():
            if track.backup is None:
                session.subscriber.second_went(track)
            else:
                session.subscriber.second_came(track)

    def subscribe(self, session: Session, owner: Session, track: Track) -> None:
        """Subscribe a session that wants a track without asking, or say that its owner does not allow it."""
        if not session.wants(owner, track):
            return
        if session.may_hear(owner, track):
            session.awaited.discard(track.sid)
            self.start(session, track)
        elif session.barred(owner, track):
            self.effects.send([session.sid], responses.permission(owner.sid, track.sid, allowed=False))

    def start(self, session: Session, track: Track) -> None:
        """Subscribe, or say why not."""
        if not session.subscriber.subscribe(track):
            waits = session.subscriber.waits(track.sid)
            why = SubscriptionError.SE_UNKNOWN if waits else SubscriptionError.SE_CODEC_UNSUPPORTED
            self.effects.send([session.sid], responses.subscription_error(track.sid, why))

    def _drop_subscriptions(self, track: Track) -> None:
        for other in self.sessions.values():
            other.subscriber.unsubscribe(track.sid, ended=True)
            other.declined.discard(track.sid)
            other.awaited.discard(track.sid)

    def find(self, track_sid: str) -> tuple[Session, Track] | None:
        """A bound track and its owner, hidden owners included."""
        return self.published.get(track_sid)

    def mute(self, session: Session, track: Track, muted: bool) -> None:
        """Stop or resume forwarding, and tell the others.

        Not its own client: that would take it for a mistake and ask for the state it knows of.
        """
        if track.info.muted == muted:
            return
        track.info.muted, track.silenced = muted, False
        if track.mid is not None:
            self.effects.commands.extend(MuteTrack(version.sid, muted) for version in track.versions)
        if muted and track.kind == "audio" and (changed := self.speakers.silence(session.sid)):
            self.effects.send(self.sessions, responses.speakers(changed))
        session.version += 1
        self._announce(session, to_self=False)

    def silence(self, session: Session, source: str) -> None:
        """Mute a session's tracks of a source at the meeting's wish, and ask its client to do so too."""
        for track in session.publisher.tracks:
            if track.source == source and not track.info.muted:
                self.mute(session, track, muted=True)
                track.silenced = True
                self.effects.send([session.sid], responses.mute(track.sid, muted=True))

    def unpublish(self, session: Session, track: Track) -> None:
        """End a track at the meeting's wish; its client stops sending it."""
        self._drop_subscriptions(track)
        self.published.pop(track.sid, None)
        session.publisher.withdraw(track)
        self.effects.send([session.sid], responses.track_unpublished(track.sid))
        self._tell("track_unpublished", session, track)

    # --- negotiation of subscribers -----------------------------------------------------------------------------

    def negotiate(self, session: Session, now: float) -> None:
        """Send the next offer where one is due, or ask for one (path V1)."""
        if not session.grants.can_subscribe or session.lost_at is not None:
            return
        session.subscriber.retry()
        for track in session.subscriber.displaced():
            error = responses.subscription_error(track.sid, SubscriptionError.SE_UNKNOWN)
            self.effects.send([session.sid], error)
        if session.subscriber.pending and not session.offers.take(now):
            self.effects.look_at(session.offers.ready(now))
            return
        due = session.subscriber.due(now)
        if isinstance(due, Requirement):
            self.effects.send([session.sid], responses.media_sections_requirement(due))
        elif due is not None:
            self.effects.send([session.sid], responses.offer(due))

    def negotiate_all(self, now: float) -> None:
        """Send every offer that is due."""
        for session in self.sessions.values():
            self.negotiate(session, now)

    # --- the relay's events -------------------------------------------------------------------------------------

    def transport_changed(self, session: Session, event: TransportState) -> None:
        """A connection came up, failed, or was closed by its peer, who then has none: we close those of ended sessions only."""
        if event.phase in ("failed", "closed"):
            self.restart(session, DisconnectReason.MEDIA_FAILURE)
        elif event.phase == "connected" and event.transport == session.primary and session.state is State.JOINED:
            session.move(State.ACTIVE)
            self._tell("participant_joined", session)
            self._announce(session, to_self=True)

    def spoke(self, levels: list[SpeakerLevel]) -> None:
        """The relay's active speakers."""
        visible = [session for session in self.sessions.values() if not session.grants.hidden]
        owners = {
            track.sid: session.sid for session in visible for track in session.publisher.tracks if not track.info.muted
        }
        if changed := self.speakers.heard(levels, owners):
            self.effects.send(self.sessions, responses.speakers(changed))
            self.effects.changed = True

    def measured(self, stats: Stats) -> None:
        """The relay's counters of this room."""
        self._qualities.judge(stats, self.sessions.values())
        self.tell_qualities()

    def tell_qualities(self) -> None:
        """Tell everyone how the connections do, where that changed."""
        if infos := self._qualities.news(self.sessions.values()):
            self.effects.send(self.sessions, responses.connection_quality(infos))

    # --- time ---------------------------------------------------------------------------------------------------

    def tick(self, now: float) -> list[Session]:
        """Send away the silent and the stuck; returns the sessions whose token is due for renewal."""
        self.history.forget(now)
        due: list[Session] = []
        for session in list(self.sessions.values()):
            if session.lost_at is not None:
                if now - session.lost_at > self.settings.resume:
                    self.leave(session, Leave.LOST)
            elif now - session.heard_at > self.settings.silence:
                self.end(session, Leave.LOST)
            elif session.state is State.JOINED and now - session.opened_at > self.settings.connect:
                self.restart(session, DisconnectReason.CONNECTION_TIMEOUT)
            elif session.subscriber.overdue(now, self.settings.answer):
                self.restart(session, DisconnectReason.STATE_MISMATCH)
            else:
                if session.subscriber.crowded or session.subscriber.pending:
                    self.negotiate(session, now)
                if now >= session.refresh_at:
                    due.append(session)
        if self._count() != self._counts:
            self._counts = self._count()
            self.effects.send(self.sessions, responses.room_update(self.info()))
        return due

    def fault(self, session: Session, code: str) -> None:
        """A bad request was answered; too many of them end the session."""
        session.faults += 1
        if session.faults > self.settings.max_faults:
            self.expel(session, POLICY, f"too_many: bad requests, the last {code}")
