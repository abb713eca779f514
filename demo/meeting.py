"""Keeps the demo's running meeting alive and writes down the links to it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from demo.layout import Layout
from demo.network import CALL_TO_TRY, RUNNING_MEETING, network

TITLE = "Point hebdomadaire"
MEDIA = "demo"  # the LiveKit room name
_CHECK = 3.0  # seconds between looks
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Links:
    """What a person opens."""

    guest: str
    sign_in: str


class DemoMeeting:
    """Starts the meeting of Lauzelle and Senne, and again whenever it is over."""

    def __init__(self, layout: Layout, token: str) -> None:
        self._layout = layout
        self._headers = {"Authorization": f"Bearer {token}"}
        self._running: str | None = None

    async def start(self, deadline: float = 40.0) -> Links:
        """Wait for the rooms, start the meeting, and make the links. Raises TimeoutError."""
        async with asyncio.timeout(deadline), self._session() as session:
            await self._end_former(session)
            while (guest := await self._ensure(session)) is None:
                await asyncio.sleep(0.3)
            async with session.post("/api/v1/sign-in") as answer:
                answer.raise_for_status()
                sign_in = (await answer.json())["url"]
        return Links(guest, sign_in)

    async def keep(self, say: Callable[[str], None]) -> None:
        """Look now and then whether the meeting still runs, and say the link of a new one; never returns."""
        async with self._session() as session:
            while True:
                await asyncio.sleep(_CHECK)
                try:
                    guest = await self._ensure(session)
                    if guest is not None:
                        say(f"the demo meeting was over, a new one runs: {guest}")
                except aiohttp.ClientError as error:
                    _log.info("the server does not answer: %s", error)

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(self._layout.server, headers=self._headers)

    async def _end_former(self, session: aiohttp.ClientSession) -> None:
        """Meetings of an earlier run of the demo are still on record; nobody waits in them."""
        async with session.get("/api/v1/meetings") as answer:
            answer.raise_for_status()
            former = [meeting["id"] for meeting in await answer.json()]
        for id in former:
            await session.post(f"/api/v1/meetings/{id}/end")

    async def _ensure(self, session: aiohttp.ClientSession) -> str | None:
        """The guest link if the meeting had to be started (or is first seen) now."""
        async with session.get("/api/v1/meetings") as answer:
            answer.raise_for_status()
            meetings = {meeting["media"]: meeting["id"] for meeting in await answer.json()}
        id = meetings.get(MEDIA)
        if id is not None and id == self._running:
            return None
        if id is None:
            body = {"rooms": list(RUNNING_MEETING), "title": TITLE, "media": MEDIA}
            async with session.post("/api/v1/meetings", json=body) as answer:
                if answer.status != 201:
                    _log.info("the demo meeting cannot start yet: %s", await answer.text())
                    return None
                id = (await answer.json())["id"]
        async with session.post(f"/api/v1/meetings/{id}/invitations") as answer:
            answer.raise_for_status()
            guest = str((await answer.json())["url"])
        self._running = id
        self._write_links(guest)
        return guest

    def _write_links(self, guest: str) -> None:
        """For the start page: replaced at once, so that a reader never sees half of it."""
        centers = {center.id: center.name for center in network().centers}
        rooms = [
            {
                "id": room.id,
                "name": room.name,
                "center": room.center,
                "center_name": centers[room.center],
                "seats": room.seats,
                "panel": f"{self._layout.agents}/rooms/{room.id}/panel",
                "display": f"{self._layout.agents}/rooms/{room.id}/display",
                "in_demo_meeting": room.id in RUNNING_MEETING,
            }
            for room in network().rooms
        ]
        links = {
            "join": guest,
            "dashboard": "/dashboard",
            "faults": f"{self._layout.equipment}/faults",
            "rooms": rooms,
            "call": {"from": CALL_TO_TRY[0], "to": CALL_TO_TRY[1]},
            "centers": [
                {"id": c.id, "name": c.name, "latitude": c.latitude, "longitude": c.longitude}
                for c in network().centers
            ],
        }
        file = self._layout.data / "links.json"
        new = file.with_suffix(".new")
        new.write_text(json.dumps(links, ensure_ascii=False))
        new.replace(file)
