"""What `demo.screenshots` takes pictures of: every page of a running demo, in the states that people meet.

A room of each kind (board, meeting, huddle) stands for the others. Faults are switched as on the faults page and mended
again, calls are made and ended, so that the next round finds the demo as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from livekit.protocol.models import ConnectionQuality, TrackType
from livekit.protocol.rtc import SignalResponse, StreamState
from playwright.async_api import Error, Locator, Page, WebSocketRoute, expect

from demo.layout import Layout

Sizes = dict[str, tuple[int, int]]
HD, UHD = (1920, 1080), (3840, 2160)
SIZES: Sizes = {"phone": (390, 844), "tablet": (1024, 768), "desk": (1280, 800), "hd": HD, "4k": UHD}
PANEL_SIZES: Sizes = {
    "phone": (390, 844),
    "tablet": (768, 1024),
    "1024x600": (1024, 600),
    "1280x800": (1280, 800),
    "hd": HD,
    "4k": UHD,
}
DISPLAY_SIZES: Sizes = {"hd": HD, "4k": UHD}
KINDS = {"board": "tou-escaut", "meeting": "msg-hevillers", "huddle": "red-lesse"}
IN_MEETING = "lln-lauzelle"  # a board room with a switch, in the demo's meeting
CALLER, CALLED = "eng-dodane", "wem-maalbeek"  # a huddle room; a meeting room that rings until it is answered
BLOCKED = ("isn-orneau", "camera")
Fault = tuple[str, str, str]  # room, device, name
MANY: list[Fault] = [
    ("tou-escaut", "camera", "garbage"),
    ("tou-escaut", "projector", "wrong_password"),
    ("tou-escaut", "screen", "deaf"),
    ("tou-escaut", "mic", "unplugged"),
    ("tou-escaut", "presence", "unplugged"),
    ("tou-escaut", "ups", "power"),
]
IN_CALL: list[Fault] = [
    (IN_MEETING, "camera", "unplugged"),
    (IN_MEETING, "projector", "lamp"),
    (IN_MEETING, "speaker", "unplugged"),
    (IN_MEETING, "ups", "power"),
    (IN_MEETING, "switch", "silent"),
]


@dataclass(frozen=True)
class Live:
    """A running demo and what it printed."""

    layout: Layout
    guest: str


class Tour:
    """Opens pages in one theme. `shoot` takes the pictures of one: page, name, sizes, and whether it is long."""

    def __init__(self, live: Live, open_page: Callable[[str], Awaitable[Page]], shoot: Callable[..., Any]) -> None:
        self._live = live
        self._open = open_page
        self._shoot = shoot
        self.missed: dict[str, str] = {}

    async def take(self, sign_in: str) -> None:
        """All pictures; what could not be taken is in `missed`, by what it is about."""
        await (await self._open(sign_in)).close()
        for about in (
            self._strangers,
            self._narrow,
            self._at_rest,
            self._a_call,
            self._in_meeting,
            self._it,
            self._faulty,
        ):
            try:
                await about()
            except (Error, AssertionError) as error:
                self.missed[about.__name__.strip("_")] = str(error)

    # --- by link ------------------------------------------------------------------------------------------------

    async def _strangers(self) -> None:
        server = self._live.layout.server
        await self._one(f"{server}/", "start")
        await self._one(f"{server}/join/no-such-link", "wrong-link")
        guest = await self._open(self._live.guest)
        await guest.wait_for_timeout(1500)
        await self._shoot(guest, "join", SIZES)
        await guest.locator('input[autocomplete="name"]').fill("Nadia Benali")
        await guest.locator('form button[type="submit"]').click()
        await expect(guest.locator("video.picture").first).to_be_visible(timeout=20_000)
        await guest.wait_for_timeout(3000)
        await self._shoot(guest, "meeting", SIZES)
        await guest.close()

    async def _narrow(self) -> None:
        """A guest whose link carries voices and no picture."""
        guest, link = await self._open("about:blank"), ThinLink()
        await guest.route_web_socket(re.compile("/rtc"), link.relay)
        await guest.goto(self._live.guest)
        await guest.locator('input[autocomplete="name"]').fill("Koen Peeters")
        await guest.locator('form button[type="submit"]').click()
        await expect(guest.locator("video.picture").first).to_be_visible(timeout=20_000)
        await guest.wait_for_timeout(3000)
        link.pause()
        await expect(guest.locator(".withheld").first).to_be_visible()
        await self._shoot(guest, "meeting-paused", SIZES)
        await guest.close()

    # --- rooms --------------------------------------------------------------------------------------------------

    def _panel(self, room: str) -> str:
        return f"{self._live.layout.agents}/rooms/{room}/panel"

    async def _at_rest(self) -> None:
        for kind, room in KINDS.items():
            panel = await self._open(self._panel(room))
            await self._shoot(panel, f"panel-idle-{kind}", PANEL_SIZES)
            for row, name in (("Caméra", "camera"), ("Écran", "display"), ("Projecteur", "display")):
                key = panel.locator(".dev", has=panel.get_by_text(row, exact=True)).get_by_role("button")
                if await key.count():
                    await self._sheet(panel, key, f"panel-{name}-{kind}")
            await panel.close()
        idle = await self._open(self._panel(KINDS["huddle"]))
        await self._sheet(idle, idle.get_by_role("button", name=re.compile("^Aide")), "panel-help")
        await idle.get_by_role("button", name=re.compile("^Appeler un centre")).click()
        await self._shoot(idle, "panel-call", PANEL_SIZES)
        await idle.close()
        await self._one(f"{self._live.layout.agents}/rooms/{KINDS['huddle']}/display", "display-idle", DISPLAY_SIZES)

    async def _sheet(self, panel: Page, key: Locator, name: str) -> None:
        """What a key opens over the panel, or switches on first."""
        await key.first.click()
        dialog = panel.get_by_role("dialog")
        try:
            await expect(dialog).to_be_visible(timeout=2000)
        except AssertionError:  # the key switched a display on; once it is, it opens its sheet
            await key.get_by_text("Régler").click(timeout=40_000)
            await expect(dialog).to_be_visible()
        await panel.wait_for_timeout(400)
        await self._shoot(panel, name, PANEL_SIZES)
        await panel.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()

    async def _a_call(self) -> None:
        caller = await self._open(self._panel(CALLER))
        await caller.get_by_role("button", name=re.compile("^Appeler un centre")).click()
        await caller.get_by_role("button", name="Wemmel").click()
        await caller.locator(".room-choice", has_text="Maalbeek").click()
        await caller.get_by_role("button", name="Appeler Maalbeek").click()
        called = await self._open(self._panel(CALLED))
        answer = called.locator(".acts .answer")
        await expect(answer).to_be_visible()
        ringing = {size: PANEL_SIZES[size] for size in ("phone", "1024x600", "1280x800", "hd")}  # it rings for 30 s
        await self._shoot(called, "panel-incoming", ringing)
        await self._shoot(caller, "panel-outgoing", ringing)
        await answer.click()
        await expect(caller.locator(".meet .seen-t")).to_contain_text("On vous", timeout=30_000)
        await caller.wait_for_timeout(2000)
        await self._shoot(caller, "panel-meeting-huddle", PANEL_SIZES)
        await self._shoot(called, "panel-meeting-meeting", PANEL_SIZES)
        for panel in (called, caller):
            await panel.locator(".bar .leave").click()
            await expect(panel.locator(".idle")).to_be_visible(timeout=20_000)
            await panel.close()

    async def _in_meeting(self) -> None:
        panel = await self._open(self._panel(IN_MEETING))
        await self._shoot(panel, "panel-meeting", PANEL_SIZES)
        await self._sheet(panel, panel.locator(".dev").first.get_by_role("button"), "panel-meeting-display")
        await self._sheet(panel, panel.locator(".bar").get_by_role("button", name="Inviter"), "panel-invite")
        await panel.close()
        await self._one(f"{self._live.layout.agents}/rooms/{IN_MEETING}/display", "display-meeting", DISPLAY_SIZES)

    # --- IT -----------------------------------------------------------------------------------------------------

    async def _it(self) -> None:
        for kind, room in {**KINDS, "switch": IN_MEETING}.items():
            await self._one(self._room(room), f"room-{kind}", long=True)
        await self._one(self._faults(), "faults-calm", long=True)
        blocked = await self._open("about:blank")
        await blocked.route_web_socket(re.compile(r"/live\?topic=dashboard"), _blocking(*BLOCKED))
        await blocked.goto(self._room(BLOCKED[0]))
        await blocked.wait_for_timeout(1500)
        await self._shoot(blocked, "room-blocked", SIZES, long=True)
        await blocked.goto(f"{self._live.layout.server}/dashboard")
        await blocked.wait_for_timeout(1500)
        await self._shoot(blocked, "dashboard-blocked", SIZES)
        await blocked.close()

    def _room(self, room: str) -> str:
        return f"{self._live.layout.server}/dashboard/rooms/{room}"

    def _faults(self) -> str:
        return f"{self._live.layout.equipment}/faults"

    async def _faulty(self) -> None:
        async with self._broken([*MANY, *IN_CALL, ("sai-mussain", "camera", "unplugged")]):
            board = await self._open(self._panel(KINDS["board"]))
            await expect(board.locator(".dev.degraded").nth(2)).to_be_visible(timeout=40_000)
            await board.wait_for_timeout(8000)
            await self._shoot(board, "panel-idle-faulty", PANEL_SIZES)
            await board.close()
            meeting = await self._open(self._panel(IN_MEETING))
            await self._shoot(meeting, "panel-meeting-faulty", PANEL_SIZES)
            await meeting.close()
            await self._one(f"{self._live.layout.server}/dashboard", "dashboard")
            await self._one(self._room(KINDS["board"]), "room-faulty", long=True)
            await self._one(self._room("sai-mussain"), "room", long=True)
            await self._faults_page()

    async def _faults_page(self) -> None:
        page = await self._open(self._faults())
        await self._shoot(page, "faults", SIZES, long=True)
        rooms = {"board": "Lauzelle", "meeting": "Hévillers", "huddle": "Lesse"}
        for kind, name in rooms.items():
            await page.set_viewport_size({"width": 1280, "height": 800})
            await page.get_by_role("navigation").get_by_role("button", name=re.compile(f"^{name}")).click()
            closed = page.locator("details:not([open]) > summary")
            while await closed.count():
                await closed.first.click()
            await self._shoot(page, f"faults-{kind}", SIZES, long=True)
        await page.close()

    @asynccontextmanager
    async def _broken(self, faults: list[Fault]) -> AsyncIterator[None]:
        """Faults that end with the context; those of a device that is not emulated here are left out."""
        await self._switch(faults, on=True)
        try:
            yield
        finally:
            await self._switch(faults, on=False)

    async def _switch(self, faults: list[Fault], *, on: bool) -> None:
        async with aiohttp.ClientSession() as session:
            for room, device, fault in faults:
                wanted = {"room": room, "device": device, "fault": fault, "on": on}
                async with session.post(self._faults(), json=wanted) as answer:
                    if answer.status != 200:
                        print(f"{room} {device} {fault}: {await answer.text()}")

    async def _one(self, url: str, name: str, sizes: Sizes = SIZES, *, long: bool = False) -> None:
        page = await self._open(url)
        await self._shoot(page, name, sizes, long=long)
        await page.close()


class ThinLink:
    """Says to a guest what the relay says on a thin link: this browser's own link cannot be made thin."""

    def __init__(self) -> None:
        self._page: WebSocketRoute | None = None
        self._me = ""
        self._pictures: dict[str, str] = {}  # track sid -> participant sid

    def relay(self, page: WebSocketRoute) -> None:
        """Pass on all that the server says, but that the link is good."""
        server = page.connect_to_server()
        self._page = page

        def forward(message: str | bytes) -> None:
            page.send(self._heard(message) if isinstance(message, bytes) else message)

        server.on_message(forward)

    def _heard(self, message: bytes) -> bytes:
        said = SignalResponse.FromString(message)
        if said.HasField("join"):
            self._me = said.join.participant.sid
        for one in (*said.join.other_participants, *said.update.participants):
            self._pictures |= {track.sid: one.sid for track in one.tracks if track.type == TrackType.VIDEO}
        for quality in said.connection_quality.updates:
            if quality.participant_sid == self._me:
                quality.quality = ConnectionQuality.POOR
        return bytes(said.SerializeToString()) if said.HasField("connection_quality") else message

    def pause(self) -> None:
        """No picture fits any more."""
        assert self._page is not None
        poor, paused = SignalResponse(), SignalResponse()
        poor.connection_quality.updates.add(participant_sid=self._me, quality=ConnectionQuality.POOR)
        for track, participant in self._pictures.items():
            paused.stream_state_update.stream_states.add(
                participant_sid=participant, track_sid=track, state=StreamState.PAUSED
            )
        for said in (poor, paused):
            self._page.send(said.SerializeToString())


def _blocking(room: str, device: str) -> Callable[[WebSocketRoute], None]:
    """Let a dashboard read that a device's driver is blocked: no driver of ours blocks, so that the demo cannot show it."""

    def relay(page: WebSocketRoute) -> None:
        server = page.connect_to_server()

        def forward(message: str | bytes) -> None:
            document = json.loads(message)
            if document.get("type") == "snapshot":
                _block(document["data"]["rooms"][room], device)
            page.send(json.dumps(document))

        server.on_message(forward)

    return relay


def _block(room: dict[str, Any], device: str) -> None:
    of = room["devices"][device]
    notice = {"code": "device.driver_blocked", "args": {"device": of["name"]}}
    of |= {"connection": "unreachable", "fault": notice}
    step = {"code": "device.driver_blocked.next"}
    room["verdict"] |= {"health": "unusable", "because": [notice], "next_step": step, "who": "Accueil des Isnes"}
