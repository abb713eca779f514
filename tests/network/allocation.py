"""`python -m tests.network.allocation`: Chromium behind a link that cannot carry all it is shown, and what it goes without.

`sue` shares a screen, `ann` speaks, `eve` has a large picture and `dan` a small one; they come in the opposite order, so
that nothing but their importance puts them into this one. `bob`, who watches, is behind the link. To be run in a network
namespace of its own. Prints one line of JSON: `Seen`. With SCREENSHOTS set, pictures of bob's page go into that folder.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from relay import Relay, RelayConfig
from signaling.rtc import RtcSettings
from tests.network.estimate import far_chromium
from tests.network.links import PORT, RELAY, Link, link
from tests.network.watching import Look, Span, film, look, watch
from tests.signaling.rtc.browser import Tab, chromium, routes
from tests.signaling.rtc.world import World, serve

LOW, HIGH = (320, 180, 150_000), (640, 360, 700_000)
"""The two layers of every picture."""
PEOPLE = ("dan", "eve", "ann", "sue")
"""Who shows something, the least important first."""
ENOUGH = 0.9 * len(PEOPLE) * HIGH[2]
"""bit/s of all pictures in full, nearly."""
SIZES = {"eve": (640, 360), "dan": (480, 270)}
"""At which bob shows pictures that are neither a screen nor the speaker's, px."""
WIDE = 10_000_000
"""bit/s: everything."""
NARROW = 2_400_000
"""bit/s: two high layers and two low ones."""
LARGE = {"dan": LOW[0], "eve": LOW[0], "ann": HIGH[0], "sue": HIGH[0]}
"""Widths of these."""
THIN = 650_000
"""bit/s: three low layers and a voice, not four."""
SETTLE, LASTS, LONGEST = 3.0, 5.0, 40.0
"""Seconds until the queue of what was sent before a link narrowed is through, and that a part lasts at least and at most."""
MEASURE = 1.0
"""Seconds between looks at how connections do."""
PATIENCE = 50.0
"""Seconds until everything is shown in full, at the beginning and in the end."""
STEP, STEPS = 0.1, 8
"""Seconds between two looks, and looks in a second."""


class Sample(msgspec.Struct):
    """One look: by identity the width decoded (px), the layer forwarded, and why the relay withholds it.

    `told`: of whom bob's client knows that their picture is paused; the relay's estimate of his link, bit/s.
    """

    widths: dict[str, int]
    layers: dict[str, int | None]
    reasons: dict[str, str | None]
    told: list[str]
    estimate: int | None


class Part(msgspec.Struct):
    """A while on one link.

    Samples; after SETTLE frames decoded, the part of the speaker's sound that had to be made up, and energy of it that was
    heard; and how bob's connection is said to be in the end, to himself and to others.
    """

    samples: list[Sample]
    frames: dict[str, int]
    concealed: float
    energy: float
    quality: tuple[str, str]


class Seen(msgspec.Struct):
    """The meeting."""

    narrow: Part
    thin: Part
    after: tuple[str, str]


