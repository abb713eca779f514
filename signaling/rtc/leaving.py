"""Who left, while data of it are on their way: the others are told of its end after the last of these.

What the relay has acknowledged and not told yet, it tells as the transport is closed: its sender counts on that. Data come
over one connection, the request to leave over another, and clients break off what comes of somebody who is gone. So the
transport of who could say something stays open until its client ends it, for `linger` seconds at most; each of the others is
told of the leave once it has taken what it was sent, `parting` seconds after the leave at the latest.
"""

from __future__ import annotations

from dataclasses import dataclass

from relay.messages import AwaitData, CloseTransport, DataReceived, DataTaken, Event, TransportState
from signaling.rtc import events, responses
from signaling.rtc.room import MediaRoom
from signaling.rtc.session import Session
from signaling.rtc.settings import RtcSettings


@dataclass(slots=True)
class Left:
    """A session that is over, where it was, and until when (s) the others may wait for the news.

    `speaks`: its data may still come. `open`: on a transport that the relay was not told to close. `untold`: the sids of
    those who do not know yet.
    """

    room: MediaRoom
    session: Session
    until: float
    speaks: bool
    open: bool
    untold: set[str]


class Leaving:
    """Such sessions by sid, in order of leaving: `max_leaving` at most, for `parting` seconds at most.

    Whoever calls applies the effects of the rooms concerned.
    """

    def __init__(self, settings: RtcSettings) -> None:
        self._most = settings.max_leaving
        self._seconds = settings.parting
        self._left: dict[str, Left] = {}

    def add(self, room: MediaRoom, session: Session, now: float, *, speaks: bool) -> MediaRoom:
        """One left; the first one makes place: returns its room, or this one."""
        untold = set() if session.grants.hidden else set(room.sessions)
        left = Left(room, session, now + self._seconds, speaks, speaks and session.speaks, untold)
        self._left[session.sid] = left
        if not speaks:
            self._ask(left)
        if len(self._left) <= self._most:
            return room
        first = next(iter(self._left.values()))
        self._end(first)
        return first.room

    def handle(self, sid: str, event: Event, now: float) -> MediaRoom | None:
        """Do what an event wants done that concerns one of them; returns the room."""
        if (left := self._left.get(sid)) is None or left.until < now:
            return None
        if isinstance(event, DataTaken):
            self._tell(left, {events.session_of(event.transport)})
        elif not left.speaks:
            return None
        elif isinstance(event, DataReceived):
            events.handle(left.room, left.session, event, now)
        elif _is_end(event, left.session):
            self.close(sid)
            left.speaks = False  # all that had come was told before
            self._ask(left)
        return left.room

    def close(self, sid: str) -> MediaRoom | None:
        """Its client has ended the transport, or had time to; returns the room where the relay is to close it."""
        if (left := self._left.get(sid)) is None or not left.open:
            return None
        left.open = False
        left.room.effects.commands.append(CloseTransport(left.session.publisher.transport))
        return left.room

    def tell(self, media: str, identity: str | None = None, *, silence: bool) -> list[MediaRoom]:
        """All know now that an identity left a media room (None: anybody); returns the rooms.

        `silence`: what may still come of it goes to nobody.
        """
        named = [left for left in self._left.values() if left.session.identity == (identity or left.session.identity)]
        told = [left for left in named if left.room.name == media]
        for left in told:
            if silence:
                self._end(left)
            else:
                self._tell(left, set(left.untold))
        return [left.room for left in told]

    def forget(self, now: float) -> None:
        """Those whose time is over."""
        while self._left and (first := next(iter(self._left.values()))).until < now:
            self._end(first)

    def _ask(self, left: Left) -> None:
        """Nothing more comes of it: tell all for whom nothing waits, and ask when the others have it."""
        present = [session for sid, session in left.room.sessions.items() if sid in left.untold]
        takers = [session for session in present if session.takes_data] if left.session.spoke else []
        asked = [AwaitData(left.session.sid, session.subscriber.transport) for session in takers]
        left.room.effects.commands.extend(asked)
        self._tell(left, left.untold - {session.sid for session in takers})

    def _tell(self, left: Left, sids: set[str]) -> None:
        present = [sid for sid in left.room.sessions if sid in left.untold & sids]
        left.room.effects.send(present, responses.update([left.session.info()]))
        left.untold -= sids
        if not left.untold and not left.speaks:
            self._left.pop(left.session.sid, None)

    def _end(self, left: Left) -> None:
        self.close(left.session.sid)
        left.speaks = False
        self._tell(left, set(left.untold))


def _is_end(event: Event, session: Session) -> bool:
    """Whether the connection is over on which a session's data came."""
    if not isinstance(event, TransportState) or event.transport != session.publisher.transport:
        return False
    return event.phase in ("failed", "closed")
