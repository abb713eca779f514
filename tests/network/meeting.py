"""`python -m tests.network.meeting`: six people with other people's clients, one of them behind a link that narrows.

`ann` Chromium (V1) with three layers, `bob` Chromium (V0) behind the link, `fay` Firefox, `pia` the Python package, `abe`
aiortc, `sam` str0m. To be run in a network namespace of its own, with the path of the str0m program. Prints one line of JSON:
`Seen`. With SCREENSHOTS set, pictures of bob's page go into that folder. With `wide` as second argument there is no link that
narrows, every camera is small, and the line is `Wide`: what every machine can show.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec

from relay import Relay, RelayConfig
from tests.network.estimate import far_chromium
from tests.network.firefox import FirefoxTab, firefox
from tests.network.links import PORT, RELAY, Link, link
from tests.network.participants import Received, participant
from tests.network.python_sdk import python_sdk
from tests.network.stacks import Aiortc, Str0m
from tests.network.watching import LAYERS, Browsing, Look, Span, film, gaps, look, watch
from tests.signaling.rtc.barred import network
from tests.signaling.rtc.browser import Tab, chromium, routes
from tests.signaling.rtc.wire import Wire, wire
from tests.signaling.rtc.world import World, serve

WIDE, NARROW = 10_000_000, 1_000_000
"""bit/s of bob's link."""
FRAMES = 20
"""Of everybody's camera, that everybody has to decode."""
PEOPLE = ("ann", "bob", "fay", "pia", "abe", "sam")
SMALL = ((320, 180, 120_000),)
SETTLE = 4.0
"""Seconds after the link narrowed that what is shown may stutter."""
NARROWED = 10.0
"""Seconds it stays narrow."""
PATIENCE = 30.0
"""Seconds until everybody sees everybody, and until the picture is as wide as before."""
LONG = 60.0
"""The first of these on a machine that does other things besides."""


class Part(msgspec.Struct):
    """What somebody saw during a part of the meeting.

    Widths of a camera with layers, bit/s of pictures, what was paused, estimates of the link; by identity the longest gap
    between frames (ms), ms frozen as webrtc-stats says, energy heard, and which part of the sound had to be made up.
    """

    widths: list[int]
    rate: float
    gaps: dict[str, float]
    frozen: dict[str, float]
    heard: dict[str, float]
    concealed: dict[str, float]
    paused: list[str]
    estimates: list[int | None]


class Seen(msgspec.Struct):
    """The meeting. `pictures` and `voices` by who received; `back` seconds until the picture was as wide as before."""

    pictures: dict[str, int]
    voices: dict[str, int]
    before: Part
    narrow: Part
    back: float
    after: Part
    ann: Part
    resumed: list[str]


class Wide(msgspec.Struct):
    """The meeting with nothing in its way, until bob's WebSocket is cut and from then on.

    `pictures` and `voices` by who received; `whom` the people that a browser sees; `resumed` what bob's client said of the cut.
    """

    pictures: dict[str, int]
    voices: dict[str, int]
    whom: dict[str, list[str]]
    resumed: list[str]
    pictures_after: dict[str, int]
    voices_after: dict[str, int]


