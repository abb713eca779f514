"""Meetings, rooms and guests of this server behind one face: `RoomService`."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final

from aiohttp import web

from signaling.centers.directory import Directory
from signaling.media import Grants, MediaChanged, MediaRooms
from signaling.rooms.admission import MINTED, Doorkeeper
from signaling.rooms.board import Board
from signaling.rooms.book import MeetingBook
from signaling.rooms.calling import check_call
from signaling.rooms.desk import AgentDesk
from signaling.rooms.dispatch import Dispatch
from signaling.rooms.effects import Effect
from signaling.rooms.guests import GuestDoor
from signaling.rooms.inputs import (
    Added,
    AgentLost,
    Answered,
    Declined,
    Ended,
    Input,
    Left,
    Media,
    Removed,
    Tick,
    Unable,
)
from signaling.rooms.invitations import Invitations, printable
from signaling.rooms.link import LinkServer
from signaling.rooms.meeting import Call, MeetingState, Timing, resume_meeting
from signaling.rooms.participants import ROOM, people_in, rooms_in
from signaling.rooms.ports import Records, TokenMint
from signaling.rooms.presence import RoomPresence
from signaling.rooms.requests import answer
from signaling.rooms.settings import RoomSettings
from signaling.store.records import AuditRecord
from wire.link import MediaAccess
from wire.meetings import Invitation, InvitationView, JoinGrant, JoinRequest, Meeting, StartMeeting
from wire.places import Network
from wire.problems import Code, Problem, Refusal
from wire.topic import Topic

TURN: Final = 1.0  # seconds between looks at what time alone changes: signals that expire, ages
COALESCE: Final = 0.05  # seconds within which changes become one
MAX_TITLE: Final = 80
MAX_HELP: Final = 500
MAX_ID: Final = 64
_MEDIA_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_log = logging.getLogger(__name__)


class RoomService:
    """`actor` is who asks: `room:ID` has the rights of its room, anyone else was let in by the API as IT.

    Refusals are `wire.problems.Refusal`. `counts` are links and refusals by stable code, for metrics.
    """

    def __init__(
        self,
        store: Records,
        tokens: TokenMint,
        media: MediaRooms,
        network: Network,
        settings: RoomSettings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._media = media
        self._settings = settings
        self._clock = clock
        self._places = Directory(network)
        self._timing = Timing(
            settings.ring_seconds, settings.prepare_seconds, settings.lost_seconds, settings.alone_seconds
        )
        self._rooms = {id: RoomPresence(id, self._places.center_of(id).contact) for id in self._places.rooms}
        self._dispatch = Dispatch(self._rooms, media, tokens, self._places, settings, clock)
        self._book = MeetingBook(store, self._timing, self._perform)
        self._invitations = Invitations(store, tokens, settings)
        self._board = Board(self._places, self._rooms, self._book, media)
        self._guests = GuestDoor(self._invitations, self._book, self._board, media, clock)
        self._door = Doorkeeper(self._book, self._invitations, only_meetings=settings.only_meetings)
        self._desk = AgentDesk(
            lambda room, request: answer(self, room, request),
            self._rooms,
            self._book,
            self._dispatch,
            self._board.topics,
            self._touch,
            clock,
        )
        self.counts: Counter[str] = Counter()
        self._links = LinkServer(store, self._desk, settings, self.counts, clock)
        self._stirred: set[str] = set()  # media rooms whose sessions changed
        self._wake = asyncio.Event()
        media.listen(self._on_media)
        self._board.refresh(clock())

    # --- live documents, links, admission -------------------------------------------------------------------------

    @property
    def dashboard(self) -> Topic:
        """Every room for IT (DashboardView)."""
        return self._board.dashboard

    @property
    def directory(self) -> Topic:
        """Which rooms can be called (DirectoryView)."""
        return self._board.directory

    def admit(self, grants: Grants) -> Problem | None:
        """`signaling.media.Admission`."""
        return self._door.admit(grants)

    async def handle_link(self, request: web.Request) -> web.StreamResponse:
        """GET /link, of rooms' agents."""
        return await self._links.handle(request)

    # --- meetings -------------------------------------------------------------------------------------------------

    def meetings(self) -> list[Meeting]:
        """Every running meeting."""
        return [self._board.meeting(state) for state in self._book.running]

    async def start(self, actor: str, caller: str | None, request: StartMeeting) -> Meeting:
        """Start a meeting with all of these rooms or with none; `caller` is the room it starts from, if any."""

        def check() -> Call:
            now = self._clock()
            ready = self._board.readiness(now, caller)
            check_call(self._places, ready, request.rooms, limit=self._settings.rooms_per_meeting, caller=caller)
            media = self._media_name(request.media, of_room=caller is not None)
            title = self._title(request, caller)
            return Call(secrets.token_hex(8), media, title, actor, tuple(request.rooms), caller)

        state = await self._book.open(check, self._clock())
        self._touch()
        return self._board.meeting(state)

    async def add_rooms(self, actor: str, meeting: str, rooms: list[str]) -> None:
        """Ring more rooms into a running meeting, all or none."""

        def check(state: MeetingState) -> None:
            self._authorise(actor, state)
            limit = self._settings.rooms_per_meeting - len(state.active)
            check_call(self._places, self._board.readiness(self._clock()), rooms, limit=limit)

        await self._step(meeting, Added(tuple(rooms), actor), check)

    async def remove(self, actor: str, meeting: str, participant: str) -> None:
        """Take a room (`room:ID`) or a person out; people are not let in again with what they hold."""

        def check(state: MeetingState) -> None:
            self._authorise(actor, state)
            guest = self._invitations.guest(participant)
            known = participant in state.people or (guest is not None and guest.meeting == meeting)
            if not known and not participant.startswith(ROOM):
                raise Refusal(Code.NOT_FOUND, "this person is not in the meeting")

        await self._step(meeting, Removed(participant, actor), check)
        await self._invitations.remove(participant, self._clock())

    async def end(self, actor: str, meeting: str) -> None:
        """End the meeting for all."""
        await self._step(meeting, Ended(actor), lambda state: self._authorise(actor, state))

    async def answer(self, room: str, meeting: str) -> None:
        """A room takes the call."""
        await self._step(meeting, Answered(room))

    async def decline(self, room: str, meeting: str) -> None:
        """A room declines the call."""
        await self._step(meeting, Declined(room))

    async def leave_room(self, room: str, meeting: str) -> None:
        """A room leaves; the others go on."""
        await self._step(meeting, Left(room))

    async def media(self, room: str, meeting: str) -> MediaAccess:
        """Fresh media tokens for a room that is in the meeting."""
        state = await self._running(meeting)
        self._authorise(ROOM + room, state)
        return self._dispatch.access(state, room)

    async def ask_help(self, room: str, text: str) -> None:
        """A room asks IT for help: shown on the dashboard for a while."""
        presence = self._rooms[room]
        words = printable(text, MAX_HELP)
        await self._store.audit(AuditRecord(self._clock(), ROOM + room, "help_asked", room))
        presence.help_asked_at, presence.help_text = self._clock(), words
        self._touch()

    async def help_given(self, actor: str, room: str) -> None:
        """IT took care of a room's call for help."""
        self._places.room(room)
        await self._store.audit(AuditRecord(self._clock(), actor, "help_given", room))
        self._rooms[room].help_asked_at, self._rooms[room].help_text = None, ""
        self._touch()

    async def set_maintenance(self, actor: str, room: str, on: bool) -> None:
        """Take a room out of service or back, until the server restarts; a meeting it is in goes on."""
        self._places.room(room)
        action = "maintenance_begun" if on else "maintenance_ended"
        await self._store.audit(AuditRecord(self._clock(), actor, action, room))
        self._rooms[room].maintenance = on
        self._touch()

    # --- guests ---------------------------------------------------------------------------------------------------

    async def invite(self, actor: str, meeting: str) -> Invitation:
        """A new guest link."""
        self._authorise(actor, await self._running(meeting))
        return await self._invitations.make(actor, meeting, self._clock())

    async def revoke_invitations(self, actor: str, meeting: str) -> None:
        """Let nobody in any more by the links of this meeting; those who are in stay."""
        self._authorise(actor, await self._running(meeting))
        await self._invitations.revoke(actor, meeting, self._clock())

    async def look(self, secret: str) -> InvitationView:
        """What a person who opens a guest link sees."""
        return await self._guests.look(secret)

    async def join(self, secret: str, request: JoinRequest) -> JoinGrant:
        """Exchange a guest link for a way in."""
        return await self._guests.join(secret, request)

    async def refresh(self, refresh: str) -> JoinGrant:
        """A guest's next token."""
        return await self._guests.refresh(refresh)

    async def leave(self, refresh: str) -> None:
        """A guest leaves."""
        await self._guests.leave(refresh)

    async def guest_invite(self, refresh: str) -> Invitation:
        """A guest link made by a guest."""
        return await self._guests.invite(refresh)

    # --- life -----------------------------------------------------------------------------------------------------

    async def restore(self) -> None:
        """Take up the meetings that ran when the server stopped; their rooms and people are expected back."""
        now = self._clock()
        states = []
        for record in await self._store.running_meetings():
            removed = await self._invitations.adopt(record.id)
            states.append(resume_meeting(record, removed, now, self._timing))
        self._book.adopt(states)
        self._board.refresh(now)
        if states:
            _log.info("took up %d running meetings", len(states))

    async def run(self) -> None:
        """Keep time until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_time())

    async def close(self) -> None:
        """Tell every agent that the server stops; they dial again."""
        for presence in self._rooms.values():
            if presence.link is not None:
                presence.link.close(Problem(Code.UNAVAILABLE, "the server stops", retry_after=2.0))

    async def turn(self) -> None:
        """Do what is due now: lost links, changed media, deadlines, debts to a full disk; then show it."""
        now = self._clock()
        self._wake.clear()
        lost, self._desk.lost = self._desk.lost, []
        for room in lost:
            if not self._rooms[room].online and (state := self._book.of_room(room)) is not None:
                await self._try(self._desk.step(state, AgentLost(room)))
        stirred, self._stirred = self._stirred, set()
        for media in stirred:
            if (state := self._book.of_media(media)) is not None:
                await self._try(self._media_changed(state))
        for state in self._book.running:
            if state.deadline is not None and state.deadline <= now:
                await self._try(self._desk.step(state, Tick()))
        await self._try(self._overdue(now))
        if self._book.owing or self._invitations.owing:
            await self._try(self._book.settle_debts())
            await self._try(self._invitations.settle_debts())
        self._board.refresh(now)

    # --- inside ---------------------------------------------------------------------------------------------------

    async def _keep_time(self) -> None:
        while True:
            await self._try(self.turn())
            deadline = self._book.deadline
            wait = TURN if deadline is None else min(TURN, max(COALESCE, deadline - self._clock()))
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(COALESCE)

    async def _try(self, work: Coroutine[Any, Any, object]) -> None:
        """One meeting's trouble is not another's."""
        try:
            await work
        except Refusal as refusal:
            _log.warning("not done: %s (%s)", refusal, refusal.problem.code)
        except Exception:
            _log.exception("internal error while keeping time")

    async def _step(
        self, meeting: str, event: Input, check: Callable[[MeetingState], None] | None = None
    ) -> MeetingState:
        await self._running(meeting)
        state = await self._book.step(meeting, event, self._clock(), check)
        self._touch()
        return state

    async def _running(self, meeting: str) -> MeetingState:
        """A running meeting. Raises Refusal: meeting_over, or meeting_unknown where there never was one of this id."""
        try:
            return self._book.get(meeting)
        except Refusal:
            if len(meeting) > MAX_ID or await self._store.meeting(meeting) is None:
                raise Refusal(Code.MEETING_UNKNOWN, "there is no such meeting") from None
            raise

    def _perform(self, state: MeetingState, effects: tuple[Effect, ...], actor: str) -> None:
        self._dispatch.perform(state, effects, actor)
        if state.ended_at is not None:
            self._invitations.forget(state.id)

    def _authorise(self, actor: str, state: MeetingState) -> None:
        """A room may act on the meeting it is in."""
        if actor.startswith(ROOM) and actor.removeprefix(ROOM) not in state.present:
            raise Refusal(Code.FORBIDDEN, "this room is not in the meeting")

    async def _media_changed(self, state: MeetingState) -> None:
        sessions = self._media.participants(state.media)
        rooms, people = rooms_in(sessions), people_in(sessions)
        if rooms == state.in_media and people == state.people:
            return
        after = await self._desk.step(state, Media(rooms, people))
        for identity in people ^ state.people:
            guest = self._invitations.guest(identity)
            if guest is not None and after.ended_at is None:
                note = self._invitations.came if identity in people else self._invitations.left
                await note(guest, self._clock())

    async def _overdue(self, now: float) -> None:
        """Commands that never reached their room, and calls for help nobody took."""
        for room, courier in self._dispatch.couriers.items():
            for command in courier.expire(now):
                state = self._book.of_room(room)
                mine = state is not None and state.id == command.args["meeting"]
                if state is not None and mine and command.op == "prepare" and self._rooms[room].online:
                    await self._desk.step(state, Unable(room, Code.COMMAND_EXPIRED))
            asked = self._rooms[room].help_asked_at
            if asked is not None and asked + self._settings.help_ttl <= now:
                self._rooms[room].help_asked_at, self._rooms[room].help_text = None, ""

    def _on_media(self, changed: MediaChanged) -> None:
        self._stirred.add(changed.media)
        self._touch()

    def _touch(self) -> None:
        self._wake.set()

    def _media_name(self, wanted: str, *, of_room: bool) -> str:
        if not wanted:
            return MINTED + secrets.token_urlsafe(16)
        if of_room:
            raise Refusal(Code.FORBIDDEN, "only IT may name the LiveKit room")
        if not _MEDIA_NAME.fullmatch(wanted) or wanted.startswith(MINTED):
            raise Refusal(Code.BAD_REQUEST, "media is 1 to 64 letters, digits, - _ . and no name of ours")
        if self._book.of_media(wanted) is not None:
            raise Refusal(Code.BAD_REQUEST, f"a meeting runs in LiveKit room {wanted!r} already")
        return wanted

    def _title(self, request: StartMeeting, caller: str | None) -> str:
        if request.title:
            title = printable(request.title, MAX_TITLE)
            if not title:
                raise Refusal(Code.BAD_REQUEST, f"title is at most {MAX_TITLE} printable characters")
            return title
        rooms = [*([caller] if caller else ()), *request.rooms]
        return ", ".join(self._places.room(room).name for room in rooms)
