"""Whether rooms can be called: all of them or none, and who could stand in. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from signaling.centers.directory import Directory
from signaling.rooms import notices
from wire.health import Health, Verdict
from wire.link import Phase
from wire.problems import Code, Notice, Refusal
from wire.views import Availability

_CODES: Final[dict[Availability, tuple[Code, str]]] = {
    "busy": (Code.ROOM_BUSY, "is busy"),
    "offline": (Code.ROOM_OFFLINE, "is offline"),
    "unusable": (Code.ROOM_UNUSABLE, "is unusable"),
    "unknown": (Code.ROOM_UNVERIFIED, "has not proven that it works"),
    "maintenance": (Code.ROOM_MAINTENANCE, "is in maintenance"),
}


@dataclass(frozen=True)
class Readiness:
    """Can a room take a call now, and why not."""

    availability: Availability
    because: Notice | None = None

    @property
    def free(self) -> bool:
        """Whether the room can be called."""
        return self.availability == "free"


def readiness(verdict: Verdict, *, online: bool, phase: Phase, taken: bool, caller: bool = False) -> Readiness:
    """Draw a room's readiness. `taken`: in a meeting or called by one; `caller`: it asks to call others itself."""
    because = verdict.because[0] if verdict.because else None
    if verdict.health is Health.MAINTENANCE or phase is Phase.MAINTENANCE:
        return Readiness("maintenance", because)
    if not online:
        return Readiness("offline", because)
    if taken or phase not in ((Phase.IDLE, Phase.CALLING) if caller else (Phase.IDLE,)):
        return Readiness("busy", Notice(notices.BUSY))
    if verdict.health is Health.UNUSABLE:
        return Readiness("unusable", because)
    if verdict.health is Health.UNKNOWN:
        return Readiness("unknown", because)
    return Readiness("free")


def stand_in(directory: Directory, ready: Mapping[str, Readiness], room: str, wanted: Sequence[str] = ()) -> str | None:
    """A free healthy room of the same center, the nearest in seats, that is not wanted already."""
    for other in directory.neighbours(room):
        if other.id not in wanted and ready[other.id].free:
            return other.id
    return None


def check_call(
    directory: Directory, ready: Mapping[str, Readiness], rooms: Sequence[str], *, limit: int, caller: str | None = None
) -> None:
    """Raise the Refusal of the first room that cannot be called; nothing where all can.

    no_rooms, too_many, bad_request (a room twice, the caller itself), room_unknown, room_busy, room_offline,
    room_unusable, room_unverified, room_maintenance.
    """
    check_list(directory, rooms, limit=limit, caller=caller)
    for room in (*([caller] if caller else ()), *rooms):
        if not ready[room].free:
            code, words = _CODES[ready[room].availability]
            instead = stand_in(directory, ready, room, rooms)
            raise Refusal(code, f"room {room} {words}", room=room, instead=instead)


def check_list(directory: Directory, rooms: Sequence[str], *, limit: int, caller: str | None = None) -> None:
    """Refuse lists that make no sense, whatever state the rooms are in."""
    if not rooms:
        raise Refusal(Code.NO_ROOMS, "name at least one room to call")
    if len(rooms) + (caller is not None) > limit:
        raise Refusal(Code.TOO_MANY, f"a meeting holds at most {limit} rooms")
    seen: set[str] = set()
    for room in rooms:
        directory.room(room)
        if room == caller:
            raise Refusal(Code.BAD_REQUEST, f"room {room} calls itself", room=room)
        if room in seen:
            raise Refusal(Code.BAD_REQUEST, f"room {room} is named twice", room=room)
        seen.add(room)