class Meeting:
    """Everybody."""

    def __init__(self, relay: Relay, world: World, tabs: dict[str, Tab], bob: Tab) -> None:
        self.tabs, self.bob = tabs, bob
        self._relay = relay
        room = world.server.rooms["demo"]
        self._owners = {t.sid: s.identity for s in room.sessions.values() for t in s.publisher.tracks}
        (own,) = [s for s in room.sessions.values() if s.identity == "bob"]
        self._prefix = f"{own.sid}/"

    async def sample(self, now: Look) -> Sample:
        """Look once."""
        stats = await self._relay.stats("demo")
        videos = {t.track for t in stats.tracks if t.kind == "video"}
        shown = {
            self._owners[s.track]: s
            for s in stats.subscriptions
            if s.track in videos and s.transport.startswith(self._prefix)
        }
        told = await self.bob.run(
            "[...room.remoteParticipants.values()].filter((who) => [...who.videoTrackPublications.values()]"
            ".some((p) => p.track?.streamState === 'paused')).map((who) => who.identity)"
        )
        estimates = [t.estimate for t in stats.transports if t.transport.startswith(self._prefix)]
        return Sample(
            {who: picture.width for who, picture in now.pictures.items()},
            {who: entry.layer for who, entry in shown.items()},
            {who: entry.paused for who, entry in shown.items()},
            told,
            max((estimate for estimate in estimates if estimate), default=None),
        )

    async def quality(self) -> tuple[str, str]:
        """Of bob's connection, as he is told and as ann is."""
        own = await self.bob.run("room.localParticipant.connectionQuality")
        return own, await self.tabs["ann"].run("room.remoteParticipants.get('bob').connectionQuality")

    async def all_high(self) -> None:
        """Until bob sees everything in full, and publishers send what they may."""
        async with asyncio.timeout(PATIENCE):
            before = await look(self.bob)
            while True:
                await asyncio.sleep(10 * STEP)
                now = await look(self.bob)
                if Span(before, now).rate() > ENOUGH and all(p.width == HIGH[0] for p in now.pictures.values()):
                    return
                before = now

    async def part(self, over: Callable[[Sample], bool]) -> Part:
        """Watch for LASTS, and on until it is `over` for a second or LONGEST has passed."""
        begin = now = await look(self.bob)
        settled: Look | None = None
        samples: list[Sample] = []
        while now.at < begin.at + LASTS * 1000 or (
            not all(map(over, samples[-STEPS:])) and now.at < begin.at + LONGEST * 1000
        ):
            if settled is None and now.at >= begin.at + SETTLE * 1000:
                settled = now
            samples.append(await self.sample(now))
            await asyncio.sleep(STEP)
            now = await look(self.bob)
        assert settled is not None
        span = Span(settled, now)
        frames = {who: span.frames(who) for who in now.pictures}
        return Part(samples, frames, span.concealed("ann"), span.energy("ann"), await self.quality())


async def picture(tab: Tab, name: str) -> None:
    """A screenshot, where they are wanted."""
    if folder := os.environ.get("SCREENSHOTS"):
        await tab.page.screenshot(path=Path(folder) / f"allocation-{name}.png")


async def hold(meeting: Meeting, laid: Link) -> Seen:
    """Everything, then on a narrow link, on a thin one, and on a wide one again."""
    await meeting.all_high()
    laid.narrow(NARROW)
    narrow = await meeting.part(lambda sample: sample.widths == LARGE)
    await picture(meeting.bob, "narrow")
    laid.narrow(THIN)
    thin = await meeting.part(lambda sample: sample.told == ["dan"] and sample.layers["eve"] == 0)
    await picture(meeting.bob, "thin")
    laid.narrow(WIDE)
    after = await meeting.quality()
    async with asyncio.timeout(PATIENCE):
        while "poor" in after:
            await asyncio.sleep(STEP)
            after = await meeting.quality()
    return Seen(narrow, thin, after)


async def main() -> Seen:
    """Everybody joins."""
    async with AsyncExitStack() as stack:
        laid = await stack.enter_async_context(link())
        laid.narrow(WIDE)
        relay = Relay.start(RelayConfig(bind=[f"{RELAY}:{PORT}"], tcp=False))
        stack.callback(relay.close)
        settings = RtcSettings(measure=MEASURE)
        world = await stack.enter_async_context(serve(relay, host=RELAY, settings=settings, routes=routes()))
        secure = f"--unsafely-treat-insecure-origin-as-secure={world.url}"
        near = await stack.enter_async_context(chromium(secure))
        tabs = {who: Tab(await near.new_page()) for who in PEOPLE}
        for who, tab in tabs.items():
            await tab.join(world.url, world.token(who))
            await film(tab, who, [LOW, HIGH], source="screen_share" if who == "sue" else "camera")
        await tabs["ann"].run("room.localParticipant.setMicrophoneEnabled(true)")
        for who, tab in tabs.items():
            others = [other for other in PEOPLE if other != who]
            await tab.run(
                "(others) => others.forEach((who) => room.remoteParticipants.get(who)?.videoTrackPublications"
                ".forEach((publication) => publication.setSubscribed(false)))",
                others,
            )
        bob = await stack.enter_async_context(far_chromium(laid, world.url))
        await bob.join(world.url, world.token("bob"))
        await watch(bob)
        for who, (width, height) in SIZES.items():
            await bob.run(
                "([who, width, height]) => room.remoteParticipants.get(who).getTrackPublication('camera')"
                ".setVideoDimensions({ width, height })",
                [who, width, height],
            )
        for who in PEOPLE:
            await bob.more_frames(who, 1)
        return await hold(Meeting(relay, world, tabs, bob), laid)


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(main())).decode())
