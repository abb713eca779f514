"""What a room keeps of its reliable data: memory is bounded as it is, not as payloads alone would have it."""

from __future__ import annotations

import tracemalloc

import pytest

from signaling.rtc.history import History

BOUND = 512 * 1024
PEOPLE = [f"PA_{number:012d}/sub" for number in range(199)]


def fill(history: History, packets: int, *, apart: bool, size: int = 20) -> None:
    """Small packets of one sender to all of a large room; `apart`: each to all but some others."""
    for number in range(packets):
        away = {number % 199, number // 199 % 199} if apart else set[int]()
        to = [name for at, name in enumerate(PEOPLE) if at not in away]
        history.add("PA_sender", number, number / 500, to, bytes(bytearray(size)))


@pytest.mark.parametrize("apart", [False, True], ids=["same people", "other people each time"])
def test_many_small_packets_take_no_more_memory_than_they_may(apart: bool) -> None:
    history = History(BOUND, 55.0)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    fill(history, 5_000, apart=apart)
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(history) > 20
    assert taken < 1.25 * BOUND


def test_packets_to_the_same_people_are_kept_by_the_thousand() -> None:
    history = History(BOUND, 55.0)
    fill(history, 5_000, apart=False)
    assert 1_000 < len(history) < 2_000
    assert len(list(history.missed(PEOPLE[7], {"PA_sender": 4_990}, 0.0))) == 9


def test_what_was_dropped_takes_nothing() -> None:
    history = History(BOUND, 55.0)
    fill(history, 300, apart=True, size=60_000)
    assert 0 < len(history) < 9
    history.forget(1e6)
    assert len(history) == 0
    assert (history._bytes, history._audiences) == (0, {})
