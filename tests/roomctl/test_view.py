"""What panel and display are told of the room's own picture: never more than somebody here knows."""

from __future__ import annotations

from typing import Literal

import pytest

from roomctl.config import MediaSettings, RoomConfig, ServerSettings
from roomctl.media.endpoint import Published
from roomctl.room import OPEN, Room
from roomctl.view import Known, media_state
from tests.roomctl.rooms import CENTER, ROOM
from wire.devices import Connection, Device, Property, Role, Value
from wire.link import Phase
from wire.meetings import Meeting, Participant
from wire.views import MediaState, RoomView

Mode = Literal["agent", "display"]
OWN = f"room:{ROOM.id}"


def shown(mode: Mode, *, answers: bool, sends: bool = True, power: Value = None) -> MediaState:
    """In a meeting with the camera wished open; `sends`: the agent's pictures flow, or the page's switch is on."""
    config = RoomConfig(ROOM, CENTER, ServerSettings("http://localhost", "key"), "data", media=MediaSettings(mode))
    room = Room(ROOM.id, 0.0, auto_answer=False, answer_after=5.0, standby_after=600.0)
    room.phase, room.meeting, room.switches = Phase.IN_MEETING, "m1", OPEN
    connection = Connection.ONLINE if answers else Connection.UNREACHABLE
    camera = Device(
        "cam", Role.MAIN_CAMERA, "visca", "Caméra", connection, properties={"power": Property(reported=power)}
    )
    there = Participant(OWN, "room", ROOM.name, camera=sends)
    meeting = Meeting("m1", "m1", "", 0.0, OWN, participants={OWN: there})
    own = Published(connected=True, camera=sends) if mode == "agent" else Published()
    return media_state(config, room, Known(room=RoomView(meeting=meeting), devices={"cam": camera}, published=own))


def said(state: MediaState) -> str:
    """As the pages read it."""
    return "open" if state.camera else "unsure" if state.camera_silent else "not open"


@pytest.mark.parametrize(
    ("mode", "answers", "sends", "expected"),
    [
        ("agent", True, True, "open"),
        ("agent", False, True, "open"),  # its pictures flow: the control alone is silent
        ("agent", False, False, "not open"),
        ("display", True, True, "open"),
        ("display", False, True, "unsure"),  # a grabber goes on when its camera is off
        ("display", False, False, "not open"),
    ],
)
def test_a_picture_is_claimed_by_what_is_known_of_it(mode: Mode, answers: bool, sends: bool, expected: str) -> None:
    assert said(shown(mode, answers=answers, sends=sends)) == expected


@pytest.mark.parametrize("mode", ["agent", "display"])
def test_a_camera_that_says_that_it_sleeps_shows_nothing(mode: Mode) -> None:
    assert said(shown(mode, answers=True, power="off")) == "not open"


def test_what_a_camera_said_before_it_fell_silent_counts_no_more() -> None:
    assert said(shown("agent", answers=False, power="off")) == "open"
    assert said(shown("display", answers=False, power="off")) == "unsure"
