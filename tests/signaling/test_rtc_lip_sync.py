"""Sound and picture of one person stay in step in Chromium, whatever layer of the picture is forwarded."""

from __future__ import annotations

import asyncio
import statistics
import time

import pytest
from playwright.async_api import Browser

from tests.signaling.rtc.browser import Tab
from tests.signaling.rtc.world import World
from tests.signaling.test_rtc_layers import _QUALITY, _SIMULCAST, width

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

BOUND = 1000
"""ms that the picture may be ahead of the sound or behind. On a quiet machine it is 80 at most, and people notice 45 and 125
(ITU-R BT.1359-1, figure 2); who has no processor hears tenths of a second late, a clock of another layer is off by hours."""
LONG, PATIENCE = 2.0, 20.0
"""Seconds for which they have to be in step, and in which they have to get there."""

# What is shown minus what is heard, in ms of the publisher's clock; none until Chromium knows both, which it does for
# tracks of one stream and after a sender report of each (webrtc-stats, estimatedPlayoutTimestamp).
_OFFSET = """async () => {
  const report = await room.engine.pcManager.publisher._pc.getStats();
  const at = {};
  for (const stats of report.values())
    if (stats.type === 'inbound-rtp' && stats.estimatedPlayoutTimestamp) at[stats.kind] = stats.estimatedPlayoutTimestamp;
  return at.video && at.audio ? at.video - at.audio : null;
}"""


async def in_step(tab: Tab) -> None:
    """Wait until they were in step for two seconds, by their median: the clock is known a while after both began."""
    seen: list[tuple[float, float]] = []
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                now = time.monotonic()
                if (found := await tab.run(_OFFSET)) is None:
                    seen.clear()
                else:
                    seen.append((now, found))
                lately = [offset for at, offset in seen if at > now - LONG]
                if len(lately) >= 5 and seen[0][0] < now - LONG and abs(statistics.median(lately)) <= BOUND:
                    return
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"never in step: {seen[-20:]}") from None


CLOCKS = 80
"""ms that the two may be apart as they arrive."""

# [seconds, pieces]: how long Chromium itself held back the sound that it played and the pictures that it decoded (webrtc-stats).
_HELD = """async () => {
  const report = await room.engine.pcManager.publisher._pc.getStats();
  const held = {};
  for (const stats of report.values())
    if (stats.type === 'inbound-rtp') held[stats.kind] = stats.kind === 'video'
      ? [stats.totalProcessingDelay, stats.framesDecoded] : [stats.jitterBufferDelay, stats.jitterBufferEmittedCount];
  return held;
}"""


async def arrived(tab: Tab) -> float:
    """How far the picture was ahead of the sound when both arrived, ms: the median of two seconds.

    Chromium holds back by the same sender reports as the offset is told by, and so hides in time what they are wrong by.
    """
    offsets: list[float] = []
    held: dict[str, float] = {}
    began, first = time.monotonic(), await tab.run(_HELD)
    async with asyncio.timeout(PATIENCE):
        while len(offsets) < 5 or time.monotonic() < began + LONG:
            if (found := await tab.run(_OFFSET)) is not None:
                offsets.append(found)
            await asyncio.sleep(0.1)
    last = await tab.run(_HELD)
    for kind, (seconds, pieces) in last.items():
        held[kind] = 1000 * (seconds - first[kind][0]) / (pieces - first[kind][1])
    return statistics.median(offsets) + held["video"] - held["audio"]


async def test_sound_and_picture_in_step_over_layer_switches(world: World, browser: Browser) -> None:
    ann, bob = Tab(await browser.new_page()), Tab(await browser.new_page())
    await ann.join(world.url, world.token("ann"))
    await bob.join(world.url, world.token("bob"))
    await ann.run("room.localParticipant.setMicrophoneEnabled(true)")
    await ann.run(_SIMULCAST, ["vp8", None])
    await width(bob, 960)
    await in_step(bob)
    found = {"before": await arrived(bob)}
    for quality, pixels in (("LOW", 320), ("MEDIUM", 640), ("HIGH", 960)):
        await bob.run(_QUALITY, quality)
        await width(bob, pixels)
        await in_step(bob)
        found[quality] = await arrived(bob)
    assert all(abs(ms) <= CLOCKS for ms in found.values()), found
