"""`python -m tests.network.estimate CASE`: Chromium behind a poor link, and what the relay finds it can carry.

To be run in a network namespace of its own. Prints one line of JSON: `Seen`.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from relay import Relay, RelayConfig
from tests.network.links import CLIENT, PORT, RELAY, Link, link
from tests.network.watching import Look, Span, film, look, watch
from tests.signaling.rtc.browser import CHROMIUM, Tab, chromium, routes
from tests.signaling.rtc.world import World, serve

RATE = 2_000_000
"""bit/s of the narrow link."""
LOSS = 10
"""Percent."""
DELAY, JITTER, SEED = 50.0, 10.0, 20260101
"""ms each way."""
SETTLE, MEASURE = 5.0, 8.0
"""Seconds from the first frame to where the measurement begins, and how long it is."""
SAMPLE = 0.1
"""Seconds between looks at the queue and the estimate."""


class Sample(msgspec.Struct, array_like=True):
    """One look.

    Seconds since the first frame, the estimate, bit/s of pictures received since the last, ms that a packet
    waits at the link's head, and pixels of the picture's width.
    """

    at: float
    estimate: int | None
    rate: float
    waiting: float
    width: int


class Seen(msgspec.Struct):
    """Of the client behind the link: samples from its first frame on, and what was counted after SETTLE. `frames` per second."""

    samples: list[Sample]
    received: float
    width: int
    frames: float
    frozen: float

    def settled(self) -> list[Sample]:
        """The samples after SETTLE."""
        return [sample for sample in self.samples if sample.at >= SETTLE]

    def waiting(self) -> tuple[float, float]:
        """p50 and p95 of what packets wait once settled, ms."""
        waits = [sample.waiting for sample in self.settled()]
        return statistics.median(waits), statistics.quantiles(waits, n=20)[18]


@asynccontextmanager
async def far_chromium(laid: Link, url: str, path: str = "v1") -> AsyncIterator[Tab]:
    """A tab in a browser on the client's host, which may use its camera on `url`."""
    with tempfile.TemporaryDirectory() as folder:
        program = laid.program(Path(folder), CHROMIUM)
        async with chromium(f"--unsafely-treat-insecure-origin-as-secure={url}", executable=program) as browser:
            yield Tab(await browser.new_page(), path)


async def measure(relay: Relay, world: World, laid: Link, tab: Tab) -> Seen:
    """Look again and again for a while."""
    (session,) = [s for s in world.server.rooms["demo"].sessions.values() if s.identity == "bob"]
    begin = last = await look(tab)
    settled: Look | None = None
    samples: list[Sample] = []
    async with asyncio.timeout(3 * (SETTLE + MEASURE)):
        while (now := await look(tab)).at < begin.at + (SETTLE + MEASURE) * 1000:
            transports = (await relay.stats("demo")).transports
            estimates = [t.estimate for t in transports if t.transport.startswith(f"{session.sid}/")]
            at, waiting = (now.at - begin.at) / 1000, await laid.waiting() if laid.rate else 0.0
            samples.append(
                Sample(
                    round(at, 2),
                    estimates[-1],
                    round(Span(last, now).rate()),
                    round(waiting),
                    now.pictures["ann"].width,
                )
            )
            last = now
            if settled is None and at >= SETTLE:
                settled = now
            await asyncio.sleep(SAMPLE)
    assert settled is not None
    span = Span(settled, last)
    return Seen(samples, span.rate(), last.pictures["ann"].width, span.frames("ann") / span.seconds, span.frozen("ann"))


async def main(case: str) -> Seen:
    """One meeting of two."""
    async with AsyncExitStack() as stack:
        laid = await stack.enter_async_context(link())
        announce = [CLIENT] if case == "slow" else []
        relay = Relay.start(RelayConfig(bind=[f"{RELAY}:{PORT}"], announce=announce, tcp=False))
        stack.callback(relay.close)
        world = await stack.enter_async_context(serve(relay, host=RELAY, routes=routes()))
        if case == "narrow":
            laid.narrow(RATE)
        elif case == "lossy":
            laid.lose(LOSS)
        elif case == "slow":
            await stack.enter_async_context(laid.slow(DELAY, JITTER, SEED))
        near = await stack.enter_async_context(chromium())
        ann = Tab(await near.new_page())
        await ann.join(world.url, world.token("ann"))
        await film(ann, "ann")
        bob = await stack.enter_async_context(far_chromium(laid, world.url))
        await bob.join(world.url, world.token("bob"))
        await watch(bob)
        await bob.more_frames("ann", 1)
        seen = await measure(relay, world, laid, bob)
        if folder := os.environ.get("SCREENSHOTS"):
            await bob.page.screenshot(path=Path(folder) / f"{case}.png")
    return seen


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(main(sys.argv[1]))).decode())
