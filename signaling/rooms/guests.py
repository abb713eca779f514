"""The way in for people who come by link: look, join, refresh, leave, invite others."""

from __future__ import annotations

from collections.abc import Callable

from signaling.media import Leave, MediaRooms
from signaling.rooms.board import Board
from signaling.rooms.book import MeetingBook
from signaling.rooms.invitations import Invitations
from signaling.rooms.meeting import MeetingState
from signaling.store.records import GuestRecord
from wire.meetings import Invitation, InvitationView, JoinGrant, JoinRequest


class GuestDoor:
    """Guests' face of the meetings; all refusals are `wire.problems.Refusal`."""

    def __init__(
        self,
        invitations: Invitations,
        book: MeetingBook,
        board: Board,
        media: MediaRooms,
        clock: Callable[[], float],
    ) -> None:
        self._invitations = invitations
        self._book = book
        self._board = board
        self._media = media
        self._clock = clock

    async def look(self, secret: str) -> InvitationView:
        """What the link leads to. Raises link_unknown, link_revoked, meeting_over, link_expired."""
        state = await self._opened(secret)
        return InvitationView(state.title, state.started_at, list(self._board.participants(state).values()))

    async def join(self, secret: str, request: JoinRequest) -> JoinGrant:
        """Exchange the link for a way in. Raises what `look` does, bad_request for the name, too_many."""
        record = await self._invitations.find(secret)
        state = await self._opened(secret)
        return await self._invitations.join(record, state, request, self._clock())

    async def refresh(self, refresh: str) -> JoinGrant:
        """The next token. Raises token_invalid, forbidden for who was removed, meeting_over."""
        guest, state = await self._known(refresh)
        return self._invitations.grant(guest, state, refresh)

    async def leave(self, refresh: str) -> None:
        """Leave now; a page that closes says so. Leaving what is over is no error."""
        guest = await self._invitations.known(refresh)
        state = next((state for state in self._book.running if state.id == guest.meeting), None)
        if state is not None:
            self._media.remove(state.media, guest.id, Leave.LEFT)
            await self._invitations.left(guest, self._clock())

    async def invite(self, refresh: str) -> Invitation:
        """A new link, made by a guest who is in the meeting."""
        guest, state = await self._known(refresh)
        return await self._invitations.make(guest.id, state.id, self._clock())

    async def _opened(self, secret: str) -> MeetingState:
        now = self._clock()
        record = await self._invitations.find(secret)
        if self._invitations.is_revoked(record):
            self._invitations.check(record, now)
        state = self._book.get(record.meeting)
        self._invitations.check(record, now)
        return state

    async def _known(self, refresh: str) -> tuple[GuestRecord, MeetingState]:
        guest = await self._invitations.known(refresh)
        return guest, self._book.get(guest.meeting)
