"""The running meetings: the one owner of their states. What changed is recorded before anyone hears of it.

Where the disk is full, nothing new begins, but people can always leave, decline, be removed, and end: such steps are
taken at once and recorded as soon as the disk allows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from signaling.rooms import progress
from signaling.rooms.effects import Effect
from signaling.rooms.inputs import Added, Answered, Input
from signaling.rooms.meeting import SERVER, Call, MeetingState, Outcome, Timing, open_meeting
from signaling.rooms.ports import Records
from signaling.store.records import AuditRecord, MeetingRecord
from wire.problems import Code, Refusal

Perform = Callable[[MeetingState, tuple[Effect, ...], str], None]
_MAX_UNSAVED_AUDIT = 1000  # lines kept for a full disk; the oldest go first
_log = logging.getLogger(__name__)


class MeetingBook:
    """States of running meetings by id. `perform` carries out effects in the name of an actor, after the record is safe."""

    def __init__(self, records: Records, timing: Timing, perform: Perform) -> None:
        self._records = records
        self._timing = timing
        self._perform = perform
        self._states: dict[str, MeetingState] = {}
        self._unsaved: dict[str, tuple[MeetingRecord, list[AuditRecord]]] = {}
        self._turn = asyncio.Lock()

    # --- reading --------------------------------------------------------------------------------------------------

    @property
    def running(self) -> list[MeetingState]:
        """Every running meeting, oldest first."""
        return list(self._states.values())

    def get(self, meeting: str) -> MeetingState:
        """A running meeting. Raises Refusal(meeting_over) where there is none of this id (any more)."""
        state = self._states.get(meeting)
        if state is None:
            raise Refusal(Code.MEETING_OVER, "this meeting is over")
        return state

    def of_room(self, room: str) -> MeetingState | None:
        """The meeting that a room is in or is called by: there is at most one."""
        return next((state for state in self._states.values() if room in state.active), None)

    def of_media(self, media: str) -> MeetingState | None:
        """The running meeting of a LiveKit room."""
        return next((state for state in self._states.values() if state.media == media), None)

    @property
    def deadline(self) -> float | None:
        """The first time at which some meeting has something to do."""
        return min((state.deadline for state in self._states.values() if state.deadline is not None), default=None)

    # --- changing -------------------------------------------------------------------------------------------------

    def adopt(self, states: Iterable[MeetingState]) -> None:
        """Take over what the store had, after a restart."""
        self._states.update({state.id: state for state in states})

    async def open(self, check: Callable[[], Call], now: float) -> MeetingState:
        """Start a meeting; `check` says which, or refuses, with no other change in between."""
        async with self._turn:
            outcome = open_meeting(check(), now, self._timing)
            await self._records.put_meeting(outcome.state.record, *outcome.audit)
            return self._take(outcome)

    async def step(
        self, meeting: str, event: Input, now: float, check: Callable[[MeetingState], None] | None = None
    ) -> MeetingState:
        """Apply one input. `check` may refuse first, with no other change in between."""
        async with self._turn:
            state = self.get(meeting)
            if check is not None:
                check(state)
            outcome = progress.step(state, event, now, self._timing)
            if outcome.audit or outcome.state.record != state.record:
                await self._record(outcome, must=isinstance(event, Added | Answered))
            return self._take(outcome)

    def _take(self, outcome: Outcome) -> MeetingState:
        state = outcome.state
        if state.ended_at is None:
            self._states[state.id] = state
        else:
            self._states.pop(state.id, None)
        self._perform(state, outcome.effects, outcome.audit[0].actor if outcome.audit else SERVER)
        return state

    # --- a full disk ----------------------------------------------------------------------------------------------

    async def _record(self, outcome: Outcome, *, must: bool) -> None:
        record = outcome.state.record
        owed = self._unsaved.get(record.id, (record, []))[1]
        audit = [*owed, *outcome.audit]
        try:
            await self._records.put_meeting(record, *audit)
        except Refusal as refusal:
            if must:
                raise
            _log.error("meeting %s is not recorded yet: %s", record.id, refusal)
            self._unsaved[record.id] = (record, audit[-_MAX_UNSAVED_AUDIT:])
        else:
            self._unsaved.pop(record.id, None)

    @property
    def owing(self) -> int:
        """How many meetings have changes that the store has not taken yet."""
        return len(self._unsaved)

    async def settle_debts(self) -> None:
        """Try again to record what a full disk refused; stops at the first refusal."""
        async with self._turn:
            for meeting, (record, audit) in list(self._unsaved.items()):
                try:
                    await self._records.put_meeting(record, *audit)
                except Refusal:
                    return
                del self._unsaved[meeting]
