"""One media session: a client's identity, rights, state and its two connections."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from livekit.protocol.models import ParticipantInfo, ParticipantPermission, TrackSource
from livekit.protocol.rtc import SignalResponse

from signaling.media import Grants, Leave, MediaParticipant
from signaling.rtc.arrivals import Wishes
from signaling.rtc.limits import Bucket
from signaling.rtc.publisher import Publisher
from signaling.rtc.receiver import Receiver
from signaling.rtc.settings import RtcSettings
from signaling.rtc.subscriber import Subscriber
from signaling.rtc.track import SOURCE_NAMES, Track

RESERVED_ATTRIBUTES = frozenset({"room", "center", "kind"})  # set by tokens only: they decide who hears whom
_SOURCES = {name: number for number, name in SOURCE_NAMES.items()}


class State(Enum):
    """Where a session stands: told `join`; its primary connection is up; over."""

    JOINED = ParticipantInfo.JOINED
    ACTIVE = ParticipantInfo.ACTIVE
    CLOSED = ParticipantInfo.DISCONNECTED


_NEXT = {
    State.JOINED: {State.ACTIVE, State.CLOSED},
    State.ACTIVE: {State.CLOSED},
    State.CLOSED: set[State](),
}


@dataclass(frozen=True)
class Arrival:
    """What the request for a WebSocket said, checked.

    Rights, when it came (Unix s), how long its token lasts from then (s), the API key, and the client's wishes.
    """

    grants: Grants
    at: float
    lifetime: float
    key: str
    wishes: Wishes


@dataclass
class Permission:
    """Who may subscribe to a session's tracks, as its owner said (`subscription_permission`)."""

    everyone: bool = True
    all_tracks: set[str] = field(default_factory=set)  # identities and participant sids
    tracks: set[tuple[str, str]] = field(default_factory=set)  # (identity or participant sid, track sid)

    def allows(self, subscriber: Session, track: Track) -> bool:
        """Whether `subscriber` may have `track`."""
        names = (subscriber.grants.identity, subscriber.sid)
        return self.everyone or any(n in self.all_tracks or (n, track.sid) in self.tracks for n in names)


