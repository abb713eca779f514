"""How a meeting goes on: one input in, the next state, effects and audit lines out. Pure; see `meeting.py`."""

from __future__ import annotations

from dataclasses import replace

from signaling.media import Leave
from signaling.rooms.effects import EvictPerson, PrepareRoom, RingRoom
from signaling.rooms.inputs import (
    Added,
    AgentBack,
    AgentLost,
    Answered,
    Declined,
    Ended,
    Input,
    Joined,
    Left,
    Media,
    Removed,
    Return,
    Tick,
    Unable,
)
from signaling.rooms.meeting import SERVER, MeetingState, Move, Outcome, Seat, Timing, Turn, seat_of
from wire.meetings import RoomCall
from wire.problems import Code, Refusal

_FACTS = AgentLost | AgentBack | Joined | Unable | Media | Tick


def step(state: MeetingState, event: Input, now: float, timing: Timing) -> Outcome:
    """The next state. Raises Refusal where people ask what cannot be: meeting_over, meeting_unknown, command_expired."""
    if state.ended_at is not None:
        if isinstance(event, _FACTS) or (isinstance(event, Left) and event.fact):
            return Outcome(state)
        raise Refusal(Code.MEETING_OVER, "the meeting is over")
    turn = Turn(state, now, timing)
    _apply(turn, event)
    if turn.state.ended_at is None:
        _settle(turn)
    return turn.outcome()


def _apply(turn: Turn, event: Input) -> None:
    match event:
        case Answered(room):
            _answer(turn, room)
        case Declined(room):
            _decline(turn, room)
        case Left(room, fact):
            _leave(turn, room, fact)
        case Added(rooms, actor):
            turn.say("rooms_added", actor, rooms=",".join(rooms))
            for room in rooms:
                turn.ring(room)
        case Removed(participant, actor):
            _remove(turn, participant, actor)
        case Ended(actor):
            turn.end(actor, "ended")
        case AgentLost(room):
            if turn.move(room, Move.LOSE):
                turn.say("room_lost", SERVER, room=room)
        case AgentBack(room, standing):
            _back(turn, room, standing)
        case Joined(room):
            _join(turn, room)
        case Unable(room, problem):
            if room in turn.state.active and turn.state.seats[room].call is not RoomCall.JOINED:
                turn.say("room_unable", f"room:{room}", room=room, problem=problem)
                turn.out(room, Move.EXPIRE, "left")
        case Media():
            _media(turn, event)
        case Tick():
            _expire(turn)


def _answer(turn: Turn, room: str) -> None:
    """Answering twice is answering once; too late is refused."""
    seat = seat_of(turn.state, room)
    if turn.move(room, Move.ANSWER):
        turn.effects.append(PrepareRoom(room))
        turn.say("room_answered", f"room:{room}", room=room)
    elif seat.call not in (RoomCall.PREPARING, RoomCall.JOINED):
        raise Refusal(Code.COMMAND_EXPIRED, "this call is over for the room", room=room)


def _decline(turn: Turn, room: str) -> None:
    """Declining what rings no more changes nothing; a room that is in must leave instead."""
    seat = seat_of(turn.state, room)
    if turn.move(room, Move.DECLINE):
        turn.say("room_declined", f"room:{room}", room=room)
    elif seat.call in (RoomCall.PREPARING, RoomCall.JOINED, RoomCall.LOST):
        raise Refusal(Code.COMMAND_EXPIRED, "the room has answered already", room=room)


def _leave(turn: Turn, room: str, fact: bool) -> None:
    """A ringing room that leaves declines; leaving twice is leaving once."""
    if fact and room not in turn.state.seats:
        return
    if seat_of(turn.state, room).call is RoomCall.RINGING:
        if not fact:
            _decline(turn, room)
        return
    if room in turn.state.present:
        turn.say("room_left", f"room:{room}", room=room)
        turn.out(room, Move.LEAVE, "left")


def _remove(turn: Turn, participant: str, actor: str) -> None:
    room = participant.removeprefix("room:")
    if participant.startswith("room:"):
        if room not in turn.state.active:
            raise Refusal(Code.NOT_FOUND, f"room {room[:64]} is not in this meeting", room=room[:64])
        turn.out(room, Move.REMOVE, "removed")
    else:
        turn.effects.append(EvictPerson(participant, Leave.REMOVED))
        people = turn.state.people - {participant}
        turn.state = replace(turn.state, people=people, removed=turn.state.removed | {participant})
    turn.say("participant_removed", actor, participant=participant)


def _back(turn: Turn, room: str, standing: Return) -> None:
    seat = turn.state.seats.get(room)
    if seat is None:
        return
    if seat.call is RoomCall.RINGING:
        if standing in (Return.IN_MEETING, Return.PREPARING):
            _answer(turn, room)  # it answered while the link was down
        elif standing is Return.OUT:
            _decline(turn, room)
        elif standing is not Return.RINGING and seat.until is not None:
            turn.effects.append(RingRoom(room, seat.until))
        return
    if seat.call is not RoomCall.LOST:
        return
    if standing is Return.IN_MEETING:
        turn.move(room, Move.JOIN)
        turn.say("room_back", f"room:{room}", room=room)
    elif standing is Return.PREPARING or standing is Return.RESTARTED:
        turn.enter(room)
        turn.say("room_back", f"room:{room}", room=room)
    else:
        _leave(turn, room, fact=True)


def _join(turn: Turn, room: str) -> None:
    seat = turn.state.seats.get(room)
    if seat is not None and seat.call is RoomCall.PREPARING and turn.move(room, Move.JOIN):
        turn.say("room_joined", f"room:{room}", room=room)


def _media(turn: Turn, event: Media) -> None:
    people = event.people - turn.state.removed
    met = turn.state.answered or bool(people)
    turn.state = replace(turn.state, people=people, in_media=event.rooms, answered=met)
    for room in event.rooms:
        _join(turn, room)


def _expire(turn: Turn) -> None:
    """End what ran out of time. A lost room whose picture still flows is waited for: only its control link is down."""
    for room, seat in list(turn.state.seats.items()):
        if seat.until is None or seat.until > turn.now:
            continue
        if seat.call is RoomCall.LOST and room in turn.state.in_media:
            longer = Seat(seat.call, turn.now + turn.timing.lost)
            turn.state = replace(turn.state, seats={**turn.state.seats, room: longer})
            continue
        turn.say("room_unanswered" if seat.call is RoomCall.RINGING else "room_dropped", SERVER, room=room)
        turn.out(room, Move.EXPIRE, "left")


def _settle(turn: Turn) -> None:
    """End the meeting when its rules say so; start or stop the time that people may stay alone."""
    state = turn.state
    ringing = state.rooms(RoomCall.RINGING)
    if state.caller is not None and not state.answered:
        if not ringing or state.caller not in state.present:
            turn.end(SERVER, "unanswered")
        return
    if state.present or ringing:
        turn.state = replace(state, alone_until=None)
    elif not state.people and state.alone_until is None:
        turn.end(SERVER, "ended" if state.answered else "unanswered")
    elif state.alone_until is None:
        turn.state = replace(state, alone_until=turn.now + turn.timing.alone)
    elif state.alone_until <= turn.now:
        turn.end(SERVER, "ended")
