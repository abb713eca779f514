"""Meetings, participants, invitations, and joining by link."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec


class RoomCall(StrEnum):
    """Where a room of a meeting stands."""

    RINGING = "ringing"
    PREPARING = "preparing"
    JOINED = "joined"
    DECLINED = "declined"
    UNANSWERED = "unanswered"
    LOST = "lost"  # was in, its agent is silent; expected back
    LEFT = "left"


class MeetingRoom(msgspec.Struct, frozen=True, omit_defaults=True):
    """A room of a meeting. `until` (Unix seconds) is when ringing ends."""

    id: str
    call: RoomCall
    until: float | None = None


class Participant(msgspec.Struct, frozen=True, omit_defaults=True):
    """One participant: a room (its sessions folded into one) or a person. `id` is the media identity (`room:ID`, `guest:…`)."""

    id: str
    kind: Literal["room", "person"]
    name: str
    center: str | None = None  # center id, for rooms
    mic: bool = False  # open
    camera: bool = False  # open
    screen: bool = False  # shares its screen
    speaking: bool = False
    joined_at: float | None = None


class Meeting(msgspec.Struct, frozen=True, omit_defaults=True):
    """A live session. `media` is the LiveKit room name; `started_at` Unix seconds."""

    id: str
    media: str
    title: str
    started_at: float
    started_by: str  # room:ID, it:ID …
    rooms: dict[str, MeetingRoom] = {}
    participants: dict[str, Participant] = {}


class Invitation(msgspec.Struct, frozen=True, omit_defaults=True):
    """A guest link. `url` holds the secret: shown to those in the meeting only. `expires_at` Unix seconds."""

    id: str
    url: str
    expires_at: float


class InvitationView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person who opens a guest link sees before joining."""

    title: str
    started_at: float
    present: list[Participant] = []


class JoinRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /api/v1/invitations/{secret}/join`. `name` 1–60 printable characters."""

    name: str
    language: str = "fr"


class RefreshRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /api/v1/sessions/refresh` and `/leave`: the secret given with the join grant."""

    refresh: str


class JoinGrant(msgspec.Struct, frozen=True, omit_defaults=True):
    """What opens the media: `url` for livekit-client, a `token` valid `expires_in` seconds, and how to get the next."""

    url: str
    token: str
    identity: str
    meeting: str
    title: str
    expires_in: float
    refresh: str


class StartMeeting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /api/v1/meetings` (IT) and the agent's request `start_meeting`: rooms by id, all or none.

    `media` names the LiveKit room; only IT may choose it, by default it is minted.
    """

    rooms: list[str]
    title: str = ""
    media: str = ""
