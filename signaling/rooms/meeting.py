"""A meeting as a pure state machine: what happened and `now` go in; the new state, effects and audit lines come out.

Each room of a meeting holds a seat; `TRANSITIONS` is the one table of how a seat may change:

    (not called) ──call──▸ ringing ──answer──▸ preparing ──join──▸ joined ──leave, remove, close──▸ left
                              │ decline ▸ declined    │ ▴ lose, back  │ ▴ lose, back
                              │ expire ▸ unanswered   ▾ │             ▾ │
                              └ (all three: call)      lost ──expire──▸ left

A meeting started from a room's panel ends when nobody answers or when its caller leaves before anyone answered. Every
meeting ends when no room is in it, unless people are: they may stay `Timing.alone` seconds.
Times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from signaling.media import Leave
from signaling.rooms.effects import CloseMedia, Effect, EvictRoom, PrepareRoom, ReleaseRoom, RingRoom, StopRinging
from signaling.store.records import AuditRecord, MeetingRecord
from wire.meetings import RoomCall
from wire.problems import Code, Refusal

SERVER: Final = "server"


class Move(StrEnum):
    """What can happen to a seat."""

    CALL = "call"  # ring it
    ENTER = "enter"  # prepare it without ringing: the caller's room, or one whose agent started anew
    ANSWER = "answer"
    DECLINE = "decline"
    EXPIRE = "expire"  # its time ran out
    JOIN = "join"
    LOSE = "lose"  # its agent fell silent
    LEAVE = "leave"
    REMOVE = "remove"
    CLOSE = "close"  # the meeting is over


_OUT = (RoomCall.DECLINED, RoomCall.UNANSWERED, RoomCall.LEFT)
_IN = (RoomCall.PREPARING, RoomCall.JOINED, RoomCall.LOST)
TRANSITIONS: Final[Mapping[tuple[RoomCall | None, Move], RoomCall]] = MappingProxyType(
    {
        (None, Move.CALL): RoomCall.RINGING,
        (None, Move.ENTER): RoomCall.PREPARING,
        **{(call, Move.CALL): RoomCall.RINGING for call in _OUT},
        (RoomCall.RINGING, Move.ANSWER): RoomCall.PREPARING,
        (RoomCall.RINGING, Move.DECLINE): RoomCall.DECLINED,
        **{(RoomCall.RINGING, move): RoomCall.UNANSWERED for move in (Move.EXPIRE, Move.REMOVE, Move.CLOSE)},
        (RoomCall.PREPARING, Move.JOIN): RoomCall.JOINED,
        (RoomCall.LOST, Move.JOIN): RoomCall.JOINED,
        (RoomCall.LOST, Move.ENTER): RoomCall.PREPARING,
        (RoomCall.PREPARING, Move.LOSE): RoomCall.LOST,
        (RoomCall.JOINED, Move.LOSE): RoomCall.LOST,
        (RoomCall.PREPARING, Move.EXPIRE): RoomCall.LEFT,
        (RoomCall.LOST, Move.EXPIRE): RoomCall.LEFT,
        **{(call, move): RoomCall.LEFT for call in _IN for move in (Move.LEAVE, Move.REMOVE, Move.CLOSE)},
    }
)


@dataclass(frozen=True)
class Timing:
    """How long things may take, in seconds; see `RoomSettings`."""

    ring: float = 30.0
    prepare: float = 120.0
    lost: float = 90.0
    alone: float = 60.0


@dataclass(frozen=True)
class Seat:
    """Where a room stands; `until` is when ringing, preparing or waiting for a lost room ends."""

    call: RoomCall
    until: float | None = None


@dataclass(frozen=True)
class MeetingState:
    """A meeting. `people` are media identities that are no rooms; `in_media` the rooms with a media session now."""

    id: str
    media: str
    title: str
    started_at: float
    started_by: str
    seats: Mapping[str, Seat] = field(default_factory=dict)
    people: frozenset[str] = frozenset()
    in_media: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()  # people who are not let in again
    answered: bool = False  # someone beside the caller was there
    alone_until: float | None = None
    ended_at: float | None = None
    ended_by: str | None = None

    @property
    def caller(self) -> str | None:
        """The room that started the meeting, if a room did."""
        return self.started_by.removeprefix("room:") if self.started_by.startswith("room:") else None

    @property
    def record(self) -> MeetingRecord:
        """What the store keeps of it."""
        calls = {room: seat.call for room, seat in self.seats.items()}
        return MeetingRecord(
            self.id, self.media, self.title, self.started_at, self.started_by, calls, self.ended_at, self.ended_by
        )

    def rooms(self, *calls: RoomCall) -> list[str]:
        """Rooms whose seat is in one of these states."""
        return [room for room, seat in self.seats.items() if seat.call in calls]

    @property
    def present(self) -> list[str]:
        """Rooms in the meeting: preparing, joined, or lost and expected back."""
        return self.rooms(*_IN)

    @property
    def active(self) -> list[str]:
        """Rooms that are taken by this meeting: present or ringing."""
        return self.rooms(RoomCall.RINGING, *_IN)

    @property
    def deadline(self) -> float | None:
        """When `Tick` has something to do; None if only an event can."""
        times = [seat.until for seat in self.seats.values() if seat.until is not None]
        if self.alone_until is not None:
            times.append(self.alone_until)
        return min(times, default=None) if self.ended_at is None else None


@dataclass(frozen=True)
class Outcome:
    """What a step gave."""

    state: MeetingState
    effects: tuple[Effect, ...] = ()
    audit: tuple[AuditRecord, ...] = ()


@dataclass(frozen=True)
class Call:
    """A new meeting: who starts it and which rooms, in order; `caller` is the room it starts from, if any."""

    id: str
    media: str
    title: str
    actor: str
    rooms: tuple[str, ...]
    caller: str | None = None


def open_meeting(call: Call, now: float, timing: Timing) -> Outcome:
    """Start a meeting: the caller's room at once, the others ring. Whether they can be called was checked."""
    started_by = f"room:{call.caller}" if call.caller else call.actor
    turn = Turn(MeetingState(call.id, call.media, call.title, now, started_by), now, timing)
    turn.say("meeting_started", call.actor, rooms=",".join(call.rooms), caller=call.caller or "")
    if call.caller is not None:
        turn.enter(call.caller)
    for room in call.rooms:
        turn.ring(room)
    return turn.outcome()


