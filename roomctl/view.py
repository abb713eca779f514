"""The documents of a room's panel and display, built from what the agent knows."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import segno

from roomctl.config import RoomConfig
from roomctl.media.endpoint import Published
from roomctl.room import Room
from wire.devices import Connection, Device, DeviceResult, Role, Value
from wire.link import Phase
from wire.meetings import Invitation
from wire.problems import Notice, Problem
from wire.views import DirectoryView, DisplayView, MediaState, PanelView, RoomView


@dataclass
class Known:
    """What the agent knows besides the room's own state."""

    server: bool = False
    refusal: Problem | None = None
    directory: DirectoryView = field(default_factory=DirectoryView)
    room: RoomView = field(default_factory=RoomView)
    invitation: Invitation | None = None
    invitation_qr: str | None = None
    devices: dict[str, Device] = field(default_factory=dict)
    results: list[DeviceResult] = field(default_factory=list)
    published: Published = field(default_factory=Published)
    volume_wanted: float | None = None


def panel_view(config: RoomConfig, room: Room, known: Known) -> PanelView:
    """Everything the panel shows."""
    inside = room.meeting is not None and known.room.meeting is not None and known.room.meeting.id == room.meeting
    return PanelView(
        room=config.room,
        center=config.center,
        phase=room.phase,
        phase_since=room.since,
        server=known.server,
        server_problem=known.refusal,
        verdict=known.room.verdict,
        incoming=room.incoming,
        meeting=known.room.meeting if inside else None,
        invitation=known.invitation,
        invitation_qr=known.invitation_qr,
        media=media_state(config, room, known),
        devices=known.devices,
        results=known.results,
        help_asked_at=known.room.help_asked_at,
        last_calls=room.last_calls,
        directory=known.directory,
        demo=config.demo,
    )


def display_view(config: RoomConfig, room: Room, known: Known) -> DisplayView:
    """What the room's screen shows. It speaks for the room only where the configuration says so."""
    inside = room.meeting is not None and known.room.meeting is not None and known.room.meeting.id == room.meeting
    access = room.access
    token = None
    if access is not None:
        token = access.token if config.media.mode == "display" else access.display_token
    return DisplayView(
        room=config.room,
        center=config.center,
        phase=room.phase,
        server=known.server,
        scene=room.scene.value,
        incoming=room.incoming,
        meeting=known.room.meeting if inside else None,
        media_url=access.url if access else None,
        media_token=token,
        media=media_state(config, room, known),
        verdict=known.room.verdict,
        centers={id: entry.center.name for id, entry in known.directory.centers.items()},
        rooms=_named(room, known),
    )


def _named(room: Room, known: Known) -> dict[str, str]:
    """Names of the rooms the screen may speak of: who calls, and who is in or called into the meeting."""
    ids = set(known.room.meeting.rooms) if known.room.meeting is not None else set()
    if room.incoming is not None:
        ids.add(room.incoming.caller)
    rooms = known.directory.rooms
    return {id: rooms[id].room.name for id in sorted(ids) if id in rooms}


def media_state(config: RoomConfig, room: Room, known: Known) -> MediaState:
    """Asked and confirmed.

    A microphone is open only where both the device and what is sent say so. So is a camera whose picture the display page
    sends: a grabber goes on when its camera is off. Pictures that the agent sends are known to flow, whatever the
    camera's control says, or does not.
    """
    own = config.media.mode == "agent"
    published = known.published if own else _shown_by_server(room, known)
    muted = reported(known.devices, Role.ROOM_MIC, "mute")
    volume = reported(known.devices, Role.ROOM_SPEAKER, "volume")
    silent, blind = (_silent(known.devices, role) for role in (Role.ROOM_MIC, Role.MAIN_CAMERA))
    off = not blind and reported(known.devices, Role.MAIN_CAMERA, "power") in (False, "off", "standby")
    seen, unsure = published.camera and not off, blind and not own
    return MediaState(
        mic=published.mic and muted is not True and not silent,
        mic_wanted=room.switches.mic,
        mic_silent=published.mic and silent,
        camera=seen and not unsure,
        camera_silent=seen and unsure,
        camera_wanted=room.switches.camera,
        volume=float(volume) if isinstance(volume, int | float) else None,
        volume_wanted=known.volume_wanted,
        connected=published.connected,
        problem=Notice(f"problem.{published.problem.code.value}") if published.problem else None,
    )


def _shown_by_server(room: Room, known: Known) -> Published:
    """Where the display page speaks for the room, the server's word says whether it is there and open."""
    meeting = known.room.meeting
    if room.phase not in (Phase.CALLING, Phase.PREPARING, Phase.IN_MEETING) or meeting is None:
        return Published()
    self = meeting.participants.get(f"room:{room.id}")
    return Published(connected=True, mic=self.mic, camera=self.camera) if self else Published()


def _silent(devices: Mapping[str, Device], role: Role) -> bool:
    """The room has such a device, and it does not answer."""
    return any(one.role is role and one.connection is not Connection.ONLINE for one in devices.values())


def reported(devices: Mapping[str, Device], role: Role, name: str) -> Value:
    """What the device of a role last said of a property, None if it never did."""
    for device in devices.values():
        if device.role is role and name in device.properties:
            return device.properties[name].reported
    return None


def muted_at_device(devices: Mapping[str, Device]) -> bool:
    """Somebody muted the room's microphone at the device itself, whose word then counts."""
    for device in devices.values():
        mute = device.properties.get("mute")
        if device.role is Role.ROOM_MIC and device.connection is Connection.ONLINE and mute is not None:
            return mute.reported is True and mute.desired is None
    return False


def qr_svg(url: str) -> str:
    """A QR code of `url` as SVG text, for showing inline."""
    buffer = io.BytesIO()
    segno.make(url, error="m", micro=False).save(
        buffer, kind="svg", xmldecl=False, omitsize=True, border=2, dark="#000", light="#fff", nl=False
    )
    return buffer.getvalue().decode()
