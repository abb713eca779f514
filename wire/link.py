"""The agent's control link: one WebSocket (`/link`), JSON text frames ≤ 256 KiB, dialled by the agent.

    server  challenge{nonce}
    agent   hello{room, key, signature, protocols, software, boot}     signature over b"roomctl-link-1\\n" + room + b"\\n" + nonce
    server  welcome{…} | refused{problem} and close
    then    agent: report, request, result, beat      server: command, reply, document (snapshot or patch), beat

A request is answered by one reply with its id. A command is answered by result `accepted`, then `done` or `failed`;
the same idempotency key is run once and its result repeated; one whose deadline passed is `failed(command_expired)`.
Heartbeats every `heartbeat` seconds both ways. Either side closes a link silent for 3 heartbeats.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import msgspec

from wire.devices import Device, DeviceResult
from wire.health import Signal
from wire.live import Patch, Snapshot
from wire.meetings import RoomCall
from wire.problems import Problem

PROTOCOL = 1
SIGNING_CONTEXT = b"roomctl-link-1\n"
MAX_FRAME = 256 * 1024  # bytes


class Phase(StrEnum):
    """State of a room, owned by its agent."""

    IDLE = "idle"
    CALLING = "calling"  # asked the server, nobody answered yet
    RINGING = "ringing"  # someone calls this room
    PREPARING = "preparing"  # devices warm up, media joins
    IN_MEETING = "in_meeting"
    RELEASING = "releasing"
    MAINTENANCE = "maintenance"
    OFFLINE = "offline"  # as others see it: no link


class _Link(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """Base of all link messages."""


# --- agent to server --------------------------------------------------------------------------------------------


class Hello(_Link, frozen=True, tag="hello"):
    """`key` and `signature` are base64 (raw Ed25519 public key, 32 bytes; signature, 64 bytes)."""

    room: str
    key: str
    signature: str
    protocols: tuple[int, int]  # min, max
    software: str
    boot: str  # random id of this agent process


class Report(_Link, frozen=True, tag="report"):
    """State of the room: sent whole after `welcome`, then on change.

    `devices` holds only those that changed. `signals`, where there are any, are all that hold now: one that is left out
    is withdrawn. `meeting` belongs to `phase`: a phase without one is in none.
    """

    phase: Phase | None = None
    meeting: str | None = None  # id, while in or joining one
    devices: dict[str, Device] = {}
    signals: list[Signal] = []


class Request(_Link, frozen=True, tag="request"):
    """The room asks the server. `args` is the struct named below, as JSON.

    start_meeting StartMeeting · answer, decline, leave, end MeetingRef · add_rooms AddRooms · remove Remove ·
    invite MeetingRef → Invitation · revoke_invitations MeetingRef · media MeetingRef → MediaAccess · help Help
    """

    id: int
    op: Literal[
        "start_meeting",
        "answer",
        "decline",
        "leave",
        "end",
        "add_rooms",
        "remove",
        "invite",
        "revoke_invitations",
        "media",
        "help",
    ]
    args: dict[str, Any] = {}


class Result(_Link, frozen=True, tag="result"):
    """What became of a command; per-device results where devices were involved."""

    id: str
    outcome: Literal["accepted", "done", "failed"]
    problem: Problem | None = None
    devices: list[DeviceResult] = []


class Beat(_Link, frozen=True, tag="beat"):
    """I am alive; `at` is the sender's Unix time in seconds (clock drift is a signal)."""

    at: float


# --- server to agent --------------------------------------------------------------------------------------------


class Challenge(_Link, frozen=True, tag="challenge"):
    """`nonce` is 32 random bytes in base64; signed as is (the base64 text in ASCII)."""

    nonce: str


class Welcome(_Link, frozen=True, tag="welcome"):
    """Accepted. `heartbeat` in seconds; `protocol` is the version both will speak."""

    protocol: int
    heartbeat: float
    server_time: float


class Refused(_Link, frozen=True, tag="refused"):
    """Not accepted; the agent shows it and retries with back-off (a refusal is not an outage)."""

    problem: Problem


class Command(_Link, frozen=True, tag="command"):
    """The server asks the room. `deadline` Unix seconds; `actor` who wanted it (`it:…`, `room:…`, `server`).

    ring Ring · stop_ring MeetingRef · prepare Prepare · release Release
    """

    id: str
    idempotency_key: str
    op: Literal["ring", "stop_ring", "prepare", "release"]
    args: dict[str, Any]
    deadline: float
    actor: str


class Reply(_Link, frozen=True, tag="reply"):
    """Answer to a request: a result as JSON, or a problem."""

    id: int
    result: dict[str, Any] | None = None
    problem: Problem | None = None


class Document(_Link, frozen=True, tag="document"):
    """A live document for the room: topic `directory` (DirectoryView, the same for all) or `room` (RoomView)."""

    change: Snapshot | Patch


FromAgent = Hello | Report | Request | Result | Beat
FromServer = Challenge | Welcome | Refused | Command | Reply | Document | Beat

# --- arguments and results ----------------------------------------------------------------------------------------


class MeetingRef(msgspec.Struct, frozen=True):
    """A meeting by id."""

    meeting: str


class AddRooms(msgspec.Struct, frozen=True):
    """Ring more rooms into a running meeting, all or none."""

    meeting: str
    rooms: list[str]


class Remove(msgspec.Struct, frozen=True):
    """Take a participant (room or person, by `Participant.id`) out of the meeting."""

    meeting: str
    participant: str


class Help(msgspec.Struct, frozen=True):
    """Someone in the room asks for help; IT sees it with the room's state."""

    text: str = ""


class Ring(msgspec.Struct, frozen=True, omit_defaults=True):
    """A meeting calls this room until `until` (Unix seconds). `caller` is a room id."""

    meeting: str
    title: str
    caller: str
    until: float


class MediaAccess(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the room's sessions reach the media: LiveKit `url`; tokens of `room:ID` and of its hidden `room:ID/display`."""

    url: str
    token: str
    display_token: str
    expires_in: float  # seconds; ask `media` again before


class Prepare(msgspec.Struct, frozen=True, omit_defaults=True):
    """Go into the meeting: call scene, then publish."""

    meeting: str
    title: str
    media: MediaAccess


class Release(msgspec.Struct, frozen=True, omit_defaults=True):
    """Leave the meeting: `reason` is ended, removed, left, or unanswered; `calls` is where its rooms stood in the end."""

    meeting: str
    reason: str
    calls: dict[str, RoomCall] = {}
