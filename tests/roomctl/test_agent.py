"""The agent against a real control link: start, ring, answer, leave, and working alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from roomctl.actions import act
from tests.roomctl.conftest import MakeRoom, running
from tests.roomctl.linkserver import LinkServer
from tests.roomctl.rooms import ACCESS, ROOM, TestRoom
from wire.devices import Connection, DeviceCommand, Role
from wire.health import Status
from wire.link import FromAgent, Phase, Prepare, Release, Report, Request, Ring
from wire.live import Snapshot
from wire.meetings import Invitation, Meeting, MeetingRoom, RoomCall
from wire.problems import Code, Problem
from wire.views import ActionResult, PanelAction, PanelView, RoomView

ids = iter(range(1, 1000))


async def press(room: TestRoom, op: Any, **fields: Any) -> ActionResult:
    """Press something on the panel."""
    return await act(room.agent, PanelAction(next(ids), op, **fields))


def asked(op: str) -> Any:
    return lambda message: isinstance(message, Request) and message.op == op


def in_phase(phase: Phase) -> Any:
    def matches(message: FromAgent) -> bool:
        return isinstance(message, Report) and message.phase is phase

    return matches


def shows_phase(phase: Phase) -> Any:
    def matches(view: PanelView) -> bool:
        return view.phase is phase

    return matches


def meeting(**calls: RoomCall) -> Meeting:
    rooms = {id.replace("_", "-"): MeetingRoom(id.replace("_", "-"), call) for id, call in calls.items()}
    return Meeting("m1", "m1", "Budget", time.time(), f"room:{ROOM.id}", rooms)


def room_document(revision: int, view: RoomView) -> Snapshot:
    return Snapshot("room", revision, msgspec.to_builtins(view))


async def ring(server: LinkServer, seconds: float = 30.0) -> None:
    id = await server.command("ring", Ring("m1", "Budget", "sai-senne", time.time() + seconds))
    await server.result(id, "done")


async def prepare(server: LinkServer) -> str:
    return await server.command("prepare", Prepare("m1", "Budget", ACCESS))


async def test_calls_another_room_and_is_in_the_meeting_when_it_answers(server: LinkServer, room: TestRoom) -> None:
    server.answers["start_meeting"] = lambda _: {"id": "m1"}
    result = await press(room, "start", rooms=["sai-senne"])
    assert result.problem is None
    request = await server.said(asked("start_meeting"))
    assert isinstance(request, Request)
    assert request.args["rooms"] == ["sai-senne"]
    done = await server.result(await prepare(server), "done")
    assert {(device.device, device.outcome) for device in done.devices} == {
        ("front_display", "done"),
        ("main_camera", "done"),
        ("room_mic", "done"),
        ("room_speaker", "done"),
    }
    assert room.agent.room.phase is Phase.CALLING
    calls = meeting(lln_lauzelle=RoomCall.JOINED, sai_senne=RoomCall.PREPARING)
    await server.document(room_document(1, RoomView(meeting=calls)))
    view = await room.shows(shows_phase(Phase.IN_MEETING))
    assert view.media.mic
    assert view.media.camera
    assert view.meeting is not None
    await server.said(in_phase(Phase.IN_MEETING))


async def test_a_refused_call_says_why_and_frees_the_room(server: LinkServer, room: TestRoom) -> None:
    problem = Problem(Code.ROOM_BUSY, "busy", room="sai-senne", instead="sai-hain")
    server.answers["start_meeting"] = lambda _: problem
    result = await press(room, "start", rooms=["sai-senne"])
    assert result.problem == problem
    await room.shows(shows_phase(Phase.IDLE))


async def test_a_cancelled_call_ends_the_meeting(server: LinkServer, room: TestRoom) -> None:
    server.answers["start_meeting"] = lambda _: {"id": "m1"}
    await press(room, "start", rooms=["sai-senne"])
    await press(room, "cancel")
    request = await server.said(asked("end"))
    assert isinstance(request, Request)
    assert request.args == {"meeting": "m1"}
    await room.shows(shows_phase(Phase.IDLE))
    assert not room.media.published.connected


async def test_rings_answers_and_leaves(server: LinkServer, room: TestRoom) -> None:
    await ring(server)
    view = await room.shows(shows_phase(Phase.RINGING))
    assert view.incoming is not None
    assert view.incoming.answers_at is None
    assert not view.media.camera_wanted
    assert (await press(room, "answer")).problem is None
    await server.said(asked("answer"))
    await server.result(await prepare(server), "done")
    await room.shows(shows_phase(Phase.IN_MEETING))
    assert (await press(room, "leave")).problem is None
    await server.said(asked("leave"))
    await room.shows(shows_phase(Phase.IDLE))
    assert room.devices.reported(Role.MAIN_CAMERA, "power") == "off"
    assert room.devices.reported(Role.ROOM_MIC, "mute") is True
    assert not room.media.published.connected


async def test_declines(server: LinkServer, room: TestRoom) -> None:
    await ring(server)
    assert (await press(room, "decline")).problem is None
    await server.said(asked("decline"))
    await room.shows(shows_phase(Phase.IDLE))
    assert room.media.opened == []


async def test_answers_by_itself_where_it_is_set_to(server: LinkServer, make_room: MakeRoom) -> None:
    room = make_room(auto=True, after=0.0)
    async with running(room.agent):
        await server.linked()
        await ring(server)
        await server.said(asked("answer"))
        await server.result(await prepare(server), "done")
        view = await room.shows(shows_phase(Phase.IN_MEETING))
        assert view.media.camera


async def test_nobody_remote_opens_the_camera(server: LinkServer, room: TestRoom) -> None:
    await server.result(await prepare(server), "done")
    view = await room.shows(shows_phase(Phase.IN_MEETING))
    assert not view.media.mic
    assert not view.media.camera
    assert room.devices.reported(Role.MAIN_CAMERA, "power") == "off"


async def test_a_microphone_closed_while_the_projector_warms_stays_closed(server: LinkServer, room: TestRoom) -> None:
    await ring(server)
    room.devices.gate = asyncio.Event()
    await press(room, "answer")
    await press(room, "set_mic", on=False)
    room.devices.gate.set()
    await server.result(await prepare(server), "done")
    view = await room.shows(shows_phase(Phase.IN_MEETING))
    assert not view.media.mic
    assert room.devices.reported(Role.ROOM_MIC, "mute") is True


async def test_a_microphone_muted_at_the_device_is_not_sent(server: LinkServer, make_room: MakeRoom) -> None:
    room = make_room(auto=True, after=0.0)
    async with running(room.agent):
        await server.linked()
        await server.result(await prepare(server), "done")
        await room.shows(lambda view: view.phase is Phase.IN_MEETING and view.media.mic)
        room.devices.say(Role.ROOM_MIC, "mute", True)
        view = await room.shows(lambda view: not view.media.mic_wanted)
        assert not room.media.published.mic
        assert view.media.camera
        room.devices.say(Role.ROOM_MIC, "mute", False)
        assert not (await room.shows(lambda view: not view.media.mic)).media.mic_wanted
        await press(room, "set_mic", on=True)
        await room.shows(lambda view: view.media.mic)


async def test_a_microphone_that_does_not_answer_is_claimed_neither_open_nor_shut(
    server: LinkServer, make_room: MakeRoom
) -> None:
    room = make_room(auto=True, after=0.0)
    async with running(room.agent):
        await server.linked()
        await server.result(await prepare(server), "done")
        await room.shows(lambda view: view.phase is Phase.IN_MEETING and view.media.mic)
        room.devices.unplug(Role.ROOM_MIC)
        view = await room.shows(lambda view: not view.media.mic)
        assert view.media.mic_silent
        assert view.media.mic_wanted
        await press(room, "set_mic", on=False)
        view = await room.shows(lambda view: not view.media.mic_silent)
        assert not view.media.mic, "nothing is sent: it is shut, whatever the device does"


async def test_a_camera_whose_picture_goes_out_is_open_though_its_control_does_not_answer(
    server: LinkServer, make_room: MakeRoom
) -> None:
    room = make_room(auto=True, after=0.0)
    async with running(room.agent):
        await server.linked()
        await server.result(await prepare(server), "done")
        await room.shows(lambda view: view.phase is Phase.IN_MEETING and view.media.camera)
        room.devices.unplug(Role.MAIN_CAMERA)
        view = await room.shows(lambda view: view.devices["main_camera"].connection is Connection.UNREACHABLE)
        assert view.media.camera
        assert not view.media.camera_silent
        await press(room, "set_camera", on=False)
        await room.shows(lambda view: not view.media.camera)


async def test_volume_and_microphone_work_without_the_server(server: LinkServer, room: TestRoom) -> None:
    await server.stop()
    await room.shows(lambda view: not view.server)
    result = await press(room, "set_volume", volume=0.25)
    assert [device.outcome for device in result.devices] == ["done"]
    view = await room.shows(lambda view: view.media.volume == 0.25)
    assert view.media.volume_wanted == 0.25
    assert (await press(room, "set_mic", on=True)).devices[0].outcome == "done"
    command = DeviceCommand(Role.FRONT_DISPLAY, "set_power", {"on": True})
    assert (await press(room, "device", command=command)).devices[0].outcome == "done"
    refused = await press(room, "start", rooms=["sai-senne"])
    assert refused.problem is not None
    assert refused.problem.code is Code.UNAVAILABLE
    assert room.agent.room.phase is Phase.IDLE


async def test_an_unreachable_device_is_said(server: LinkServer, room: TestRoom) -> None:
    room.devices.unplugged.add(Role.MAIN_CAMERA)
    await server.result(await prepare(server), "done")
    result = await press(room, "set_camera", on=True)
    assert result.devices[0].code is Code.DEVICE_UNREACHABLE
    view = await room.shows(shows_phase(Phase.IN_MEETING))
    failed = [device.device for device in view.results if device.outcome == "failed"]
    assert failed == ["main_camera"]


async def test_the_call_goes_on_while_the_server_is_away(server: LinkServer, room: TestRoom) -> None:
    await server.result(await prepare(server), "done")
    await room.shows(shows_phase(Phase.IN_MEETING))
    await server.stop()
    view = await room.shows(lambda view: not view.server)
    assert view.phase is Phase.IN_MEETING
    assert room.media.published.connected
    server.heard.clear()
    await server.start()
    report = await server.said(in_phase(Phase.IN_MEETING))
    assert isinstance(report, Report)
    assert report.meeting == "m1"
    assert len(report.devices) == 4
    assert (await room.shows(lambda view: view.server)).phase is Phase.IN_MEETING


async def test_the_server_hears_at_once_that_the_room_is_in_the_media_session_again(
    server: LinkServer, room: TestRoom
) -> None:
    def tells(status: Status) -> Callable[[FromAgent], bool]:
        def matches(message: FromAgent) -> bool:
            return isinstance(message, Report) and ("media_joined", status) in [
                (s.code, s.status) for s in message.signals
            ]

        return matches

    await server.result(await prepare(server), "done")
    await server.said(tells(Status.OK))
    server.heard.clear()  # it was not there before it was: that is not what is waited for
    room.media.close()
    await server.said(tells(Status.BAD))
    server.heard.clear()
    room.media.open(ACCESS, mic=True, camera=True)
    await server.said(tells(Status.OK))


async def test_leaving_works_without_the_server(server: LinkServer, room: TestRoom) -> None:
    await server.result(await prepare(server), "done")
    await server.stop()
    await room.shows(lambda view: not view.server)
    assert (await press(room, "leave")).problem is None
    await room.shows(shows_phase(Phase.IDLE))
    assert not room.media.published.connected


async def test_a_refusal_is_shown_as_what_it_is(server: LinkServer, make_room: MakeRoom) -> None:
    server.refuse = Problem(Code.KEY_REVOKED, "revoked")
    room = make_room()
    async with running(room.agent):
        view = await room.shows(lambda view: view.server_problem is not None)
        assert view.server_problem == server.refuse
        assert not view.server
        refused = await press(room, "start", rooms=["sai-senne"])
        assert refused.problem == server.refuse


async def test_an_invitation_has_its_qr_code(server: LinkServer, room: TestRoom) -> None:
    invitation = Invitation("i1", "http://127.0.0.1:7880/join/secret", time.time() + 60)
    server.answers["invite"] = lambda _: msgspec.to_builtins(invitation)
    await server.result(await prepare(server), "done")
    assert (await press(room, "invite")).problem is None
    view = await room.shows(lambda view: view.invitation is not None)
    assert view.invitation == invitation
    assert view.invitation_qr is not None
    assert view.invitation_qr.startswith("<svg")
    await press(room, "revoke_invitations")
    await room.shows(lambda view: view.invitation is None)


async def test_the_server_takes_the_room_out(server: LinkServer, room: TestRoom) -> None:
    await server.result(await prepare(server), "done")
    id = await server.command("release", Release("m1", "ended"))
    done = await server.result(id, "done")
    assert "main_camera" in {device.device for device in done.devices}
    await room.shows(shows_phase(Phase.IDLE))


async def test_a_restarted_agent_returns_with_its_microphone_still_closed(
    server: LinkServer, make_room: MakeRoom
) -> None:
    room = make_room(auto=True, after=0.0)
    async with running(room.agent):
        await server.linked()
        await ring(server)
        await server.result(await prepare(server), "done")
        await press(room, "set_mic", on=False)
        await press(room, "set_volume", volume=0.2)
        await room.shows(lambda view: view.media.camera and not view.media.mic)
    server.heard.clear()
    async with running(room.restart()):
        await server.linked()
        await server.result(await prepare(server), "done")
        view = await room.shows(lambda view: view.media.camera)
        assert not view.media.mic
        assert room.devices.reported(Role.ROOM_SPEAKER, "volume") == 0.2


@pytest.mark.parametrize("op", ["end", "invite", "revoke_invitations", "leave", "answer", "decline", "cancel"])
async def test_what_needs_a_meeting_is_refused_without_one(room: TestRoom, op: str) -> None:
    result = await press(room, op)
    assert result.problem is not None
    assert result.problem.code is Code.MEETING_UNKNOWN
