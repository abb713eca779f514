"""The documents that pages and agents show, each sent as a live document (`wire.live`)."""

from __future__ import annotations

from typing import Literal

import msgspec

from wire.devices import Device, DeviceCommand, DeviceResult
from wire.health import Verdict
from wire.link import Phase
from wire.meetings import Invitation, Meeting, RoomCall
from wire.places import Center, Room
from wire.problems import Notice, Problem

Availability = Literal["free", "busy", "offline", "unusable", "unknown", "maintenance"]


class DirectoryRoom(msgspec.Struct, frozen=True, omit_defaults=True):
    """A room as others may see it: can it take a call now, and if not why. `order` keeps lists stable."""

    room: Room
    order: int
    availability: Availability = "unknown"
    because: Notice | None = None
    instead: str | None = None  # a free healthy room of the same center, when this one cannot be called


class DirectoryCenter(msgspec.Struct, frozen=True, omit_defaults=True):
    """A center and its place in stable lists."""

    center: Center
    order: int


class DirectoryView(msgspec.Struct, frozen=True, omit_defaults=True):
    """Topic `directory`: all centers and rooms, the same for every room."""

    centers: dict[str, DirectoryCenter] = {}
    rooms: dict[str, DirectoryRoom] = {}


class RoomView(msgspec.Struct, frozen=True, omit_defaults=True):
    """Topic `room`: what the server knows for one room."""

    verdict: Verdict | None = None
    meeting: Meeting | None = None
    help_asked_at: float | None = None


# --- pages served by the agent ------------------------------------------------------------------------------------


class IncomingCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """Someone calls this room. `answers_at`: when it will answer by itself (Unix seconds), if it does."""

    meeting: str
    title: str
    caller: str  # room id
    until: float
    answers_at: float | None = None


class MediaState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The room's own picture and sound: asked (`*_wanted`) and confirmed. `volume` 0..1.

    `mic_silent`: sound is sent, and the microphone does not answer: nobody knows whether it is open. `camera_silent`: the
    same of a camera whose pictures nobody here sees pass; one whose pictures are known to go out is `camera`, answer or not.
    """

    mic: bool = False
    mic_wanted: bool = False
    mic_silent: bool = False
    camera_silent: bool = False
    camera: bool = False
    camera_wanted: bool = False
    volume: float | None = None
    volume_wanted: float | None = None
    connected: bool = False
    problem: Notice | None = None


class PanelView(msgspec.Struct, frozen=True, omit_defaults=True):
    """Topic `panel`: everything a room's panel shows. `server` False: the control link is down, the room works alone."""

    room: Room
    center: Center
    phase: Phase
    phase_since: float
    server: bool = False
    server_problem: Problem | None = None
    verdict: Verdict | None = None
    incoming: IncomingCall | None = None
    meeting: Meeting | None = None
    invitation: Invitation | None = None
    invitation_qr: str | None = None  # SVG text of the link
    media: MediaState = MediaState()
    devices: dict[str, Device] = {}
    results: list[DeviceResult] = []  # of the last scene
    help_asked_at: float | None = None
    last_calls: dict[str, RoomCall] = {}  # where the rooms of the last meeting stood when it ended, until the next
    directory: DirectoryView = DirectoryView()
    demo: bool = False


class DisplayView(msgspec.Struct, frozen=True, omit_defaults=True):
    """Topic `display`: what a room's screen shows. `media_url`, `media_token` while in a meeting."""

    room: Room
    center: Center
    phase: Phase
    server: bool = False
    scene: Literal["idle", "call", "present", "standby"] = "idle"
    incoming: IncomingCall | None = None
    meeting: Meeting | None = None
    media_url: str | None = None
    media_token: str | None = None
    media: MediaState = MediaState()
    verdict: Verdict | None = None
    centers: dict[str, str] = {}  # center id -> name
    rooms: dict[str, str] = {}  # room id -> name: of the caller, and of those in or called into the meeting


class PanelAction(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Panel → agent over its WebSocket (JSON text ≤ 16 KiB), answered by ActionResult with the same id.

    start rooms · cancel · answer · decline · leave · end · add_rooms rooms · remove participant · invite ·
    revoke_invitations · help · set_mic on · set_camera on · set_volume volume · device command · resync
    """

    id: int
    op: Literal[
        "start",
        "cancel",
        "answer",
        "decline",
        "leave",
        "end",
        "add_rooms",
        "remove",
        "invite",
        "revoke_invitations",
        "help",
        "set_mic",
        "set_camera",
        "set_volume",
        "device",
        "resync",
    ]
    rooms: list[str] = []
    participant: str | None = None
    on: bool | None = None
    volume: float | None = None  # 0..1
    command: DeviceCommand | None = None
    text: str = ""


class ActionResult(msgspec.Struct, frozen=True, omit_defaults=True, tag="result", tag_field="type"):
    """Answer to a PanelAction; the new state arrives as a patch of the document."""

    id: int
    problem: Problem | None = None
    devices: list[DeviceResult] = []


# --- pages served by the server -----------------------------------------------------------------------------------


class DashboardRoom(msgspec.Struct, frozen=True, omit_defaults=True):
    """A room on the dashboard. `until`: end of the meeting if known. Never a title or a name."""

    room: Room
    order: int
    verdict: Verdict
    phase: Phase
    meeting_since: float | None = None
    agent_online: bool = False
    agent_seen: float | None = None  # Unix seconds
    software: str = ""
    help_asked_at: float | None = None
    help_text: str = ""
    devices: dict[str, Device] = {}


class DashboardView(msgspec.Struct, frozen=True, omit_defaults=True):
    """Topic `dashboard`: every room by center. `server_time` lets pages tell the age of data."""

    centers: dict[str, DirectoryCenter] = {}
    rooms: dict[str, DashboardRoom] = {}
    meetings: int = 0
    participants: int = 0