def resume_meeting(record: MeetingRecord, removed: Iterable[str], now: float, timing: Timing) -> MeetingState:
    """A recorded meeting after a restart of the server: its rooms are lost until their agents are back."""
    wait = {RoomCall.RINGING: now + timing.ring, RoomCall.LOST: now + timing.lost}
    seats = {}
    for room, call in record.rooms.items():
        call = RoomCall.LOST if call in _IN else call
        seats[room] = Seat(call, wait.get(call))
    state = MeetingState(record.id, record.media, record.title, record.started_at, record.started_by, seats)
    met = any(room != state.caller and call in (*_IN, RoomCall.LEFT) for room, call in record.rooms.items())
    alone = None if state.active else now + timing.alone
    return replace(state, removed=frozenset(removed), answered=met, alone_until=alone)


def seat_of(state: MeetingState, room: str) -> Seat:
    """A room's seat. Raises Refusal: meeting_unknown where the room was never called into it."""
    seat = state.seats.get(room)
    if seat is None:
        raise Refusal(Code.MEETING_UNKNOWN, f"room {room} is not in this meeting", room=room)
    return seat


class Turn:
    """One step being made: seats are changed through `move` only."""

    def __init__(self, state: MeetingState, now: float, timing: Timing) -> None:
        self.state = state
        self.now = now
        self.timing = timing
        self.effects: list[Effect] = []
        self._audit: list[AuditRecord] = []
        self._wait = {
            RoomCall.RINGING: timing.ring,
            RoomCall.PREPARING: timing.prepare,
            RoomCall.LOST: timing.lost,
        }

    def say(self, action: str, actor: str, **detail: str) -> None:
        """Add an audit line about this meeting."""
        self._audit.append(AuditRecord(self.now, actor, action, self.state.id, detail))

    def move(self, room: str, move: Move) -> RoomCall | None:
        """Move a seat by the table: the new state, or None where the table has no such way."""
        seat = self.state.seats.get(room)
        call = TRANSITIONS.get((seat.call if seat else None, move))
        if call is None:
            return None
        wait = self._wait.get(call)
        after = Seat(call, None if wait is None else self.now + wait)
        met = self.state.answered or (call in _IN and room != self.state.caller)
        self.state = replace(self.state, seats={**self.state.seats, room: after}, answered=met)
        return call

    def ring(self, room: str) -> None:
        """Ring a room that is out."""
        if self.move(room, Move.CALL):
            self.effects.append(RingRoom(room, self.now + self.timing.ring))

    def enter(self, room: str) -> None:
        """Prepare a room without ringing."""
        if self.move(room, Move.ENTER):
            self.effects.append(PrepareRoom(room))

    def out(self, room: str, move: Move, reason: str) -> None:
        """Take a room out, whatever it was doing."""
        before = self.state.seats[room].call
        if self.move(room, move) is None:
            return
        if before is RoomCall.RINGING:
            self.effects.append(StopRinging(room))
            return
        leave = {"removed": Leave.REMOVED, "left": Leave.LEFT}.get(reason, Leave.ENDED)
        self.effects += [ReleaseRoom(room, reason), EvictRoom(room, leave)]

    def end(self, actor: str, reason: str) -> None:
        """End for all."""
        for room in self.state.active:
            self.out(room, Move.CLOSE, reason)
        self.effects.append(CloseMedia())
        self.say("meeting_ended", actor, reason=reason)
        self.state = replace(self.state, ended_at=self.now, ended_by=actor, alone_until=None, people=frozenset())

    def outcome(self) -> Outcome:
        """The step's result."""
        return Outcome(self.state, tuple(self.effects), tuple(self._audit))
