"""Whether rooms can be called: all or none, with a reason and a stand-in."""

from __future__ import annotations

import pytest

from signaling.centers.directory import Directory
from signaling.rooms.calling import Readiness, check_call, readiness, stand_in
from tests.signaling.rooms.world import HAIN, HOCAILLE, LAUZELLE, MUSSAIN, NETWORK, SENNE
from wire.health import Health, Verdict
from wire.link import Phase
from wire.problems import Code, Notice, Problem, Refusal
from wire.views import Availability

DIRECTORY = Directory(NETWORK)


def ready(**changed: Availability) -> dict[str, Readiness]:
    """All rooms free, but those named (- written as _)."""
    return {room: Readiness(changed.get(room.replace("-", "_"), "free")) for room in DIRECTORY.rooms}


def problem(rooms: list[str], caller: str | None = LAUZELLE, limit: int = 5, **changed: Availability) -> Problem:
    with pytest.raises(Refusal) as refused:
        check_call(DIRECTORY, ready(**changed), rooms, limit=limit, caller=caller)
    return refused.value.problem


def test_free_rooms_can_be_called() -> None:
    check_call(DIRECTORY, ready(), [SENNE, HAIN], limit=5, caller=LAUZELLE)


@pytest.mark.parametrize(
    ("availability", "code"),
    [
        ("busy", Code.ROOM_BUSY),
        ("offline", Code.ROOM_OFFLINE),
        ("unusable", Code.ROOM_UNUSABLE),
        ("unknown", Code.ROOM_UNVERIFIED),
        ("maintenance", Code.ROOM_MAINTENANCE),
    ],
)
def test_a_room_that_cannot_be_called_is_named_with_a_stand_in(availability: Availability, code: Code) -> None:
    found = problem([HAIN, SENNE], sai_senne=availability)
    assert (found.code, found.room, found.instead) == (code, SENNE, MUSSAIN)


def test_the_stand_in_is_free_near_in_seats_and_not_wanted_already() -> None:
    assert stand_in(DIRECTORY, ready(), SENNE) == HAIN
    assert stand_in(DIRECTORY, ready(sai_hain="busy"), SENNE) == MUSSAIN
    assert stand_in(DIRECTORY, ready(sai_hain="busy"), SENNE, [MUSSAIN]) is None


def test_lists_that_make_no_sense() -> None:
    assert problem([]).code is Code.NO_ROOMS
    assert (problem([SENNE, SENNE]).code, problem([SENNE, SENNE]).room) == (Code.BAD_REQUEST, SENNE)
    assert (problem([SENNE, LAUZELLE]).code, problem([SENNE, LAUZELLE]).room) == (Code.BAD_REQUEST, LAUZELLE)
    assert (problem(["atlantis"]).code, problem(["atlantis"]).room) == (Code.ROOM_UNKNOWN, "atlantis")
    assert problem([SENNE, HAIN], limit=2).code is Code.TOO_MANY


def test_a_long_unknown_room_is_not_echoed_whole() -> None:
    found = problem(["x" * 10_000])
    assert len(found.message) < 200
    assert found.room is not None
    assert len(found.room) == 64


def test_a_caller_that_is_not_fit_is_named_too() -> None:
    found = problem([SENNE], lln_lauzelle="unusable")
    assert (found.code, found.room, found.instead) == (Code.ROOM_UNUSABLE, LAUZELLE, HOCAILLE)


GOOD = Verdict(Health.READY)
BAD = Verdict(Health.UNUSABLE, [Notice("health.camera_silent")])


@pytest.mark.parametrize(
    ("verdict", "online", "phase", "taken", "expected"),
    [
        (GOOD, True, Phase.IDLE, False, "free"),
        (Verdict(Health.DEGRADED), True, Phase.IDLE, False, "free"),
        (GOOD, True, Phase.IDLE, True, "busy"),
        (GOOD, True, Phase.RELEASING, False, "busy"),
        (GOOD, True, Phase.CALLING, False, "busy"),
        (Verdict(Health.UNKNOWN), False, Phase.OFFLINE, False, "offline"),
        (Verdict(Health.UNKNOWN), True, Phase.IDLE, False, "unknown"),
        (BAD, True, Phase.IDLE, False, "unusable"),
        (BAD, True, Phase.IN_MEETING, True, "busy"),
        (Verdict(Health.MAINTENANCE), True, Phase.IDLE, False, "maintenance"),
    ],
)
def test_readiness(verdict: Verdict, online: bool, phase: Phase, taken: bool, expected: str) -> None:
    assert readiness(verdict, online=online, phase=phase, taken=taken).availability == expected


def test_the_callers_own_calling_does_not_make_it_busy() -> None:
    assert readiness(GOOD, online=True, phase=Phase.CALLING, taken=False, caller=True).free
    assert readiness(BAD, online=True, phase=Phase.IDLE, taken=False).because == Notice("health.camera_silent")
