"""Media sessions seen as participants: a room is one participant, whatever number of sessions it has."""

from __future__ import annotations

from collections.abc import Iterable

from signaling.centers.directory import Directory
from signaling.media import Grants, MediaParticipant
from wire.meetings import Participant

ROOM = "room:"


def room_of(grants: Grants) -> str | None:
    """The room that a session belongs to (`room:ID`, `room:ID/display`, or by attribute), None for people."""
    if grants.identity.startswith(ROOM):
        return grants.identity.removeprefix(ROOM).partition("/")[0]
    return grants.attributes.get("room") or None


def rooms_in(sessions: Iterable[MediaParticipant]) -> frozenset[str]:
    """Rooms with at least one session, hidden ones included."""
    return frozenset(room for session in sessions if (room := room_of(session.grants)) is not None)


def people_in(sessions: Iterable[MediaParticipant]) -> frozenset[str]:
    """Identities of visible sessions that are of no room."""
    return frozenset(
        session.grants.identity for session in sessions if not session.grants.hidden and room_of(session.grants) is None
    )


def fold(sessions: Iterable[MediaParticipant], directory: Directory) -> dict[str, Participant]:
    """Visible participants by id, in order of joining, each room once."""
    folded: dict[str, Participant] = {}
    for session in sessions:
        if session.grants.hidden:
            continue
        new = _participant(session, directory)
        old = folded.get(new.id)
        folded[new.id] = new if old is None else _merge(old, new)
    return folded


def _participant(session: MediaParticipant, directory: Directory) -> Participant:
    grants = session.grants
    room = room_of(grants)
    place = directory.rooms.get(room) if room is not None else None
    return Participant(
        id=grants.identity if room is None else ROOM + room,
        kind="person" if room is None else "room",
        name=place.name if place else grants.name or grants.identity,
        center=place.center if place else None,
        mic=session.mic,
        camera=session.camera,
        screen=session.screen,
        speaking=session.speaking,
        joined_at=session.joined_at,
    )


def _merge(old: Participant, new: Participant) -> Participant:
    """Two sessions of one room: what either does, the room does."""
    return Participant(
        id=old.id,
        kind=old.kind,
        name=old.name,
        center=old.center,
        mic=old.mic or new.mic,
        camera=old.camera or new.camera,
        screen=old.screen or new.screen,
        speaking=old.speaking or new.speaking,
        joined_at=min(old.joined_at or 0.0, new.joined_at or 0.0),
    )
