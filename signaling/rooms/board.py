"""What everyone is shown: the live documents of dashboard, directory and each room, kept up with the facts."""

from __future__ import annotations

from collections.abc import Mapping

from signaling.centers.directory import Directory
from signaling.media import MediaRooms
from signaling.rooms.book import MeetingBook
from signaling.rooms.calling import Readiness
from signaling.rooms.meeting import MeetingState
from signaling.rooms.participants import fold
from signaling.rooms.presence import RoomPresence
from signaling.rooms.views import dashboard_view, directory_view, meeting_view, room_view
from wire.meetings import Meeting, Participant
from wire.topic import Topic


class Board:
    """Owner of the topics `dashboard`, `directory`, and one `room` for each room."""

    def __init__(
        self, directory: Directory, rooms: Mapping[str, RoomPresence], book: MeetingBook, media: MediaRooms
    ) -> None:
        self._directory = directory
        self._rooms = rooms
        self._book = book
        self._media = media
        self.dashboard = Topic("dashboard")
        self.directory = Topic("directory")
        self._of_room = {room: Topic("room") for room in rooms}

    def topics(self, room: str) -> tuple[Topic, ...]:
        """The documents that a room's agent follows."""
        return (self.directory, self._of_room[room])

    def participants(self, state: MeetingState) -> dict[str, Participant]:
        """Who is in a meeting's media."""
        return fold(self._media.participants(state.media), self._directory)

    def meeting(self, state: MeetingState) -> Meeting:
        """A meeting as people see it."""
        return meeting_view(state, self.participants(state))

    def readiness(self, now: float, caller: str | None = None) -> dict[str, Readiness]:
        """Which rooms can be called now, judged anew."""
        taken = {room for state in self._book.running for room in state.active}
        for presence in self._rooms.values():
            presence.judge(now)
        return {
            room: presence.readiness(taken=room in taken, caller=room == caller)
            for room, presence in self._rooms.items()
        }

    def refresh(self, now: float) -> None:
        """Judge every room anew and bring all documents up to date."""
        ready = self.readiness(now)
        views = {state.id: self.meeting(state) for state in self._book.running}
        of_room = {room: state for state in self._book.running for room in state.active}
        people = sum(len(view.participants) for view in views.values())
        self.directory.update(directory_view(self._directory, ready))
        self.dashboard.update(dashboard_view(self._directory, self._rooms, of_room, len(views), people))
        for room, presence in self._rooms.items():
            state = of_room.get(room)
            self._of_room[room].update(room_view(presence, views[state.id] if state is not None else None))
