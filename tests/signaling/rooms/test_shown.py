"""What IT and rooms are shown: verdicts as they change, nothing that is not theirs, bounded reports; who is admitted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signaling.media import Grants
from tests.signaling.rooms.test_service import refusal, running
from tests.signaling.rooms.world import HAIN, HOCAILLE, LAUZELLE, MUSSAIN, SENNE, World, camera, world
from wire.devices import Connection, Device, Role
from wire.link import Document, Report
from wire.live import Snapshot
from wire.meetings import StartMeeting
from wire.problems import Code


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        for room in (LAUZELLE, HOCAILLE, SENNE, HAIN, MUSSAIN):
            await made.connect(room)
        yield made


async def test_an_unplugged_camera_shows_within_ten_seconds_and_recovers(w: World) -> None:
    await w.report(SENNE, Report(devices={"camera": camera(Connection.UNREACHABLE)}))
    for _ in range(3):
        await w.wait(1)
    room = w.service.dashboard.data["rooms"][SENNE]
    assert room["verdict"]["health"] == "unusable"
    assert room["verdict"]["because"][0]["code"] == "health.camera_silent"
    assert room["verdict"]["who"] == "Accueil de Saintes"
    directory = w.service.directory.data["rooms"][SENNE]
    assert (directory["availability"], directory["instead"]) == ("unusable", HAIN)
    assert (await refusal(w.service.start("it:ann", None, StartMeeting([SENNE])))).code is Code.ROOM_UNUSABLE
    await w.report(SENNE, Report(devices={"camera": camera()}))
    for _ in range(4):
        await w.wait(1)
    assert w.service.dashboard.data["rooms"][SENNE]["verdict"]["health"] == "ready"


async def test_a_gone_agent_is_unknown_at_once(w: World) -> None:
    await w.disconnect(SENNE)
    room = w.service.dashboard.data["rooms"][SENNE]
    assert room["verdict"]["health"] == "unknown"
    assert room["verdict"]["because"][0]["code"] == "health.agent_silent"
    assert room["phase"] == "offline"
    assert "agent_online" not in room
    assert w.availability(SENNE) == "offline"


async def test_the_dashboard_names_no_meeting_and_nobody(w: World) -> None:
    meeting = await running(w)
    media = w.media_of(meeting)
    w.media.join(media, Grants("guest:1", media, name="Zoé Secret"))
    await w.service.turn()
    text = json.dumps(w.service.dashboard.data)
    assert "Zoé Secret" not in text
    assert "Lauzelle, Senne" not in text
    assert meeting not in text
    assert w.service.dashboard.data["meetings"] == 1
    assert w.service.dashboard.data["participants"] == 3


async def test_help_and_maintenance(w: World) -> None:
    await w.ask(SENNE, "help", text="Le son\u202e ne marche\npas")
    await w.service.turn()
    room = w.service.dashboard.data["rooms"][SENNE]
    assert room["help_text"] == "Le son ne marche pas"
    await w.service.help_given("it:ann", SENNE)
    await w.service.set_maintenance("it:ann", SENNE, True)
    await w.service.turn()
    assert "help_text" not in w.service.dashboard.data["rooms"][SENNE]
    assert w.availability(SENNE) == "maintenance"
    assert (await refusal(w.service.start("it:ann", None, StartMeeting([SENNE])))).code is Code.ROOM_MAINTENANCE


async def test_bounds_of_a_report(w: World) -> None:
    many = {str(n): Device(str(n), Role.CONTENT_INPUT, "hdmi", "Table") for n in range(100)}
    assert (await refusal(w.report(SENNE, Report(devices=many)))).code is Code.TOO_MANY
    assert (await refusal(w.report(SENNE, Report(devices={"x": camera()})))).code is Code.BAD_REQUEST
    long = camera(last_words="x" * 20_000)
    assert (await refusal(w.report(SENNE, Report(devices={"camera": long})))).code is Code.TOO_LARGE
    await w.service.turn()
    assert len(w.service.dashboard.data["rooms"][SENNE]["devices"]) == 2


async def test_a_room_is_told_of_itself_only(w: World) -> None:
    await running(w)
    topics = {topic._source.topic: topic for topic in w.desk.topics(HAIN)}
    assert set(topics) == {"directory", "room"}
    assert "meeting" not in topics["room"].data
    assert topics["room"].data["verdict"]["health"] == "ready"
    [room] = [topic for topic in w.desk.topics(SENNE) if topic._source.topic == "room"]
    assert room.data["meeting"]["rooms"][LAUZELLE]["call"] == "joined"
    assert isinstance(Document(room._source.snapshot()).change, Snapshot)


async def test_livekit_rooms_that_are_no_meetings(w: World) -> None:
    assert w.service.admit(Grants("anyone", "elsewhere")) is None
    for grants in (Grants("guest:1", "elsewhere"), Grants("x", "meeting-abc"), Grants(f"room:{SENNE}", "elsewhere")):
        problem = w.service.admit(grants)
        assert problem is not None
        assert problem.code is Code.MEETING_OVER
