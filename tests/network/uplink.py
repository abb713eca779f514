"""`python -m tests.network.uplink BROWSER`: a browser whose link to the relay loses packets, and what others get of it.

`bob`, in Chromium or Firefox behind the link, shows his camera and speaks; `ann`, near the relay, watches. To be run in a network
namespace of its own. Prints one line of JSON: `Seen`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AsyncExitStack

import msgspec

from relay import Relay, RelayConfig
from relay.webrtc_stats import webrtc_stats
from signaling.rtc import RtcSettings
from tests.network.estimate import far_chromium
from tests.network.firefox import firefox
from tests.network.links import PORT, RELAY, Link, link
from tests.network.watching import Browsing, Span, film, gaps, look, watch
from tests.signaling.rtc.browser import Tab, chromium, routes
from tests.signaling.rtc.world import World, serve

LAYER = (480, 270, 600_000)
"""Of bob's picture."""
LOSS, HEAVY, ALL = 5, 20, 100
"""Percent of what bob sends: repaired, too much, and everything."""
SECONDS = 8.0
"""For which LOSS lasts."""
MEASURE = 1.0
"""Seconds between looks at how connections do."""
REPORTS = 6.0
"""Seconds in which a browser reports how it receives, and that is looked at."""
PATIENCE = 20.0
"""Seconds until a quality is told."""

# What has left for the camera: frames, packets, and those of them that were sent again.
_SENT = """async () => {
  const publication = room.localParticipant.getTrackPublication('camera');
  const found = [...(await publication.track.sender.getStats()).values()].filter((stats) => stats.type === 'outbound-rtp');
  const sum = (name) => found.reduce((total, stats) => total + (stats[name] ?? 0), 0);
  return { frames: sum('framesSent') || sum('framesEncoded'), packets: sum('packetsSent'),
    again: sum('retransmittedPacketsSent') };
}"""


_SSRC = """async () => {
  const publication = room.localParticipant.getTrackPublication('camera');
  const found = [...(await publication.track.sender.getStats()).values()];
  return found.find((stats) => stats.type === 'outbound-rtp').ssrc;
}"""


class Sent(msgspec.Struct):
    """Frames and packets of the camera that left bob, and of these the ones that were sent again, as his browser counts."""

    frames: int
    packets: int
    again: int


class Seen(msgspec.Struct):
    """What bob sent while LOSS lasted, and what came of it for ann.

    The link `lost` packets of his camera, those sent again not counted; `nacks` times the relay asked him for some again.
    `missing` packets never came to her, `gap` is the longest time between two frames in ms, `frozen` what webrtc-stats calls
    so, in ms. `qualities` of bob's connection as ann is told and as bob is, under LOSS, HEAVY, ALL and nothing. `own` is how
    ann's is said to be under HEAVY.
    """

    lost: int
    sent: Sent
    nacks: int
    frames: int
    missing: int
    gap: float
    frozen: float
    qualities: dict[str, list[str]]
    own: str = ""


class Call:
    """The two."""

    def __init__(self, relay: Relay, world: World, laid: Link, ann: Tab, bob: Browsing) -> None:
        self.ann, self.bob, self.laid = ann, bob, laid
        self._relay = relay
        (session,) = [s for s in world.server.rooms["demo"].sessions.values() if s.identity == "bob"]
        self._tracks = {track.sid for track in session.publisher.tracks}

    async def nacks(self) -> int:
        """Times that the relay has asked bob for packets again, as its statistics say."""
        reports = webrtc_stats(await self._relay.stats("demo"), time.time())
        counts = [r["nackCount"] for r in reports if r.get("trackIdentifier") in self._tracks and r["kind"] == "video"]
        return sum(count for count in counts if isinstance(count, int))

    async def sent(self) -> Sent:
        """By bob."""
        return msgspec.convert(await self.bob.run(_SENT), Sent)

    async def ssrc(self) -> int:
        """Of the camera's packets."""
        return int(await self.bob.run(_SSRC))

    async def missing(self) -> int:
        """Packets that ann lacks."""
        return int((await self.ann.run("inbound()"))["bob video"]["packetsLost"])

    async def quality(self) -> list[str]:
        """Of bob's connection, as ann is told and as he is."""
        other = await self.ann.run("room.remoteParticipants.get('bob').connectionQuality")
        return [other, await self.bob.run("room.localParticipant.connectionQuality")]

    async def until_told(self, *wanted: str) -> list[str]:
        """Until both are told one of these qualities, or patience ends; what they were told last."""
        deadline = time.monotonic() + PATIENCE
        told = await self.quality()
        while not set(told) <= set(wanted) and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
            told = await self.quality()
        return told


async def measure(call: Call) -> Seen:
    """Lose a few for a while; then many, all, and none."""
    first, nacks, sent, missing = await look(call.ann), await call.nacks(), await call.sent(), await call.missing()
    call.laid.lose_upward(LOSS, await call.ssrc())
    last = first
    while last.at < first.at + SECONDS * 1000:
        await asyncio.sleep(0.2)
        last = await look(call.ann)
    span, lost, after = Span(first, last), call.laid.lost_upward(), await call.sent()
    found = Seen(
        lost,
        Sent(after.frames - sent.frames, after.packets - sent.packets, after.again - sent.again),
        await call.nacks() - nacks,
        span.frames("bob"),
        await call.missing() - missing,
        max(await gaps(call.ann, "bob", span)),
        span.frozen("bob"),
        {"few": await call.until_told("good", "poor")},
    )
    for name, percent, wanted in (("many", HEAVY, "poor"), ("all", ALL, "lost"), ("none", 0, "excellent")):
        call.laid.lose_upward(percent)
        found.qualities[name] = await call.until_told(wanted)
        if percent == HEAVY:
            await asyncio.sleep(REPORTS)
            found.own = await call.ann.run("room.localParticipant.connectionQuality")
    return found


async def main(browser: str) -> Seen:
    """One meeting of two."""
    async with AsyncExitStack() as stack:
        laid = await stack.enter_async_context(link())
        relay = Relay.start(RelayConfig(bind=[f"{RELAY}:{PORT}"], tcp=False))
        stack.callback(relay.close)
        settings = RtcSettings(measure=MEASURE)
        world = await stack.enter_async_context(serve(relay, host=RELAY, settings=settings, routes=routes()))
        near = await stack.enter_async_context(chromium())
        far = firefox(inside=laid.inside) if browser == "firefox" else far_chromium(laid, world.url)
        bob: Browsing = await stack.enter_async_context(far)
        await bob.join(world.url, world.token("bob"))
        await film(bob, "bob", [LAYER])
        await bob.run("room.localParticipant.setMicrophoneEnabled(true)")
        ann = Tab(await near.new_page())
        await ann.join(world.url, world.token("ann"))
        await watch(ann)
        await ann.more_frames("bob", 24)
        return await measure(Call(relay, world, laid, ann, bob))


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(main(sys.argv[1]))).decode())