class Meeting:
    """The clients."""

    def __init__(
        self, relay: Relay, world: World, ann: Tab, bob: Tab, fay: FirefoxTab, others: dict[str, Received]
    ) -> None:
        self.ann, self.bob, self.fay, self.others = ann, bob, fay, others
        self._relay, self._world = relay, world
        self._since: dict[str, Look] = {}

    async def estimate(self, identity: str) -> int | None:
        """What the relay thinks that somebody's link carries, bit/s."""
        (session,) = [s for s in self._world.server.rooms["demo"].sessions.values() if s.identity == identity]
        transports = (await self._relay.stats("demo")).transports
        known = {t.transport: t.estimate for t in transports if t.transport.startswith(f"{session.sid}/")}
        return known.get(f"{session.sid}/sub") or known.get(f"{session.sid}/pub")

    @property
    def tabs(self) -> dict[str, Browsing]:
        """Who uses a browser."""
        return {"ann": self.ann, "bob": self.bob, "fay": self.fay}

    async def begin_anew(self) -> None:
        """Count pictures and voices from now on."""
        for received in self.others.values():
            received.frames.clear()
            received.sounds.clear()
        self._since = {name: await look(tab) for name, tab in self.tabs.items()}

    async def pictures(self) -> dict[str, int]:
        """How many people everybody sees."""
        counts = {name: received.pictures(FRAMES) for name, received in self.others.items()}
        for name in self.tabs:
            counts[name] = len(await self.whom(name))
        return counts

    async def whom(self, tab: str) -> list[str]:
        """Whom somebody with a browser sees."""
        before = self._since[tab].pictures if tab in self._since else {}
        seen = (await look(self.tabs[tab])).pictures
        return sorted(
            who
            for who, picture in seen.items()
            if picture.frames - (before[who].frames if who in before else 0) >= FRAMES
        )

    async def voices(self) -> dict[str, int]:
        """How many people everybody hears."""
        counts = {name: received.voices() for name, received in self.others.items()}
        for name, tab in self.tabs.items():
            before = self._since[name].sounds if name in self._since else {}
            sounds = (await look(tab)).sounds
            counts[name] = sum(
                sound.energy > (before[who].energy if who in before else 0) for who, sound in sounds.items()
            )
        return counts

    async def everybody(self, patience: float = PATIENCE) -> None:
        """Until all see and hear all, or patience ends."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            counts = [*(await self.pictures()).values(), *(await self.voices()).values()]
            if all(count == len(PEOPLE) - 1 for count in counts):
                return
            await asyncio.sleep(0.3)

    async def part(self, tab: Tab, seconds: float, first: Look | None = None) -> Part:
        """Watch for a while."""
        first = last = first or await look(tab)
        widths: list[int] = []
        estimates: list[int | None] = []
        while (last := await look(tab)).at < first.at + seconds * 1000:
            who = "ann" if tab is self.bob else "bob"
            if not widths or widths[-1] != last.pictures[who].width:
                widths.append(last.pictures[who].width)
            estimates.append(await self.estimate("bob" if tab is self.bob else "ann"))
            await asyncio.sleep(0.25)
        span = Span(first, last)
        paused = await tab.run(
            "[...room.remoteParticipants.values()].flatMap((who) => [...who.trackPublications.values()]"
            ".filter((p) => p.track?.streamState === 'paused').map((p) => who.identity + ' ' + p.source))"
        )
        return Part(
            widths,
            span.rate(),
            {who: max(await gaps(tab, who, span)) for who in last.pictures},
            {who: span.frozen(who) for who in last.pictures},
            {who: span.energy(who) for who in last.sounds},
            {who: span.concealed(who) for who in last.sounds},
            paused,
            estimates,
        )


async def picture(tab: Tab, name: str) -> None:
    """A screenshot, where they are wanted."""
    if folder := os.environ.get("SCREENSHOTS"):
        await tab.page.screenshot(path=Path(folder) / f"meeting-{name}.png")


async def hold(meeting: Meeting, laid: Link, between: Wire) -> Seen:
    """Wide, narrow, wide again; then bob's WebSocket is cut."""
    ann, bob = meeting.ann, meeting.bob
    await watch(ann)
    await watch(bob)
    await meeting.everybody()
    pictures, voices = await meeting.pictures(), await meeting.voices()
    unshaped = await look(ann)
    before = await meeting.part(bob, 5)
    await picture(bob, "1-before")
    widest = max(before.widths)
    laid.narrow(NARROW)
    await asyncio.sleep(SETTLE)
    narrow = await meeting.part(bob, NARROWED)
    await picture(bob, "2-narrow")
    laid.narrow(WIDE)
    began = time.monotonic()
    while (await look(bob)).pictures["ann"].width < widest and time.monotonic() < began + PATIENCE:
        await asyncio.sleep(0.1)
    back = time.monotonic() - began
    after = await meeting.part(bob, 5)
    await picture(bob, "3-after")
    resumed = await cut(bob, between)
    await bob.more_frames("ann")
    return Seen(pictures, voices, before, narrow, back, after, await meeting.part(ann, 0.5, unshaped), resumed)


