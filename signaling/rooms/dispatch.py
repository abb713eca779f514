"""Carries out what meetings decide: commands to rooms' agents, ends of media sessions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from signaling.centers.directory import Directory
from signaling.media import Grants, Leave, MediaRooms
from signaling.rooms.courier import Courier, Op
from signaling.rooms.effects import (
    CloseMedia,
    Effect,
    EvictPerson,
    EvictRoom,
    PrepareRoom,
    ReleaseRoom,
    RingRoom,
    StopRinging,
)
from signaling.rooms.meeting import MeetingState
from signaling.rooms.participants import ROOM, room_of
from signaling.rooms.ports import TokenMint
from signaling.rooms.presence import RoomPresence
from signaling.rooms.settings import RoomSettings
from wire.link import MediaAccess, MeetingRef, Prepare, Release, Ring

PREPARE_SECONDS: Final = 60.0  # later, a room that hears of it for the first time would be a surprise
RELEASE_SECONDS: Final = 600.0
_log = logging.getLogger(__name__)


class Dispatch:
    """Turns effects into commands and media calls. `rooms` and `couriers` are by room id."""

    def __init__(
        self,
        rooms: Mapping[str, RoomPresence],
        media: MediaRooms,
        tokens: TokenMint,
        directory: Directory,
        settings: RoomSettings,
        clock: Callable[[], float],
    ) -> None:
        self._rooms = rooms
        self._media = media
        self._tokens = tokens
        self._directory = directory
        self._settings = settings
        self._clock = clock
        self.couriers = {room: Courier(room) for room in rooms}

    def perform(self, state: MeetingState, effects: tuple[Effect, ...], actor: str) -> None:
        """Carry out the effects of one step; one that fails is logged and does not keep the others from being done."""
        for effect in effects:
            try:
                self._one(state, effect, actor)
            except Exception:
                _log.exception("meeting %s: %s was not carried out", state.id, type(effect).__name__)

    def _one(self, state: MeetingState, effect: Effect, actor: str) -> None:
        now = self._clock()
        match effect:
            case RingRoom(room, until):
                ring = Ring(state.id, state.title, _caller(state, room), until)
                self.post(room, "ring", ring, deadline=until, actor=actor)
            case StopRinging(room):
                self.post(room, "stop_ring", MeetingRef(state.id), deadline=now + RELEASE_SECONDS, actor=actor)
            case PrepareRoom(room):
                prepare = Prepare(state.id, state.title, self.access(state, room))
                self.post(room, "prepare", prepare, deadline=now + PREPARE_SECONDS, actor=actor)
            case ReleaseRoom(room, reason):
                release = Release(state.id, reason, {id: seat.call for id, seat in state.seats.items()})
                self.post(room, "release", release, deadline=now + RELEASE_SECONDS, actor=actor)
            case EvictRoom(room, reason):
                self._evict(state.media, room, reason)
            case EvictPerson(identity, reason):
                self._media.remove(state.media, identity, reason)
            case CloseMedia():
                self._media.end(state.media)

    def post(self, room: str, op: Op, args: msgspec.Struct, *, deadline: float, actor: str) -> None:
        """Send a command to a room's agent, now or when its link is back while it is still valid."""
        if room not in self.couriers:
            return  # the room is no longer in the directory
        command = self.couriers[room].post(op, args, deadline=deadline, actor=actor)
        link = self._rooms[room].link
        if link is not None:
            link.offer(command)

    def access(self, state: MeetingState, room: str) -> MediaAccess:
        """Fresh tokens for a room: its own session publishes, its display's hidden one only subscribes."""
        place = self._directory.rooms.get(room)
        center = place.center if place else ""
        attributes = {"room": room, "center": center, "kind": "room"}
        name = place.name if place else room
        ttl = self._settings.token_ttl
        own = Grants(ROOM + room, state.media, name=name, attributes=attributes)
        display = Grants(
            f"{ROOM}{room}/display",
            state.media,
            name=name,
            attributes=attributes,
            can_publish=False,
            can_publish_data=False,
            hidden=True,
        )
        return MediaAccess(
            url=self._settings.media_url,
            token=self._tokens.mint(own, ttl),
            display_token=self._tokens.mint(display, ttl),
            expires_in=float(ttl),
        )

    def _evict(self, media: str, room: str, reason: Leave) -> None:
        present = self._media.participants(media)
        ended = {session.grants.identity for session in present if room_of(session.grants) == room}
        for identity in (ROOM + room, *sorted(ended - {ROOM + room})):  # its own session may just have left
            self._media.remove(media, identity, reason)


def _caller(state: MeetingState, room: str) -> str:
    """Which room a ringing room is told about: who is there, else who else is called."""
    here = [other for other in (*state.present, *state.active) if other != room]
    if state.caller in here:
        return state.caller or ""
    return here[0] if here else room
