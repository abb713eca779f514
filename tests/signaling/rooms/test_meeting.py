"""The meeting machine: its rules one by one, and invariants over any sequence of inputs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.media import Leave
from signaling.rooms.effects import (
    CloseMedia,
    EvictPerson,
    EvictRoom,
    PrepareRoom,
    ReleaseRoom,
    RingRoom,
    StopRinging,
)
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
from signaling.rooms.meeting import (
    TRANSITIONS,
    Call,
    MeetingState,
    Move,
    Outcome,
    Timing,
    open_meeting,
    resume_meeting,
)
from signaling.rooms.progress import step
from wire.meetings import RoomCall
from wire.problems import Code, Refusal

TIMING = Timing(ring=30, prepare=120, lost=90, alone=60)
NOBODY: frozenset[str] = frozenset()


def start(*rooms: str, caller: str | None = "a") -> Outcome:
    actor = f"room:{caller}" if caller else "it:ann"
    return open_meeting(Call("m", "media", "T", actor, rooms, caller), 0.0, TIMING)


def run(state: MeetingState, *events: Input, now: float = 1.0) -> Outcome:
    outcome = Outcome(state)
    for event in events:
        outcome = step(outcome.state, event, now, TIMING)
    return outcome


def calls(outcome: Outcome) -> dict[str, str]:
    return {room: seat.call.value for room, seat in outcome.state.seats.items()}


def test_the_caller_starts_at_once_and_the_others_ring() -> None:
    outcome = start("b", "c")
    assert outcome.effects == (PrepareRoom("a"), RingRoom("b", 30.0), RingRoom("c", 30.0))
    assert calls(outcome) == {"a": "preparing", "b": "ringing", "c": "ringing"}
    assert [line.action for line in outcome.audit] == ["meeting_started"]


def test_all_rooms_ring_when_it_starts_a_meeting() -> None:
    assert calls(start("a", "b", caller=None)) == {"a": "ringing", "b": "ringing"}


def test_an_answer_prepares_the_room_and_a_second_one_changes_nothing() -> None:
    first = run(start("b").state, Answered("b"))
    assert first.effects == (PrepareRoom("b"),)
    assert run(first.state, Answered("b")).effects == ()


def test_a_decline_and_no_answer_are_shown_and_the_others_go_on() -> None:
    state = run(start("b", "c", "d").state, Declined("b"), Answered("c")).state
    outcome = step(state, Tick(), 30.0, TIMING)
    assert calls(outcome) == {"a": "preparing", "b": "declined", "c": "preparing", "d": "unanswered"}
    assert StopRinging("d") in outcome.effects
    assert outcome.state.ended_at is None


def test_it_ends_when_nobody_answers() -> None:
    outcome = step(start("b").state, Tick(), 30.0, TIMING)
    assert outcome.state.ended_at == 30.0
    assert ReleaseRoom("a", "unanswered") in outcome.effects
    assert CloseMedia() in outcome.effects


def test_it_goes_on_without_an_answer_while_a_guest_is_there() -> None:
    outcome = run(start("b").state, Media(frozenset("a"), frozenset({"guest:1"})), Declined("b"))
    assert outcome.state.ended_at is None


def test_it_is_cancelled_when_the_caller_leaves_before_an_answer() -> None:
    outcome = run(start("b").state, Left("a"))
    assert outcome.state.ended_at == 1.0
    assert StopRinging("b") in outcome.effects


def test_an_answer_that_comes_too_late_is_refused() -> None:
    state = step(start("b", "c").state, Declined("b"), 1.0, TIMING).state
    with pytest.raises(Refusal) as refused:
        step(state, Answered("b"), 2.0, TIMING)
    assert refused.value.problem.code is Code.COMMAND_EXPIRED


def test_a_room_that_was_not_called_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        step(start("b").state, Answered("z"), 1.0, TIMING)
    assert refused.value.problem.code is Code.MEETING_UNKNOWN


def test_it_ends_with_its_last_room() -> None:
    state = run(start("b").state, Answered("b"), Joined("a"), Joined("b"), Left("a")).state
    assert state.ended_at is None
    outcome = step(state, Left("b"), 5.0, TIMING)
    assert outcome.state.ended_at == 5.0


def test_people_may_stay_a_while_when_all_rooms_left() -> None:
    state = run(start("b").state, Answered("b"), Media(NOBODY, frozenset({"guest:1"})), Left("a"), Left("b")).state
    assert state.ended_at is None
    assert step(state, Tick(), 60.9, TIMING).state.ended_at is None
    assert step(state, Tick(), 61.0, TIMING).state.ended_at == 61.0


def test_it_ends_at_once_when_the_last_person_goes_after_the_rooms() -> None:
    state = run(start("b").state, Answered("b"), Left("a"), Left("b")).state
    assert state.ended_at is not None


def test_a_removed_room_is_released_and_may_be_called_again() -> None:
    state = run(start("b", "c").state, Answered("b"), Joined("b"), Answered("c")).state
    outcome = step(state, Removed("room:b", "room:a"), 2.0, TIMING)
    assert outcome.effects == (ReleaseRoom("b", "removed"), EvictRoom("b", Leave.REMOVED))
    assert calls(outcome)["b"] == "left"
    again = step(outcome.state, Added(("b",), "room:a"), 3.0, TIMING)
    assert again.effects == (RingRoom("b", 33.0),)


def test_a_removed_person_does_not_count_any_more() -> None:
    state = run(start("b").state, Answered("b"), Media(NOBODY, frozenset({"guest:1"}))).state
    outcome = step(state, Removed("guest:1", "room:a"), 2.0, TIMING)
    assert outcome.effects == (EvictPerson("guest:1", Leave.REMOVED),)
    assert outcome.state.removed == {"guest:1"}
    back = step(outcome.state, Media(NOBODY, frozenset({"guest:1"})), 3.0, TIMING)
    assert back.state.people == NOBODY


def test_a_silent_agent_is_waited_for_and_then_dropped() -> None:
    state = run(start("b").state, Answered("b"), Joined("a"), Joined("b"), AgentLost("b")).state
    assert state.seats["b"].call is RoomCall.LOST
    assert step(state, Tick(), 90.9, TIMING).state.seats["b"].call is RoomCall.LOST
    dropped = step(state, Tick(), 91.0, TIMING)
    assert dropped.state.seats["b"].call is RoomCall.LEFT
    assert EvictRoom("b", Leave.LEFT) in dropped.effects


def test_losing_the_control_link_does_not_drop_a_call_whose_picture_flows() -> None:
    state = run(start("b").state, Answered("b"), Media(frozenset("ab"), NOBODY), AgentLost("b")).state
    assert step(state, Tick(), 500.0, TIMING).state.seats["b"].call is RoomCall.LOST


@pytest.mark.parametrize(
    ("standing", "call", "prepares"),
    [
        (Return.IN_MEETING, RoomCall.JOINED, False),
        (Return.PREPARING, RoomCall.PREPARING, True),
        (Return.RESTARTED, RoomCall.PREPARING, True),
        (Return.OUT, RoomCall.LEFT, False),
        (Return.IDLE, RoomCall.LEFT, False),
    ],
)
def test_an_agent_that_is_back(standing: Return, call: RoomCall, prepares: bool) -> None:
    state = run(start("b").state, Answered("b"), Joined("b"), AgentLost("b")).state
    outcome = step(state, AgentBack("b", standing), 5.0, TIMING)
    assert outcome.state.seats["b"].call is call
    assert (PrepareRoom("b") in outcome.effects) is prepares


def test_a_ringing_room_whose_agent_forgot_is_rung_again_until_the_same_time() -> None:
    outcome = step(start("b").state, AgentBack("b", Return.RESTARTED), 5.0, TIMING)
    assert outcome.effects == (RingRoom("b", 30.0),)
    assert step(outcome.state, AgentBack("b", Return.RINGING), 6.0, TIMING).effects == ()


def test_a_room_that_declined_while_its_link_was_down_is_not_rung_again() -> None:
    outcome = step(start("b", "c").state, AgentBack("b", Return.OUT), 5.0, TIMING)
    assert calls(outcome)["b"] == "declined"


def test_a_room_that_cannot_prepare_is_let_go() -> None:
    state = run(start("b", "c").state, Answered("b")).state
    assert calls(step(state, Unable("b", "room_busy"), 2.0, TIMING))["b"] == "left"
    assert calls(step(state, Unable("c", "room_busy"), 2.0, TIMING))["c"] == "unanswered"


def test_a_room_that_never_joins_is_let_go() -> None:
    state = run(start("b").state, Answered("b"), Joined("a")).state
    assert step(state, Tick(), 121.0, TIMING).state.seats["b"].call is RoomCall.LEFT


def test_the_end_releases_everyone() -> None:
    state = run(start("b", "c").state, Answered("b"), Joined("b")).state
    outcome = step(state, Ended("room:b"), 7.0, TIMING)
    assert {type(effect) for effect in outcome.effects} == {ReleaseRoom, EvictRoom, StopRinging, CloseMedia}
    assert outcome.state.record.ended_by == "room:b"
    with pytest.raises(Refusal) as refused:
        step(outcome.state, Answered("c"), 8.0, TIMING)
    assert refused.value.problem.code is Code.MEETING_OVER


def test_after_a_restart_rooms_are_expected_back() -> None:
    before = run(start("b", "c").state, Answered("b"), Joined("a"), Joined("b")).state
    state = resume_meeting(before.record, ["guest:out"], 100.0, TIMING)
    assert {room: seat.call for room, seat in state.seats.items()} == {
        "a": RoomCall.LOST,
        "b": RoomCall.LOST,
        "c": RoomCall.RINGING,
    }
    assert state.answered
    assert state.removed == {"guest:out"}
    back = step(state, AgentBack("a", Return.IN_MEETING), 103.0, TIMING).state
    assert back.seats["a"].call is RoomCall.JOINED
    gone = step(back, Tick(), 190.0, TIMING).state
    assert gone.seats["b"].call is RoomCall.LEFT
    assert gone.ended_at is None


def test_a_restored_meeting_nobody_returns_to_ends() -> None:
    before = run(start("b").state, Answered("b"), Joined("a")).state
    state = resume_meeting(before.record, [], 100.0, TIMING)
    assert step(state, Tick(), 190.0, TIMING).state.ended_at == 190.0


# --- any sequence -------------------------------------------------------------------------------------------------

ROOMS = st.sampled_from("abcd")
PEOPLE = st.frozensets(st.sampled_from(["guest:1", "guest:2"]))
INPUTS = st.one_of(
    st.builds(Answered, ROOMS),
    st.builds(Declined, ROOMS),
    st.builds(Left, ROOMS, st.booleans()),
    st.builds(lambda room: Added((room,), "it:x"), ROOMS),
    st.builds(Removed, st.one_of(ROOMS.map("room:{}".format), st.just("guest:1")), st.just("it:x")),
    st.builds(AgentLost, ROOMS),
    st.builds(AgentBack, ROOMS, st.sampled_from(Return)),
    st.builds(Joined, ROOMS),
    st.builds(Unable, ROOMS, st.just("x")),
    st.builds(Media, st.frozensets(ROOMS), PEOPLE),
    st.just(Tick()),
    st.just(Ended("it:x")),
)
STEPS = st.lists(st.tuples(INPUTS, st.floats(0, 40)), max_size=30)


@given(st.sampled_from([None, "a"]), st.sampled_from([("b",), ("b", "c")]), STEPS)
def test_invariants_hold_over_any_sequence(
    caller: str | None, rooms: tuple[str, ...], steps: list[tuple[Input, float]]
) -> None:
    state, now = start(*rooms, caller=caller).state, 0.0
    for event, passed in steps:
        before, now = state, now + passed
        try:
            outcome = step(state, event, now, TIMING)
        except Refusal:
            continue  # a refused input changes nothing: the state is immutable
        state = outcome.state
        if before.ended_at is not None:
            assert outcome == Outcome(before), "an ended meeting changed"
            continue
        for room, seat in state.seats.items():
            was = before.seats[room].call if room in before.seats else None
            reachable = {was} | {to for (source, _), to in TRANSITIONS.items() if source is was}
            reachable |= {to for (source, _), to in TRANSITIONS.items() if source in reachable}
            assert seat.call in reachable
            assert (seat.until is not None) == (seat.call in (RoomCall.RINGING, RoomCall.PREPARING, RoomCall.LOST))
        if state.ended_at is not None:
            assert not state.active, "a room is held by a meeting that is over"
            assert CloseMedia() in outcome.effects
            assert state.deadline is None
        else:
            assert state.active or state.people or state.alone_until, "a meeting of nobody goes on"
        assert not state.people & state.removed
        rung = {effect.room for effect in outcome.effects if isinstance(effect, RingRoom)}
        assert rung <= set(state.rooms(RoomCall.RINGING))


@given(STEPS)
def test_time_alone_ends_every_meeting_that_everyone_left(steps: list[tuple[Input, float]]) -> None:
    """Agents lost, nobody in the media: no meeting lives for ever."""
    state, now = start("b", "c").state, 0.0
    for event, passed in steps:
        now += passed
        try:
            state = step(state, event, now, TIMING).state
        except Refusal:
            continue
    for room in "abcd":
        state = step(state, AgentLost(room), now, TIMING).state
    state = step(state, Media(NOBODY, NOBODY), now, TIMING).state
    for _ in range(20):
        now = max(now, state.deadline or now)
        state = step(state, Tick(), now, TIMING).state
    assert state.ended_at is not None


def test_every_move_has_a_way_in_the_table() -> None:
    assert {move for _, move in TRANSITIONS} == set(Move)


def test_a_room_called_by_people_left_alone_may_still_answer() -> None:
    """Found by the property above: the time that people may stay alone ended the meeting that had just rung a room."""
    state = start("b", caller=None).state
    state = step(state, Media(frozenset(), frozenset(["guest:1"])), 1.0, TIMING).state
    state = step(state, Tick(), TIMING.ring + 1.0, TIMING).state
    late = TIMING.ring + TIMING.alone + 5.0
    outcome = step(state, Added(("a",), "it:x"), late, TIMING)
    assert outcome.state.ended_at is None
    assert outcome.state.rooms(RoomCall.RINGING) == ["a"]
