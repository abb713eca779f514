"""Commands on their way: kept, sent again, superseded, dropped in time."""

from __future__ import annotations

from signaling.rooms.courier import MAX_PENDING, Courier
from wire.link import MeetingRef, Release, Result, Ring


def ring(courier: Courier, meeting: str = "m", until: float = 30.0) -> str:
    return courier.post("ring", Ring(meeting, "T", "a", until), deadline=until, actor="it:x").id


def test_a_command_is_pending_until_done_and_is_always_the_same() -> None:
    courier = Courier("r")
    id = ring(courier)
    first, second = courier.pending(1.0), courier.pending(2.0)
    assert first == second
    assert courier.settle(Result(id, "accepted")) is None
    assert courier.pending(3.0) == first
    assert courier.settle(Result(id, "done")) == first[0]
    assert courier.pending(4.0) == []
    assert courier.settle(Result(id, "done")) is None


def test_nothing_is_sent_past_its_deadline() -> None:
    courier = Courier("r")
    ring(courier, until=30.0)
    assert len(courier.pending(29.9)) == 1
    assert courier.pending(30.0) == []


def test_the_later_word_about_a_meeting_wins() -> None:
    courier = Courier("r")
    ring(courier)
    ring(courier, "other")
    courier.post("stop_ring", MeetingRef("m"), deadline=99.0, actor="server")
    assert [(command.op, command.args["meeting"]) for command in courier.pending(0.0)] == [
        ("ring", "other"),
        ("stop_ring", "m"),
    ]
    courier.post("release", Release("other", "ended"), deadline=99.0, actor="server")
    assert not courier.waits("ring", "other")
    courier.drop("m", "stop_ring")
    assert [command.op for command in courier.pending(0.0)] == ["release"]


def test_keys_are_never_used_twice_even_by_another_server_process() -> None:
    keys = set()
    for _ in range(2):
        courier = Courier("r")
        for _ in range(3):
            ring(courier)
            keys.add(courier.pending(0.0)[-1].idempotency_key)
    assert len(keys) == 6


def test_a_room_that_never_answers_does_not_fill_the_memory() -> None:
    courier = Courier("r")
    for meeting in range(MAX_PENDING * 3):
        ring(courier, str(meeting))
    assert len(courier.pending(0.0)) == MAX_PENDING
