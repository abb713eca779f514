"""Canned documents for the stage: what pages are pictured and tested with."""

from __future__ import annotations

import time

from tests.web import scenes_it
from tests.web.places import CENTERS, ROOMS, room_id
from tests.web.stage import Stage
from wire.topic import Topic


def furnish(stage: Stage) -> None:
    """Put every scene on the stage."""
    stage.page("/", "start", {"demo": demo_links()})
    stage.page("/bare", "start", {"demo": None})
    stage.page("/dashboard", "dashboard")
    for room in ROOMS:
        stage.page(f"/dashboard/rooms/{room}", "room", {"room": room})
    stage.topic("/api/v1/live", Topic("dashboard", scenes_it.morning(time.time())))
    stage.page("/over", "message", {"problem": {"code": "link_expired", "reference": None}})


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
