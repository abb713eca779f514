"""What each event of the relay that concerns one session does; and whose track an event speaks of."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from livekit.protocol.models import DisconnectReason

from relay.messages import (
    AddTrack,
    CloseTransport,
    Command,
    CommandFailed,
    DataReceived,
    DataTaken,
    DropData,
    Event,
    LayersWanted,
    RemoveTrack,
    SubscriptionPaused,
    TransportState,
)
from signaling.rtc import data, responses
from signaling.rtc.counters import RELAY_FAILED
from signaling.rtc.room import MediaRoom
from signaling.rtc.session import Session

log = logging.getLogger(__name__)
_VITAL = frozenset({"open_transport", "add_track", "subscribe"})  # without these a session is silent
_LASTING = frozenset({"limit", "invalid"})  # codes of what would be refused again; others tell of what has just ended


class Owners:
    """Whose the relay's tracks are, learnt from the commands that go there."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}  # track -> session sid
        self._tracks: dict[str, set[str]] = {}  # session sid -> tracks

    def note(self, commands: Iterable[Command]) -> None:
        """Commands on their way to the relay."""
        for command in commands:
            if isinstance(command, AddTrack):
                sid = session_of(command.transport)
                self._owners[command.track] = sid
                self._tracks.setdefault(sid, set()).add(command.track)
            elif isinstance(command, RemoveTrack):
                if (sid := self._owners.pop(command.track, "")) in self._tracks:
                    self._tracks[sid].discard(command.track)
            elif isinstance(command, CloseTransport):
                for track in self._tracks.pop(session_of(command.transport), ()):
                    self._owners.pop(track, None)

    def session(self, event: Event) -> str:
        """The sid of the session that an event concerns; empty where it concerns none."""
        if isinstance(event, TransportState | DataReceived):
            return session_of(event.transport)
        if isinstance(event, SubscriptionPaused):
            return session_of(event.subscription)
        if isinstance(event, DataTaken):
            return event.request
        if isinstance(event, CommandFailed):
            return self._owners.get(event.id, "") if event.command == "add_track" else session_of(event.id)
        return self._owners.get(event.track, "") if isinstance(event, LayersWanted) else ""


def session_of(name: str) -> str:
    """The sid in the relay's name of a transport or subscription of ours."""
    return name.partition("/")[0]


def refused(event: CommandFailed) -> None:
    """Count what the relay refused, whoever it concerns."""
    RELAY_FAILED.labels(event.command, event.code).inc()
    log.warning("the relay refused %s of %s: %s %s", event.command, event.id, event.code, event.message)


def handle(room: MediaRoom, session: Session, event: Event, now: float) -> None:
    """Do what an event wants done in its session's room."""
    if isinstance(event, DataReceived):
        goes_on = event.transport == session.publisher.transport and _data(room, session, event, now)
        if event.reliable and not goes_on:  # else what goes on is the answer
            room.effects.commands.append(DropData(event.transport))
    elif isinstance(event, TransportState):
        secured = f"DTLS {event.dtls}, {event.srtp_profile}" if event.dtls else ""
        log.info("%s of %r: %s %s", event.transport, session.identity, event.phase, secured)
        session.up |= event.phase == "connected" and event.transport == session.publisher.transport
        room.transport_changed(session, event)
    elif isinstance(event, CommandFailed):
        if event.command in _VITAL and event.code in _LASTING:
            room.restart(session, DisconnectReason.MEDIA_FAILURE)
    elif isinstance(event, LayersWanted):
        _wanted(room, session, event)
    elif isinstance(event, SubscriptionPaused):
        _withheld(room, session, event)


def _data(room: MediaRoom, session: Session, event: DataReceived, now: float) -> bool:
    """A data packet of a session; whether it goes on."""
    if not (session.reliable if event.reliable else session.data).take(now):
        return data.drop("rate")
    before = session.last_sequence
    command = data.route(session, event, room.sessions.values(), max_bytes=room.settings.max_data)
    if command is None:
        return False
    room.effects.commands.append(command)
    session.spoke |= event.reliable
    if session.last_sequence > before:
        room.history.add(session.sid, session.last_sequence, now, command.transports, command.payload)
    return True


def _wanted(room: MediaRoom, session: Session, event: LayersWanted) -> None:
    for track in session.publisher.tracks:
        for version in track.versions:
            if version.sid == event.track:
                version.layers_wanted = event.layers
                room.demand(track)


def _withheld(room: MediaRoom, session: Session, event: SubscriptionPaused) -> None:
    """A video is withheld from the session, or no longer: tell it, and what that says of its connection."""
    if (subscription := session.subscriber.find(event.subscription)) is None:
        return
    subscription.withheld = event.reason if event.paused else None
    room.effects.send([session.sid], responses.stream_state(subscription.track, paused=event.paused))
    room.tell_qualities()
