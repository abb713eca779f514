"""`python -m tests.network.estimate CASE`: Chromium behind a poor link, and what the relay finds it can carry.

To be run in a network namespace of its own. Prints one line of JSON: `Seen`. CASE is one of `CASES`.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from relay import Relay, RelayConfig
from relay.messages import SubscriptionStats
from tests.network.links import CLIENT, PORT, RELAY, Link, link
from tests.network.watching import LAYERS, Look, Span, film, gaps, look, watch
from tests.signaling.rtc.browser import CHROMIUM, Tab, chromium, routes
from tests.signaling.rtc.world import World, serve

RATE = 2_000_000
"""bit/s of the narrow link."""
WIDE, THIN = 10_000_000, 1_000_000
"""bit/s of a link that narrows and widens again."""
LOSS = 10
"""Percent."""
DELAY, JITTER, SEED = 50.0, 10.0, 20260101
"""ms each way."""
SETTLE = 5.0
"""Seconds from the first frame to where the measurement begins."""
SAMPLE = 0.1
"""Seconds between looks at the queue and the estimate."""
NARROWS, WIDENS = 6.0, 16.0
"""When the link that changes does, s."""
FILLING = ((240, 135, 150_000), (480, 270, 500_000), (960, 540, 1_650_000))
"""Layers of which the highest fills a link of RATE, as far as one may."""
DETAIL = 0.15
"""Of the picture whose key frames are large."""
BURNERS = 6
"""Processes that keep the machine busy."""


@dataclass(frozen=True)
class Case:
    """What is done to the link: rates from instants (s since the first frame) on, loss (%), delay; the picture.

    `seconds` it is watched for, `burners` processes that compute meanwhile.
    """

    rates: Sequence[tuple[float, int]] = ()
    loss: int = 0
    slow: bool = False
    layers: Sequence[tuple[int, int, int]] = LAYERS
    detail: float = 0
    seconds: float = SETTLE + 8.0
    burners: int = 0


CASES = {
    "narrow": Case([(0, RATE)], layers=FILLING),
    "detailed": Case([(0, RATE)], layers=FILLING, detail=DETAIL),
    "thin": Case([(0, THIN)]),
    "thin_detailed": Case([(0, THIN)], detail=DETAIL),
    "changing": Case([(0, WIDE), (NARROWS, THIN), (WIDENS, WIDE)], seconds=WIDENS + 16),
    "changing_detailed": Case([(0, WIDE), (NARROWS, THIN), (WIDENS, WIDE)], detail=DETAIL, seconds=WIDENS + 16),
    "lossy": Case(loss=LOSS),
    "slow": Case(slow=True),
    "busy": Case(burners=BURNERS, seconds=20),
}


class Sample(msgspec.Struct, array_like=True):
    """One look.

    Seconds since the first frame, the estimate, bit/s of pictures received since the last, ms that a packet
    waits at the link's head, and pixels of the picture's width; bytes that passed the link and packets it dropped, the
    layer forwarded and whether it is withheld, key frames asked for, packets sent again, and the idle share of the machine.
    """

    at: float
    estimate: int | None
    rate: float
    waiting: float
    width: int
    passed: int
    dropped: int
    layer: int | None
    paused: bool
    requests: int
    repeated: int
    idle: float


class Seen(msgspec.Struct):
    """Of the client behind the link: samples from its first frame on, and what was counted after SETTLE.

    `frames` per second, `frozen` in ms as webrtc-stats says, `gap` the longest time between two frames shown in ms,
    `quality` what the client was told last of its own connection.
    """

    samples: list[Sample]
    received: float
    width: int
    frames: float
    frozen: float
    gap: float
    quality: str

    def settled(self) -> list[Sample]:
        """The samples after SETTLE."""
        return [sample for sample in self.samples if sample.at >= SETTLE]

    def waiting(self) -> tuple[float, float]:
        """p50 and p95 of what packets wait once settled, ms."""
        waits = [sample.waiting for sample in self.settled()]
        return statistics.median(waits), statistics.quantiles(waits, n=20)[18]

    def passed(self, begin: float, end: float) -> float:
        """bit/s that passed the link between two instants in seconds."""
        within = [sample for sample in self.samples if begin <= sample.at <= end]
        return 8 * (within[-1].passed - within[0].passed) / (within[-1].at - within[0].at)

    def back(self, since: float) -> float | None:
        """Seconds from an instant until the picture is as wide as it was before the link narrowed."""
        widest = max(sample.width for sample in self.samples if sample.at < NARROWS)
        found = (sample.at - since for sample in self.samples if sample.at >= since and sample.width >= widest)
        return next(found, None)


@asynccontextmanager
async def far_chromium(laid: Link, url: str, path: str = "v1") -> AsyncIterator[Tab]:
    """A tab in a browser on the client's host, which may use its camera on `url`."""
    with tempfile.TemporaryDirectory() as folder:
        program = laid.program(Path(folder), CHROMIUM)
        async with chromium(f"--unsafely-treat-insecure-origin-as-secure={url}", executable=program) as browser:
            yield Tab(await browser.new_page(), path)


