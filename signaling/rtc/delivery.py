"""Who is connected, and what reaches them: messages to open connections, and what is kept for clients that may resume."""

from __future__ import annotations

from livekit.protocol.rtc import SignalResponse

from signaling.rtc import frames
from signaling.rtc.connection import Connection, Frame
from signaling.rtc.effects import Effects
from signaling.rtc.room import MediaRoom
from signaling.rtc.settings import RtcSettings

_KEPT = frozenset(  # what is said to one client alone, and cannot be told from how things are
    {
        "mute",
        "track_published",
        "track_unpublished",
        "track_subscribed",
        "subscription_response",
        "subscription_permission_update",
        "request_response",
        "refresh_token",
    }
)


class Delivery:
    """Sessions of the server by sid: the room of each in `places`, the open connection of each in `connections`."""

    def __init__(self, settings: RtcSettings) -> None:
        self._settings = settings
        self.places: dict[str, MediaRoom] = {}
        self.connections: dict[str, Connection] = {}

    @property
    def kept(self) -> int:
        """Sessions whose client is away and may resume."""
        return len(self.places) - len(self.connections)

    def send(self, effects: Effects) -> set[str]:
        """Queue messages, each coded once per kind of frame; returns the sessions whose outbox is over its bound."""
        slow: set[str] = set()
        for sids, message in effects.messages:
            coded: dict[bool, Frame] = {}
            for sid in sids:
                connection = self.connections.get(sid)
                if connection is None:
                    if not self._keep(sid, message):
                        slow.add(sid)
                elif not connection.push(_coded(coded, message, connection.text)):
                    slow.add(sid)
        return slow

    def _keep(self, sid: str, message: SignalResponse) -> bool:
        """Keep a message for a client that may resume; False where it has missed too many."""
        place = self.places.get(sid)
        session = place.sessions.get(sid) if place is not None else None
        if session is None or session.lost_at is None or message.WhichOneof("message") not in _KEPT:
            return True
        session.missed.append(message)
        return len(session.missed) <= self._settings.max_missed


def _coded(coded: dict[bool, Frame], message: SignalResponse, text: bool) -> Frame:
    if text not in coded:
        coded[text] = frames.encode(message, text=text)
    return coded[text]