async def cut(tab: Tab, between: Wire) -> list[str]:
    """Cut somebody's WebSocket and wait until it is back; what the client said of it."""
    await tab.run("heard.length = 0")
    between.cut()
    await tab.until("heard.includes('reconnected')")
    return [name for name in await tab.run("heard") if name in INTERESTING]


INTERESTING = ("signalReconnecting", "reconnecting", "reconnected", "disconnected", "trackUnsubscribed")


async def main(program: Path) -> Seen:
    """Everybody joins."""
    async with AsyncExitStack() as stack:
        laid = await stack.enter_async_context(link())
        laid.narrow(WIDE)
        relay = Relay.start(RelayConfig(bind=[f"{RELAY}:{PORT}"], tcp=False))
        stack.callback(relay.close)
        world = await stack.enter_async_context(serve(relay, host=RELAY, routes=routes()))
        between = await stack.enter_async_context(wire(world.url, RELAY))
        secure = f"--unsafely-treat-insecure-origin-as-secure={world.url}"
        browser = await stack.enter_async_context(chromium(secure))
        ann = Tab(await browser.new_page(), "v1")
        bob = await stack.enter_async_context(far_chromium(laid, between.url, "v0"))
        fay = await stack.enter_async_context(firefox())
        await join_tabs(world, between, {"ann": ann, "bob": bob, "fay": fay}, LAYERS)
        others = await join_others(stack, world, program)
        return await hold(Meeting(relay, world, ann, bob, fay, others), laid, between)


async def wide(program: Path) -> Wide:
    """Everybody joins; all see and hear all; bob's WebSocket is cut, and all see and hear all again."""
    network()
    async with AsyncExitStack() as stack:
        relay = Relay.start(RelayConfig(bind=[f"{RELAY}:{PORT}"]))
        stack.callback(relay.close)
        world = await stack.enter_async_context(serve(relay, host=RELAY, routes=routes()))
        between = await stack.enter_async_context(wire(world.url, RELAY))
        secure = f"--unsafely-treat-insecure-origin-as-secure={world.url},{between.url}"
        browser = await stack.enter_async_context(chromium(secure))
        ann, bob = Tab(await browser.new_page(), "v1"), Tab(await browser.new_page(), "v0")
        fay = await stack.enter_async_context(firefox())
        await join_tabs(world, between, {"ann": ann, "bob": bob, "fay": fay}, LAYERS[:2])
        meeting = Meeting(relay, world, ann, bob, fay, await join_others(stack, world, program))
        await meeting.everybody(LONG)
        pictures, voices = await meeting.pictures(), await meeting.voices()
        whom = {name: await meeting.whom(name) for name in meeting.tabs}
        await meeting.begin_anew()
        resumed = await cut(bob, between)
        await meeting.everybody(LONG)
        return Wide(pictures, voices, whom, resumed, await meeting.pictures(), await meeting.voices())


async def join_tabs(
    world: World, between: Wire, tabs: dict[str, Browsing], layers: Sequence[tuple[int, int, int]]
) -> None:
    """Who uses a browser; ann's camera has these layers."""
    for name, tab in tabs.items():
        url = between.url if name == "bob" else world.url
        await tab.join(url, world.token(name))
        await film(tab, name, layers if name == "ann" else SMALL)
        await tab.run("room.localParticipant.setMicrophoneEnabled(true)")


async def join_others(stack: AsyncExitStack, world: World, program: Path) -> dict[str, Received]:
    """Who uses no browser."""
    url = world.url.replace("http", "ws", 1)
    abe = await stack.enter_async_context(participant(url, world.token("abe"), Aiortc))
    sam = await stack.enter_async_context(participant(url, world.token("sam"), lambda r: Str0m(program, RELAY, r)))
    pia = await stack.enter_async_context(python_sdk(url, world.token("pia")))
    return {"abe": abe.received, "sam": sam.received, "pia": pia}


if __name__ == "__main__":
    held: Coroutine[Any, Any, Seen | Wide] = (wide if sys.argv[2:] == ["wide"] else main)(Path(sys.argv[1]))
    print(msgspec.json.encode(asyncio.run(held)).decode())