@asynccontextmanager
async def burning(count: int, seconds: float) -> AsyncIterator[None]:
    """Processes that compute meanwhile; they end by themselves after `seconds`."""
    script = f"import time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end: pass"
    burners = [await asyncio.create_subprocess_exec(sys.executable, "-c", script) for _ in range(count)]
    try:
        yield
    finally:
        for burner in burners:
            if burner.returncode is None:
                burner.kill()
            await burner.wait()


def _idle() -> tuple[int, int]:
    """Ticks that the machine's processors were idle, and all their ticks (proc(5))."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return ticks[3], sum(ticks)


class Watch:
    """Looks at the client `bob`, who sees `ann`."""

    def __init__(self, relay: Relay, world: World, laid: Link, tab: Tab, first: Look) -> None:
        (session,) = [s for s in world.server.rooms["demo"].sessions.values() if s.identity == "bob"]
        self._prefix, self._relay, self._laid, self._tab = f"{session.sid}/", relay, laid, tab
        self._first = self.last = first
        self._ticks = _idle()

    def since(self, at: float) -> float:
        """Seconds from the first look to an instant of the tab's clock."""
        return (at - self._first.at) / 1000

    async def sample(self) -> Sample:
        """Look once."""
        before, self.last = self.last, await look(self._tab)
        stats = await self._relay.stats("demo")
        estimates = [t.estimate for t in stats.transports if t.transport.startswith(self._prefix)]
        of = [s for s in stats.subscriptions if s.transport.startswith(self._prefix)]
        shown: SubscriptionStats | None = max(of, key=lambda entry: entry.bytes, default=None)
        head, ticks, self._ticks = await self._laid.head(), self._ticks, _idle()
        rate = self._laid.rate
        return Sample(
            round(self.since(self.last.at), 2),
            estimates[-1],
            round(Span(before, self.last).rate()) if self.last.at > before.at else 0,
            round(head.backlog * 8000 / rate) if rate else 0,
            self.last.pictures["ann"].width,
            head.bytes,
            head.drops,
            shown.layer if shown else None,
            shown is not None and shown.paused is not None,
            shown.plis_received if shown else 0,
            shown.retransmitted if shown else 0,
            round((self._ticks[0] - ticks[0]) / max(self._ticks[1] - ticks[1], 1), 2),
        )


async def measure(relay: Relay, world: World, laid: Link, tab: Tab, case: Case) -> Seen:
    """Look again and again for a while, and change the link when its time comes."""
    begin = await look(tab)
    watching = Watch(relay, world, laid, tab, begin)
    settled: Look | None = None
    samples: list[Sample] = []
    changes = list(case.rates[1:])
    async with asyncio.timeout(3 * case.seconds):
        while not samples or samples[-1].at < case.seconds:
            samples.append(await watching.sample())
            if settled is None and samples[-1].at >= SETTLE:
                settled = watching.last
            if changes and samples[-1].at >= changes[0][0]:
                laid.narrow(changes.pop(0)[1])
            await asyncio.sleep(SAMPLE)
    assert settled is not None
    span = Span(settled, watching.last)
    return Seen(
        samples,
        span.rate(),
        watching.last.pictures["ann"].width,
        span.frames("ann") / span.seconds,
        span.frozen("ann"),
        max(await gaps(tab, "ann", span)),
        await tab.run("room.localParticipant.connectionQuality"),
    )


async def main(name: str) -> Seen:
    """One meeting of two."""
    case = CASES[name]
    async with AsyncExitStack() as stack:
        laid = await stack.enter_async_context(link())
        announce = [CLIENT] if case.slow else []
        relay = Relay.start(RelayConfig(bind=[f"{RELAY}:{PORT}"], announce=announce, tcp=False))
        stack.callback(relay.close)
        world = await stack.enter_async_context(serve(relay, host=RELAY, routes=routes()))
        if case.rates:
            laid.narrow(case.rates[0][1])
        if case.loss:
            laid.lose(case.loss)
        if case.slow:
            await stack.enter_async_context(laid.slow(DELAY, JITTER, SEED))
        near = await stack.enter_async_context(chromium())
        ann = Tab(await near.new_page())
        await ann.join(world.url, world.token("ann"))
        await film(ann, "ann", case.layers, case.detail)
        bob = await stack.enter_async_context(far_chromium(laid, world.url))
        await bob.join(world.url, world.token("bob"))
        await watch(bob)
        await bob.more_frames("ann", 1)
        await stack.enter_async_context(burning(case.burners, 3 * case.seconds))
        seen = await measure(relay, world, laid, bob, case)
        if folder := os.environ.get("SCREENSHOTS"):
            await bob.page.screenshot(path=Path(folder) / f"{name}.png")
    return seen


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(main(sys.argv[1]))).decode())
