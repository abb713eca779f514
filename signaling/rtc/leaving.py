"""Who left by itself, while the relay may tell of data that had come of it.

What the relay has acknowledged and not told yet, it tells as it closes the transport: its sender counts on that.
"""

from __future__ import annotations

from dataclasses import dataclass

from relay.messages import DataReceived, Event, TransportState
from signaling.rtc import events
from signaling.rtc.room import MediaRoom
from signaling.rtc.session import Session
from signaling.rtc.settings import RtcSettings


@dataclass(frozen=True, slots=True)
class Left:
    """A session that is over, where it was, and until when (s) its data go on."""

    room: MediaRoom
    session: Session
    until: float


class Leaving:
    """Such sessions by sid, in order of leaving: `max_leaving` at most, for `parting` seconds at most."""

    def __init__(self, settings: RtcSettings) -> None:
        self._most = settings.max_leaving
        self._seconds = settings.parting
        self._left: dict[str, Left] = {}

    def add(self, room: MediaRoom, session: Session, now: float) -> None:
        """One left; the first ones make place."""
        self._left[session.sid] = Left(room, session, now + self._seconds)
        if len(self._left) > self._most:
            del self._left[next(iter(self._left))]

    def handle(self, sid: str, event: Event, now: float) -> MediaRoom | None:
        """Do what an event wants done that concerns one of them; returns the room."""
        self.forget(now)
        if (left := self._left.get(sid)) is None:
            return None
        if isinstance(event, DataReceived):
            events.handle(left.room, left.session, event, now)
        elif _is_end(event, left.session):
            del self._left[sid]  # all that had come was told before
        return left.room

    def forget(self, now: float) -> None:
        """Those whose time is over."""
        while self._left and (first := next(iter(self._left.values()))).until < now:
            del self._left[first.session.sid]


def _is_end(event: Event, session: Session) -> bool:
    """Whether the connection is over on which a session's data came."""
    if not isinstance(event, TransportState) or event.transport != session.publisher.transport:
        return False
    return event.phase in ("failed", "closed")
