"""Who may be in a LiveKit room: asked by media before every join and at every refresh of a token."""

from __future__ import annotations

from typing import Final

from signaling.media import Grants
from signaling.rooms.book import MeetingBook
from signaling.rooms.invitations import GUEST, Invitations
from signaling.rooms.meeting import MeetingState
from signaling.rooms.participants import room_of
from wire.problems import Code, Problem

MINTED: Final = "meeting-"  # LiveKit rooms of our own naming begin so


class Doorkeeper:
    """Answers from what is in memory, at once. The token's signature was checked by media."""

    def __init__(self, book: MeetingBook, invitations: Invitations, *, only_meetings: bool) -> None:
        self._book = book
        self._invitations = invitations
        self._only_meetings = only_meetings

    def admit(self, grants: Grants) -> Problem | None:
        """None to let in; else meeting_over, meeting_unknown, or forbidden for who is out of the meeting."""
        state = self._book.of_media(grants.media)
        if state is None:
            return self._no_meeting(grants)
        if self._is_in(grants, state):
            return None
        return Problem(Code.FORBIDDEN, "you are not in this meeting (any more)")

    def _no_meeting(self, grants: Grants) -> Problem | None:
        ours = room_of(grants) is not None or grants.identity.startswith(GUEST) or grants.media.startswith(MINTED)
        if ours:
            return Problem(Code.MEETING_OVER, "this meeting is over")
        if self._only_meetings:
            return Problem(Code.MEETING_UNKNOWN, "there is no such meeting")
        return None

    def _is_in(self, grants: Grants, state: MeetingState) -> bool:
        room = room_of(grants)
        if room is not None:
            return room in state.present
        if grants.identity.startswith(GUEST):
            guest = self._invitations.guest(grants.identity)
            return guest is not None and guest.meeting == state.id and not guest.removed
        return grants.identity not in state.removed
