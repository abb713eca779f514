"""What rooms ask over their links (`wire.link.Request`): each room in its own name, each request answered once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import msgspec

from wire.link import AddRooms, Help, MediaAccess, MeetingRef, Remove, Reply, Request
from wire.meetings import Invitation, Meeting, StartMeeting
from wire.problems import Code, Refusal

T = TypeVar("T", bound=msgspec.Struct)


class Office(Protocol):
    """What rooms may ask; `RoomService` does it. `actor` is `room:ID`. Each raises Refusal."""

    async def start(self, actor: str, caller: str | None, request: StartMeeting) -> Meeting:
        """Start a meeting from this room."""

    async def answer(self, room: str, meeting: str) -> None:
        """Take the call."""

    async def decline(self, room: str, meeting: str) -> None:
        """Decline the call."""

    async def leave_room(self, room: str, meeting: str) -> None:
        """Leave the meeting."""

    async def end(self, actor: str, meeting: str) -> None:
        """End the meeting for all."""

    async def add_rooms(self, actor: str, meeting: str, rooms: list[str]) -> None:
        """Ring more rooms, all or none."""

    async def remove(self, actor: str, meeting: str, participant: str) -> None:
        """Take a participant out."""

    async def invite(self, actor: str, meeting: str) -> Invitation:
        """A new guest link."""

    async def revoke_invitations(self, actor: str, meeting: str) -> None:
        """Revoke all guest links of the meeting."""

    async def media(self, room: str, meeting: str) -> MediaAccess:
        """Fresh media tokens for the room."""

    async def ask_help(self, room: str, text: str) -> None:
        """IT is asked to help this room."""


async def answer(office: Office, room: str, request: Request) -> Reply:
    """Do what a room asks; a refusal is its caller's to answer."""
    return Reply(request.id, result=await _HANDLERS[request.op](office, room, request.args))


async def _start(office: Office, room: str, args: dict[str, Any]) -> dict[str, Any]:
    return _plain(await office.start(f"room:{room}", room, _read(args, StartMeeting)))


async def _answer(office: Office, room: str, args: dict[str, Any]) -> dict[str, Any]:
    await office.answer(room, _read(args, MeetingRef).meeting)
    return {}


async def _decline(office: Office, room: str, args: dict[str, Any]) -> dict[str, Any]:
    await office.decline(room, _read(args, MeetingRef).meeting)
    return {}


async def _leave(office: Office, room: str, args: dict[str, Any]) -> dict[str, Any]:
    await office.leave_room(room, _read(args, MeetingRef).meeting)
    return {}


async def _end(office: Office, room: str, args: dict[str, Any]) -> dict[str, Any]:
    await office.end(f"room:{room}", _read(args, MeetingRef).meeting)
    return {}


async def _add_rooms(office: Office, room: str, args: dict[str, Any]) -> dict[str, Any]:
    request = _read(args, AddRooms)
    await office.add_rooms(f"room:{room}", request.meeting, request.rooms)
    return {}


async def _remove(office: Office, room: str, args: dict[str, Any]) -> dict[str, Any]:
    request = _read(args, Remove)
    await office.remove(f"room:{room}", request.meeting, request.participant)
    return {}


async def _invite(office: Office, room: str, args: dict[str, Any]) -> dict[str, Any]:
    return _plain(await office.invite(f"room:{room}", _read(args, MeetingRef).meeting))


async def _revoke(office: Office, room: str, args: dict[str, Any]) -> dict[str, Any]:
    await office.revoke_invitations(f"room:{room}", _read(args, MeetingRef).meeting)
    return {}


async def _media(office: Office, room: str, args: dict[str, Any]) -> dict[str, Any]:
    return _plain(await office.media(room, _read(args, MeetingRef).meeting))


async def _help(office: Office, room: str, args: dict[str, Any]) -> dict[str, Any]:
    await office.ask_help(room, _read(args, Help).text)
    return {}


_HANDLERS: dict[str, Callable[[Office, str, dict[str, Any]], Awaitable[dict[str, Any]]]] = {
    "start_meeting": _start,
    "answer": _answer,
    "decline": _decline,
    "leave": _leave,
    "end": _end,
    "add_rooms": _add_rooms,
    "remove": _remove,
    "invite": _invite,
    "revoke_invitations": _revoke,
    "media": _media,
    "help": _help,
}


def _read(args: dict[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(args, kind)
    except msgspec.ValidationError as error:
        raise Refusal(Code.BAD_REQUEST, f"malformed arguments: {error}") from None


def _plain(value: msgspec.Struct) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(value)
    return plain