class Session:
    """One client in a media room. Times are seconds of the monotonic clock, `joined_at` alone is told: Unix seconds."""

    def __init__(
        self,
        sid: str,
        arrival: Arrival,
        publisher: Publisher,
        subscriber: Subscriber | Receiver,
        settings: RtcSettings,
        now: float,
    ) -> None:
        self.sid = sid
        self.grants = self.first_grants = arrival.grants
        self.refresh_at = _refresh_at(now, arrival.lifetime)
        self.key = arrival.key
        self.auto_subscribe = arrival.wishes.auto_subscribe
        self.client_protocol = arrival.wishes.client_protocol
        self.capabilities = arrival.wishes.capabilities
        self.name = arrival.grants.name
        self.metadata = arrival.grants.metadata
        self.attributes = dict(arrival.grants.attributes)
        self.publisher = publisher
        self.subscriber = subscriber
        self.permission = Permission()
        self.deaf = False  # the right to subscribe, that it came with, was taken away
        self.declined: set[str] = set()  # tracks the client unsubscribed from, or could not take
        self.awaited: set[str] = set()  # tracks it asked for while their owners did not allow it
        self.state = State.JOINED
        self.joined_at = arrival.at
        self.opened_at = now
        self.heard_at = now
        self.version = 1
        self.lost_at: float | None = None  # its signal connection broke; it may come back
        self.broken_at: float | None = None  # the same of one that came back, until it said what it has
        self.missed: list[SignalResponse] = []  # said to it alone meanwhile
        self.last_sequence = 0  # of its reliable data packets
        self.spoke = False  # reliable data of it went on
        self.up = False  # the connection came up on which it sends
        self.candidates = 0
        self.faults = 0
        self.starts = 0  # of its tracks
        self.requests = Bucket(settings.request_rate, settings.request_burst, now)
        self.offers = Bucket(settings.offer_rate, settings.offer_burst, now)  # of ours to it
        self.data = Bucket(settings.data_rate, settings.data_burst, now)
        self.reliable = Bucket(settings.reliable_rate, settings.reliable_burst, now)

    @property
    def identity(self) -> str:
        """Unique within a media room."""
        return self.grants.identity

    @property
    def primary(self) -> str:
        """The transport whose connection makes the session active."""
        return self.subscriber.transport if self.grants.can_subscribe else self.publisher.transport

    def move(self, state: State) -> None:
        """Take a step of the table."""
        if state not in _NEXT[self.state]:
            raise ValueError(f"session {self.sid}: {self.state.name} -> {state.name}")
        self.state = state
        self.version += 1

    def found(self, arrival: Arrival, now: float) -> list[SignalResponse]:
        """It came back on a new signal connection; returns what it missed."""
        self.broken_at, self.lost_at = self.lost_at or now, None
        self.heard_at, self.candidates = now, 0
        self.refresh_at = _refresh_at(now, arrival.lifetime)
        missed, self.missed = self.missed, []
        return missed

    @property
    def transports(self) -> list[str]:
        """Its connections at the relay: two on path V0, one on path V1 or where it may not subscribe."""
        ends = [self.publisher.transport]
        if self.grants.can_subscribe and self.subscriber.transport not in ends:
            ends.append(self.subscriber.transport)
        return ends

    def parts(self, reason: Leave) -> bool:
        """Whether data of it may be on their way as it goes for this reason: the others hear of that later."""
        return reason is Leave.LEFT or (reason is Leave.LOST and self.spoke)

    @property
    def speaks(self) -> bool:
        """Whether reliable data of it may be on their way: some came before, or it has the right and a channel.

        It may have opened that and sent without waiting for us: so its offer counts, not what the relay has seen of it.
        """
        return self.spoke or (self.up and self.publisher.has_data and self.grants.can_publish_data)

    @property
    def takes_data(self) -> bool:
        """Whether data reach it: on path V0 over the connection that we offer, on V1 where its client offered channels."""
        if self.state is not State.ACTIVE or not self.grants.can_subscribe:
            return False
        return self.subscriber.transport != self.publisher.transport or self.publisher.has_data

    def refreshed(self, lifetime: float, now: float) -> None:
        """A new token was sent that lasts so many seconds."""
        self.refresh_at = _refresh_at(now, lifetime)

    def may_publish(self, source: str) -> bool:
        """Whether the grants let it publish a source."""
        sources = self.grants.can_publish_sources
        return self.grants.can_publish and (not sources or source in sources)

    def same_room(self, other: Session) -> bool:
        """Whether both are sessions of one physical room."""
        room = self.grants.attributes.get("room")
        return bool(room) and room == other.grants.attributes.get("room")

    def may_hear(self, owner: Session, track: Track) -> bool:
        """Whether it may be subscribed to a track: grants, its owner's permission, and no room's own audio (howling)."""
        return self._could_hear(owner, track) and owner.permission.allows(self, track)

    def barred(self, owner: Session, track: Track) -> bool:
        """Whether nothing but its owner's permission keeps a track from it."""
        return self._could_hear(owner, track) and not owner.permission.allows(self, track)

    def _could_hear(self, owner: Session, track: Track) -> bool:
        if not self.grants.can_subscribe or self.deaf or owner is self or track.codec is None:
            return False
        return not (track.kind == "audio" and self.same_room(owner))

    def wants(self, owner: Session, track: Track) -> bool:
        """Whether it gets a track without asking (again): all but the pictures of its own room, and what it asked for."""
        if track.sid in self.awaited:
            return True
        return self.auto_subscribe and track.sid not in self.declined and not self.same_room(owner)

    def info(self) -> ParticipantInfo:
        """As told to clients."""
        tracks = self.publisher.tracks
        return ParticipantInfo(
            sid=self.sid,
            identity=self.identity,
            state=self.state.value,
            tracks=[track.info for track in tracks],
            metadata=self.metadata,
            joined_at=int(self.joined_at),
            joined_at_ms=int(self.joined_at * 1000),
            name=self.name,
            version=self.version,
            permission=self._permission(),
            is_publisher=bool(tracks),
            attributes=self.attributes,
            client_protocol=self.client_protocol,
            capabilities=self.capabilities,
        )

    def _permission(self) -> ParticipantPermission:
        grants = self.grants
        sources: list[TrackSource] = [_SOURCES[name] for name in grants.can_publish_sources]
        return ParticipantPermission(
            can_subscribe=grants.can_subscribe and not self.deaf,
            can_publish=grants.can_publish,
            can_publish_data=grants.can_publish_data,
            can_publish_sources=sources,
            can_update_metadata=grants.can_update_own_metadata,
            hidden=grants.hidden,
        )

    def view(self, speaking: bool) -> MediaParticipant:
        """As the meeting sees it."""
        live = {track.source or track.kind for track in self.publisher.tracks if not track.info.muted}
        return MediaParticipant(
            grants=self.grants,
            joined_at=self.joined_at,
            mic=bool(live & {"microphone", "audio"}),  # a client may not name its sources
            camera=bool(live & {"camera", "video"}),
            screen="screen_share" in live,
            speaking=speaking,
        )


def _refresh_at(now: float, lifetime: float) -> float:
    """When to send the next token: half way to expiry, five minutes before it at the latest."""
    return now + lifetime - min(300.0, max(0.0, lifetime) / 2)
