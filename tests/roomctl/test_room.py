"""The room's state machine, in virtual time."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from roomctl.effects import AnswerCall, CloseMedia, OpenMedia, RunScene
from roomctl.room import MEDIA_PATIENCE, RELEASE_LIMIT, RING_GRACE, TRANSITIONS, Remembered, Room, Switches
from roomctl.scenes import Scene
from tests.roomctl.rooms import ACCESS
from wire.health import Health, Verdict
from wire.link import Phase, Prepare, Ring
from wire.meetings import Meeting, MeetingRoom, Participant, RoomCall
from wire.problems import Code, Refusal
from wire.views import RoomView

RING = Ring("m1", "Budget", "sai-senne", until=130.0)
PREPARE = Prepare("m1", "Budget", ACCESS)


def room(**settings: object) -> Room:
    return Room("lln-lauzelle", 100.0, **settings)  # type: ignore[arg-type]


def phase(subject: Room) -> Phase:
    return subject.phase


def in_meeting(now: float = 100.0) -> Room:
    subject = room(auto_answer=True)
    subject.prepare(PREPARE, now)
    subject.scene_done(Scene.CALL, now)
    subject.media_connected(True, now)
    assert phase(subject) is Phase.IN_MEETING
    return subject


def view(screen: bool = False, **calls: RoomCall) -> RoomView:
    rooms = {name.replace("_", "-"): MeetingRoom(name.replace("_", "-"), call) for name, call in calls.items()}
    guest = {"guest:1": Participant("guest:1", "person", "Ana", screen=True)} if screen else {}
    return RoomView(meeting=Meeting("m1", "m1", "", 0.0, "room:lln-lauzelle", rooms, guest))


def test_a_call_goes_through_every_phase() -> None:
    subject = room()
    assert subject.start(100.0) == [RunScene(Scene.CALL)]
    assert phase(subject) is Phase.CALLING
    subject.started("m1")
    assert subject.prepare(PREPARE, 101.0) == [OpenMedia("m1", ACCESS)]
    subject.scene_done(Scene.CALL, 102.0)
    subject.media_connected(True, 103.0)
    subject.observe(view(lln_lauzelle=RoomCall.JOINED, sai_senne=RoomCall.RINGING), 104.0)
    assert phase(subject) is Phase.CALLING
    subject.observe(view(lln_lauzelle=RoomCall.JOINED, sai_senne=RoomCall.PREPARING), 105.0)
    assert (subject.phase, subject.since) == (Phase.IN_MEETING, 105.0)
    assert subject.leave(200.0) == [CloseMedia(), RunScene(Scene.IDLE)]
    assert phase(subject) is Phase.RELEASING
    subject.scene_done(Scene.IDLE, 201.0)
    assert phase(subject) is Phase.IDLE
    assert subject.switches == Switches()


def test_waits_for_devices_and_media_before_the_meeting_shows() -> None:
    subject = room(auto_answer=True)
    subject.prepare(PREPARE, 100.0)
    subject.scene_done(Scene.CALL, 101.0)
    assert phase(subject) is Phase.PREPARING
    subject.media_connected(True, 102.0)
    assert phase(subject) is Phase.IN_MEETING


def test_shows_the_meeting_although_media_has_not_joined() -> None:
    subject = room()
    subject.prepare(PREPARE, 100.0)
    assert subject.deadline() == 100.0 + MEDIA_PATIENCE
    subject.tick(100.0 + MEDIA_PATIENCE)
    assert phase(subject) is Phase.IN_MEETING


def test_lost_media_leaves_the_phase_alone() -> None:
    subject = in_meeting()
    subject.media_connected(False, 150.0)
    assert phase(subject) is Phase.IN_MEETING


def test_answers_by_itself_after_its_seconds() -> None:
    subject = room(auto_answer=True, answer_after=5.0)
    subject.rang(RING, 100.0)
    assert subject.incoming is not None
    assert subject.incoming.answers_at == 105.0
    assert subject.deadline() == 105.0
    assert subject.tick(104.9) == []
    assert subject.tick(105.0) == [RunScene(Scene.CALL), AnswerCall("m1")]
    assert phase(subject) is Phase.PREPARING
    assert subject.switches == Switches(mic=True, camera=True)


def test_stops_ringing_by_itself_when_the_server_is_silent() -> None:
    subject = room()
    subject.rang(RING, 100.0)
    subject.tick(RING.until + RING_GRACE)
    assert phase(subject) is Phase.RELEASING


def test_an_answer_the_server_never_honours_frees_the_room() -> None:
    subject = room()
    subject.rang(RING, 100.0)
    subject.answer(101.0)
    subject.tick(101.0 + MEDIA_PATIENCE)
    assert phase(subject) is Phase.RELEASING


def test_devices_that_never_answer_do_not_hold_the_room() -> None:
    subject = in_meeting()
    subject.leave(150.0)
    subject.tick(150.0 + RELEASE_LIMIT)
    assert phase(subject) is Phase.IDLE


def test_puts_its_screens_to_standby_after_a_while() -> None:
    subject = in_meeting()
    subject.leave(150.0)
    subject.scene_done(Scene.IDLE, 151.0)
    assert subject.deadline() == 751.0
    assert subject.tick(751.0) == [RunScene(Scene.STANDBY)]
    assert subject.deadline() is None


def test_content_on_the_screen_changes_the_scene_and_back() -> None:
    subject = in_meeting()
    assert subject.observe(view(screen=True), 110.0) == [RunScene(Scene.PRESENT)]
    assert subject.observe(view(), 120.0) == [RunScene(Scene.CALL)]


def test_a_prepare_without_consent_opens_nothing() -> None:
    subject = room()
    subject.prepare(PREPARE, 100.0)
    assert subject.switches == Switches()


def test_what_the_room_closed_stays_closed_through_prepare() -> None:
    subject = room()
    subject.rang(RING, 100.0)
    subject.answer(101.0)
    subject.switch(mic=False)
    subject.prepare(PREPARE, 102.0)
    assert subject.switches == Switches(mic=False, camera=True)


@pytest.mark.parametrize(("meeting", "expected"), [("m1", Switches(True, False)), ("other", Switches())])
def test_a_restarted_agent_returns_as_it_was_left(meeting: str, expected: Switches) -> None:
    subject = room(remembered=Remembered(meeting, Switches(True, False)))
    subject.prepare(PREPARE, 100.0)
    assert subject.switches == expected


def test_a_second_prepare_brings_only_fresh_access() -> None:
    subject = in_meeting()
    fresh = Prepare("m1", "Budget", ACCESS)
    assert subject.prepare(fresh, 120.0) == [OpenMedia("m1", ACCESS)]
    assert phase(subject) is Phase.IN_MEETING


def test_is_busy_for_everyone_else() -> None:
    subject = in_meeting()
    other = Prepare("m2", "", ACCESS)
    inputs: list[Callable[[], object]] = [
        lambda: subject.rang(RING, 1.0),
        lambda: subject.prepare(other, 1.0),
        lambda: subject.start(1.0),
    ]
    for refused in inputs:
        with pytest.raises(Refusal) as refusal:
            refused()
        assert refusal.value.problem.code is Code.ROOM_BUSY
    assert subject.release("m2", 1.0) == []
    assert subject.stop_ring("m2", 1.0) == []


def test_maintenance_refuses_calls_until_it_ends() -> None:
    subject = room()
    subject.observe(RoomView(verdict=Verdict(Health.MAINTENANCE)), 100.0)
    assert phase(subject) is Phase.MAINTENANCE
    with pytest.raises(Refusal) as refusal:
        subject.rang(RING, 101.0)
    assert refusal.value.problem.code is Code.ROOM_MAINTENANCE
    subject.observe(RoomView(verdict=Verdict(Health.READY)), 102.0)
    assert phase(subject) is Phase.IDLE


@pytest.mark.parametrize("seed", range(20))
def test_no_order_of_inputs_breaks_it(seed: int) -> None:
    """Whatever happens in whatever order: no crash, and closed when idle."""
    dice = random.Random(seed)
    subject = room(auto_answer=bool(seed % 2))
    steps: list[Callable[[float], object]] = [
        lambda now: subject.start(now),
        lambda _: subject.started("m1"),
        lambda now: subject.start_refused(now),
        lambda now: subject.rang(Ring("m1", "", "", now + 30), now),
        lambda now: subject.stop_ring("m1", now),
        lambda now: subject.answer(now),
        lambda now: subject.answer_refused(now),
        lambda now: subject.decline(now),
        lambda now: subject.prepare(PREPARE, now),
        lambda now: subject.release("m1", now),
        lambda now: subject.leave(now),
        lambda now: subject.observe(view(sai_senne=RoomCall.JOINED), now),
        lambda now: subject.scene_done(subject.scene, now),
        lambda now: subject.media_connected(True, now),
        lambda _: subject.renewed(ACCESS),
        lambda now: subject.tick(now),
    ]
    now = 100.0
    for _ in range(400):
        now += dice.choice((0.0, 0.5, 5.0, 40.0))
        try:
            dice.choice(steps)(now)
        except Refusal:
            continue
        finally:
            if subject.phase in (Phase.IDLE, Phase.RELEASING):
                assert subject.access is None
                assert subject.switches == Switches()
                assert subject.meeting is None


def test_every_phase_but_offline_is_reached_and_left() -> None:
    targets = set(TRANSITIONS.values())
    sources = {phase for phase, _ in TRANSITIONS}
    assert targets == sources == set(Phase) - {Phase.OFFLINE}


def test_a_rule_sets_up_only_a_room_that_nobody_uses() -> None:
    subject = room()
    assert subject.follow(Scene.IDLE, 110.0) == [RunScene(Scene.IDLE)]
    assert subject.follow(Scene.IDLE, 120.0) == []
    assert subject.deadline() == 710.0, "waking it counts as use"
    subject.start(130.0)
    assert subject.follow(Scene.STANDBY, 140.0) == []
    assert subject.scene is Scene.CALL
