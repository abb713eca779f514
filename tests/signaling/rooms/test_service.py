"""The whole of rooms and meetings in virtual time, on a real store, with agents that are driven by hand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signaling.media import Grants
from signaling.store import AuditRecord, MeetingRecord
from tests.signaling.rooms.world import (
    HAIN,
    HOCAILLE,
    LAUZELLE,
    MUSSAIN,
    SENNE,
    World,
    devices,
    done,
    world,
)
from wire.link import MediaAccess, Phase, Prepare, Report, Result
from wire.meetings import StartMeeting
from wire.problems import Code, Problem, Refusal


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        for room in (LAUZELLE, HOCAILLE, SENNE, HAIN, MUSSAIN):
            await made.connect(room)
        yield made


async def running(w: World) -> str:
    """Lauzelle and Senne in a meeting, both in the media; gives its id."""
    meeting = await w.service.start(f"room:{LAUZELLE}", LAUZELLE, StartMeeting([SENNE]))
    await w.enter(LAUZELLE, meeting.id)
    await w.ask(SENNE, "answer", meeting=meeting.id)
    await w.enter(SENNE, meeting.id)
    return meeting.id


async def refusal(call: object) -> Problem:
    with pytest.raises(Refusal) as refused:
        await call  # type: ignore[misc]
    return refused.value.problem


async def test_a_panel_starts_a_meeting_across_centers(w: World) -> None:
    await w.phase(LAUZELLE, Phase.CALLING)
    reply = await w.ask(LAUZELLE, "start_meeting", rooms=[SENNE])
    assert reply.result is not None
    assert reply.result["title"] == "Lauzelle, Senne"
    [prepare] = w.links[LAUZELLE].commands("prepare")
    [ring] = w.links[SENNE].commands("ring")
    assert ring.args["caller"] == LAUZELLE
    assert ring.deadline == ring.args["until"] == w.clock.now + 30
    access = MediaAccess(**prepare.args["media"])
    assert access.url == "wss://meet.example"
    assert json.loads(access.token)["identity"] == f"room:{LAUZELLE}"
    assert json.loads(access.display_token) == {
        "identity": f"room:{LAUZELLE}/display",
        "media": reply.result["media"],
        "hidden": True,
    }
    await w.ask(SENNE, "answer", meeting=reply.result["id"])
    [prepare] = w.links[SENNE].commands("prepare")
    assert prepare.args["meeting"] == reply.result["id"]
    await w.enter(LAUZELLE, reply.result["id"])
    await w.enter(SENNE, reply.result["id"])
    assert w.call(LAUZELLE) == w.call(SENNE) == "joined"


async def test_the_records_are_safe_before_anyone_hears_of_the_meeting(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    put = w.store.put_meeting

    async def spy(record: MeetingRecord, *audit: AuditRecord) -> None:
        heard.append(len(w.links[SENNE].commands()))
        await put(record, *audit)

    monkeypatch.setattr(w.store, "put_meeting", spy)
    meeting = await w.service.start("it:ann", None, StartMeeting([SENNE]))
    assert heard == [0]
    record = await w.store.meeting(meeting.id)
    assert record is not None
    assert record.started_by == "it:ann"


async def test_one_room_that_cannot_be_called_and_nobody_is_started(w: World) -> None:
    await w.disconnect(SENNE)
    problem = await refusal(w.service.start(f"room:{LAUZELLE}", LAUZELLE, StartMeeting([HAIN, SENNE])))
    assert (problem.code, problem.room, problem.instead) == (Code.ROOM_OFFLINE, SENNE, MUSSAIN)
    assert w.service.meetings() == []
    assert all(not link.commands() for link in w.links.values())


async def test_rooms_in_a_meeting_are_busy(w: World) -> None:
    await running(w)
    problem = await refusal(w.service.start("it:ann", None, StartMeeting([SENNE])))
    assert (problem.code, problem.instead) == (Code.ROOM_BUSY, HAIN)
    assert w.availability(SENNE) == "busy"


async def test_nobody_answers(w: World) -> None:
    meeting = await w.service.start(f"room:{LAUZELLE}", LAUZELLE, StartMeeting([SENNE]))
    await w.wait(30)
    assert w.service.meetings() == []
    [release] = w.links[LAUZELLE].commands("release")
    assert release.args == {
        "meeting": meeting.id,
        "reason": "unanswered",
        "calls": {LAUZELLE: "left", SENNE: "unanswered"},
    }
    assert w.links[SENNE].commands("stop_ring")


async def test_a_decline_is_shown_to_the_others(w: World) -> None:
    meeting = await w.service.start(f"room:{LAUZELLE}", LAUZELLE, StartMeeting([SENNE, HAIN]))
    await w.ask(HAIN, "decline", meeting=meeting.id)
    await w.service.turn()
    assert w.call(HAIN) == "declined"
    assert w.availability(HAIN) == "free"


async def test_it_names_the_livekit_room_and_a_room_may_not(w: World) -> None:
    meeting = await w.service.start("it:ann", None, StartMeeting([SENNE], media="demo"))
    assert meeting.media == "demo"
    problem = await refusal(w.service.start("it:ann", None, StartMeeting([HAIN], media="demo")))
    assert problem.code is Code.BAD_REQUEST
    problem = await refusal(w.ask(LAUZELLE, "start_meeting", rooms=[HAIN], media="x"))
    assert problem.code is Code.FORBIDDEN


async def test_rooms_of_one_session_each_are_one_participant(w: World) -> None:
    meeting = await running(w)
    media = w.media_of(meeting)
    w.media.join(media, Grants(f"room:{SENNE}/table", media), screen=True)
    w.media.join(media, Grants(f"room:{SENNE}/display", media, hidden=True))
    w.media.join(media, Grants("guest:1", media, name="Zoé"))
    await w.service.turn()
    [view] = w.service.meetings()
    assert set(view.participants) == {f"room:{LAUZELLE}", f"room:{SENNE}", "guest:1"}
    senne = view.participants[f"room:{SENNE}"]
    assert (senne.name, senne.center) == ("Senne", "sai")
    assert senne.mic
    assert senne.camera
    assert senne.screen


async def test_a_removed_room_is_out_and_not_admitted_until_called_again(w: World) -> None:
    meeting = await running(w)
    media = w.media_of(meeting)
    token = Grants(f"room:{SENNE}", media)
    assert w.service.admit(token) is None
    await w.service.remove("it:ann", meeting, f"room:{SENNE}")
    assert w.links[SENNE].commands("release")[0].args["reason"] == "removed"
    assert f"room:{SENNE}" not in w.media.sessions[media]
    problem = w.service.admit(token)
    assert problem is not None
    assert problem.code is Code.FORBIDDEN
    await w.phase(SENNE, Phase.IDLE)
    await w.service.add_rooms("it:ann", meeting, [SENNE])
    await w.ask(SENNE, "answer", meeting=meeting)
    assert w.service.admit(token) is None


async def test_a_room_acts_on_its_own_meeting_only(w: World) -> None:
    meeting = await running(w)
    for op in ("end", "invite", "media", "revoke_invitations"):
        assert (await refusal(w.ask(HAIN, op, meeting=meeting))).code is Code.FORBIDDEN
    assert (await refusal(w.ask(HAIN, "add_rooms", meeting=meeting, rooms=[MUSSAIN]))).code is Code.FORBIDDEN
    assert (await refusal(w.ask(HAIN, "leave", meeting=meeting))).code is Code.MEETING_UNKNOWN
    assert (await refusal(w.ask(HAIN, "end", meeting="nonsense"))).code is Code.MEETING_UNKNOWN
    assert (await refusal(w.ask(HAIN, "end", meeting=3))).code is Code.BAD_REQUEST


async def test_the_end_for_all(w: World) -> None:
    meeting = await running(w)
    media = w.media_of(meeting)
    await w.ask(SENNE, "end", meeting=meeting)
    await w.service.turn()
    assert w.media.ended == [media]
    assert w.links[LAUZELLE].commands("release")
    problem = w.service.admit(Grants(f"room:{SENNE}", media))
    assert problem is not None
    assert problem.code is Code.MEETING_OVER
    actions = [line.action for line in await w.store.audit_trail(subject=meeting)]
    assert set(actions) == {"meeting_started", "room_joined", "room_answered", "meeting_ended"}


async def test_a_room_that_releases_itself_has_left(w: World) -> None:
    meeting = await running(w)
    await w.phase(SENNE, Phase.RELEASING)
    assert w.call(SENNE) == "left"
    await w.phase(LAUZELLE, Phase.RELEASING)
    assert w.service.meetings() == []
    assert (await refusal(w.ask(SENNE, "leave", meeting=meeting))).code is Code.MEETING_OVER


async def test_commands_wait_for_the_link_while_they_are_valid(w: World) -> None:
    meeting = await w.service.start(f"room:{LAUZELLE}", LAUZELLE, StartMeeting([SENNE]))
    first = w.links[SENNE].commands("ring")
    await w.disconnect(SENNE)
    w.clock.now += 5
    link = await w.connect(SENNE)
    assert link.commands("ring")[0] == first[0], "the same command again: the agent runs its key once"
    await w.desk.hear(link, done(link.commands("ring")[0]))
    await w.disconnect(SENNE)
    link = await w.connect(SENNE, report=Report(phase=Phase.RINGING, meeting=meeting.id, devices=devices()))
    assert link.commands() == []
    await w.disconnect(SENNE)
    w.clock.now += 26
    await w.service.turn()
    assert (await w.connect(SENNE)).commands("ring") == []


async def test_a_room_goes_on_ringing_when_its_link_was_gone_for_a_moment(w: World) -> None:
    await w.service.start(f"room:{LAUZELLE}", LAUZELLE, StartMeeting([SENNE]))
    await w.desk.hear(w.links[SENNE], done(w.links[SENNE].commands("ring")[0]))
    await w.phase(SENNE, Phase.RINGING)
    await w.disconnect(SENNE)
    link = await w.connect(SENNE, report=Report(phase=Phase.RINGING, devices=devices()))
    assert link.commands() == []
    assert w.call(SENNE) == "ringing"
    link = await w.connect(SENNE, boot="boot-2")
    assert [command.op for command in link.commands()] == ["ring"], "a new process is rung again"


async def test_a_room_that_stops_ringing_has_declined_even_if_its_word_was_lost(w: World) -> None:
    await w.service.start(f"room:{LAUZELLE}", LAUZELLE, StartMeeting([SENNE, HAIN]))
    await w.phase(SENNE, Phase.RINGING)
    await w.phase(SENNE, Phase.RELEASING)
    assert w.call(SENNE) == "declined"


async def test_a_lost_agent_is_back_with_its_meeting(w: World) -> None:
    meeting = await running(w)
    await w.disconnect(SENNE)
    assert w.call(SENNE) == "lost"
    link = await w.connect(SENNE, report=Report(phase=Phase.IN_MEETING, meeting=meeting, devices=devices()))
    assert w.call(SENNE) == "joined"
    assert link.commands() == []


async def test_a_restarted_agent_is_prepared_again_and_one_that_left_is_not(w: World) -> None:
    await running(w)
    await w.disconnect(SENNE)
    link = await w.connect(SENNE, boot="boot-2")
    assert Prepare(**link.commands("prepare")[0].args).title == "Lauzelle, Senne"
    assert w.call(SENNE) == "preparing"
    await w.disconnect(LAUZELLE)
    assert (await w.connect(LAUZELLE)).commands("prepare") == []
    assert w.call(LAUZELLE) == "left"


async def test_an_agent_in_a_meeting_that_is_over_is_released(w: World) -> None:
    meeting = await running(w)
    await w.disconnect(SENNE)
    await w.service.end("it:ann", meeting)
    link = await w.connect(SENNE, report=Report(phase=Phase.IN_MEETING, meeting=meeting, devices=devices()))
    assert link.commands("release")[-1].args["meeting"] == meeting


async def test_a_room_that_cannot_obey_is_let_go(w: World) -> None:
    meeting = await w.service.start("it:ann", None, StartMeeting([SENNE, HAIN]))
    command = w.links[SENNE].commands("ring")[0]
    await w.desk.hear(w.links[SENNE], Result(command.id, "failed", Problem(Code.COMMAND_EXPIRED, "late")))
    assert w.call(SENNE) == "unanswered"
    await w.ask(HAIN, "answer", meeting=meeting.id)
    await w.wait(60)
    assert w.service.meetings() == [], "Hain never did what it was told"


async def test_two_rooms_that_call_each_other_meet(w: World) -> None:
    await w.phase(LAUZELLE, Phase.CALLING)
    await w.phase(SENNE, Phase.IDLE)
    meeting = await w.service.start(f"room:{LAUZELLE}", LAUZELLE, StartMeeting([SENNE]))
    await w.phase(SENNE, Phase.CALLING)
    problem = await refusal(w.service.start(f"room:{SENNE}", SENNE, StartMeeting([LAUZELLE])))
    assert (problem.code, problem.room) == (Code.ROOM_BUSY, SENNE)
    [ring] = w.links[SENNE].commands("ring")
    await w.desk.hear(w.links[SENNE], Result(ring.id, "failed", Problem(Code.ROOM_BUSY, "calling")))
    await w.phase(SENNE, Phase.RELEASING)
    assert len(w.links[SENNE].commands("ring")) == 1
    await w.phase(SENNE, Phase.IDLE)
    again = w.links[SENNE].commands("ring")[1]
    assert (again.args["meeting"], again.deadline) == (meeting.id, ring.deadline)
    await w.ask(SENNE, "answer", meeting=meeting.id)
    assert w.call(SENNE) == "preparing"


async def test_kill_and_restart_of_the_server(tmp_path: Path) -> None:
    async with world(tmp_path) as before:
        for room in (LAUZELLE, SENNE, HAIN):
            await before.connect(room)
        meeting = await running(before)
        await before.service.add_rooms("it:ann", meeting, [HAIN])
        media = before.media_of(meeting)
    async with world(tmp_path) as w:
        assert [view.id for view in w.service.meetings()] == [meeting]
        assert w.service.admit(Grants(f"room:{SENNE}", media)) is None
        assert w.call(SENNE) == "lost"
        link = await w.connect(SENNE, report=Report(phase=Phase.IN_MEETING, meeting=meeting, devices=devices()))
        assert (w.call(SENNE), w.call(LAUZELLE), w.call(HAIN)) == ("joined", "lost", "ringing")
        assert link.commands() == []
        await w.wait(90)
        assert w.call(LAUZELLE) == "left"
        record = await w.store.meeting(meeting)
        assert record is not None
        assert record.rooms[LAUZELLE].value == "left"


async def test_a_full_disk_lets_nobody_start_and_everybody_leave(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = await running(w)

    async def full(*_: object) -> None:
        raise Refusal(Code.STORAGE_FULL, "full")

    with monkeypatch.context() as disk:
        disk.setattr(w.store, "put_meeting", full)
        problem = await refusal(w.service.start("it:ann", None, StartMeeting([HAIN])))
        assert problem.code is Code.STORAGE_FULL
        assert w.links[HAIN].commands() == []
        await w.ask(SENNE, "leave", meeting=meeting)
        assert w.call(SENNE) == "left"
        await w.service.turn()
        await w.ask(LAUZELLE, "leave", meeting=meeting)
        assert w.service.meetings() == []
    await w.service.turn()
    record = await w.store.meeting(meeting)
    assert record is not None
    assert record.ended_at is not None
    assert "room_left" in [line.action for line in await w.store.audit_trail(subject=meeting)]
