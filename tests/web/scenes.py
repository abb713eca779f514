"""Canned documents for the stage: what pages are pictured and tested with."""

from __future__ import annotations

import time

from tests.web import scenes_it
from tests.web.places import CENTERS, ROOMS, room_id
from tests.web.stage import Stage
from wire.meetings import InvitationView, Participant
from wire.problems import Code, Problem
from wire.topic import Topic


def furnish(stage: Stage) -> None:
    """Put every scene on the stage."""
    stage.page("/", "start", {"demo": demo_links()})
    stage.page("/bare", "start", {"demo": None})
    stage.page("/dashboard", "dashboard")
    for room in ROOMS:
        stage.page(f"/dashboard/rooms/{room}", "room", {"room": room})
    stage.topic("/api/v1/live", Topic("dashboard", scenes_it.morning(time.time())))
    stage.page("/join/secret", "join", {"secret": "secret"})
    stage.json("GET", "/api/v1/invitations/secret", lambda _: invitation(time.time()))
    stage.page("/join/old", "join", {"secret": "old"})
    stage.json("GET", "/api/v1/invitations/old", lambda _: Problem(Code.LINK_EXPIRED, "expired"), 410)
    stage.page("/over", "message", {"problem": {"code": "link_expired", "reference": None}})


def invitation(now: float) -> InvitationView:
    """A meeting of two rooms and a person, 24 minutes old at `now`."""
    present = [
        Participant("room:lln-lauzelle", "room", "Lauzelle", "lln", mic=True, camera=True),
        Participant("room:sai-senne", "room", "Senne", "sai", mic=True, camera=True),
        Participant("guest:1", "person", "Koen Peeters", mic=True, camera=True),
    ]
    return InvitationView("Suivi des chantiers", now - 1440, present)


def demo_links() -> dict[str, object]:
    """As the demo writes them for the start page."""
    rooms = [
        {
            "id": room.id,
            "name": room.name,
            "center": room.center,
            "center_name": CENTERS[room.center].name,
            "seats": room.seats,
            "panel": f"http://127.0.0.1:7881/rooms/{room.id}/panel",
            "display": f"http://127.0.0.1:7881/rooms/{room.id}/display",
            "in_demo_meeting": room.id in (room_id("lln", "Lauzelle"), room_id("sai", "Senne")),
        }
        for room in ROOMS.values()
    ]
    centers = [
        {"id": center.id, "name": center.name, "latitude": center.latitude, "longitude": center.longitude}
        for center in CENTERS.values()
    ]
    return {"join": "/join/secret", "dashboard": "/dashboard", "faults": "/faults", "rooms": rooms, "centers": centers}
