"""The documents that pages and rooms show, drawn from presences and meetings."""

from __future__ import annotations

from collections.abc import Mapping

from signaling.centers.directory import Directory
from signaling.rooms.calling import Readiness, stand_in
from signaling.rooms.meeting import MeetingState
from signaling.rooms.presence import RoomPresence
from wire.link import Phase
from wire.meetings import Meeting, MeetingRoom, Participant, RoomCall
from wire.views import DashboardRoom, DashboardView, DirectoryCenter, DirectoryRoom, DirectoryView, RoomView


def meeting_view(state: MeetingState, participants: dict[str, Participant]) -> Meeting:
    """A meeting as people see it."""
    return Meeting(
        id=state.id,
        media=state.media,
        title=state.title,
        started_at=state.started_at,
        started_by=state.started_by,
        rooms={
            room: MeetingRoom(room, seat.call, seat.until if seat.call is RoomCall.RINGING else None)
            for room, seat in state.seats.items()
        },
        participants=participants,
    )


def centers_view(directory: Directory) -> dict[str, DirectoryCenter]:
    """All centers in their order."""
    return {id: DirectoryCenter(center, directory.center_order(id)) for id, center in directory.centers.items()}


def directory_view(directory: Directory, ready: Mapping[str, Readiness]) -> DirectoryView:
    """Which rooms can be called, and who could stand in for those that cannot."""
    return DirectoryView(
        centers=centers_view(directory),
        rooms={
            id: DirectoryRoom(
                room=room,
                order=directory.order(id),
                availability=ready[id].availability,
                because=ready[id].because,
                instead=None if ready[id].free else stand_in(directory, ready, id),
            )
            for id, room in directory.rooms.items()
        },
    )


def dashboard_view(
    directory: Directory,
    rooms: Mapping[str, RoomPresence],
    meetings: Mapping[str, MeetingState],
    running: int,
    people: int,
) -> DashboardView:
    """Every room for IT: health and whether it is in a meeting, never a title or a name. `meetings` by room id."""
    return DashboardView(
        centers=centers_view(directory),
        rooms={id: dashboard_room(directory, presence, meetings.get(id)) for id, presence in rooms.items()},
        meetings=running,
        participants=people,
    )


def dashboard_room(directory: Directory, presence: RoomPresence, state: MeetingState | None) -> DashboardRoom:
    """One room for IT."""
    return DashboardRoom(
        room=directory.room(presence.room),
        order=directory.order(presence.room),
        verdict=presence.verdict,
        phase=presence.phase if presence.online else Phase.OFFLINE,
        meeting_since=state.started_at if state is not None and presence.room in state.present else None,
        agent_online=presence.online,
        agent_seen=presence.seen,
        software=presence.software,
        help_asked_at=presence.help_asked_at,
        help_text=presence.help_text,
        devices=dict(presence.devices),
    )


def room_view(presence: RoomPresence, meeting: Meeting | None) -> RoomView:
    """What the server tells a room about itself."""
    return RoomView(verdict=presence.verdict, meeting=meeting, help_asked_at=presence.help_asked_at)
