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

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(90)]

BOUND = 80
"""ms that the picture may be ahead of the sound or behind: people notice 45 and 125 (ITU-R BT.1359-1, figure 2)."""

# What is shown minus what is heard, in ms of the publisher's clock; none until Chromium knows both, which it does for
# tracks of one stream and after a sender report of each (webrtc-stats, estimatedPlayoutTimestamp).
_OFFSET = """async () => {
  const report = await room.engine.pcManager.publisher._pc.getStats();
  const at = {};
  for (const stats of report.values())
    if (stats.type === 'inbound-rtp' && stats.estimatedPlayoutTimestamp) at[stats.kind] = stats.estimatedPlayoutTimestamp;
  return at.video && at.audio ? at.video - at.audio : null;
}"""


async def offset(tab: Tab) -> float:
    """The median of two seconds, from when it is known."""
    seen: list[float] = []
    began = time.monotonic()
    async with asyncio.timeout(20):
        while len(seen) < 5 or time.monotonic() < began + 2:
            if (found := await tab.run(_OFFSET)) is None:
                began = time.monotonic()
            else:
                seen.append(found)
            await asyncio.sleep(0.1)
    return statistics.median(seen)


async def test_sound_and_picture_in_step_over_layer_switches(world: World, browser: Browser) -> None:
    ann, bob = Tab(await browser.new_page()), Tab(await browser.new_page())
    await ann.join(world.url, world.token("ann"))
    await bob.join(world.url, world.token("bob"))
    await ann.run("room.localParticipant.setMicrophoneEnabled(true)")
    await ann.run(_SIMULCAST, ["vp8", None])
    await width(bob, 960)
    offsets = {"before": await offset(bob)}
    for quality, pixels in (("LOW", 320), ("MEDIUM", 640), ("HIGH", 960)):
        await bob.run(_QUALITY, quality)
        await width(bob, pixels)
        offsets[quality] = await offset(bob)
    assert all(abs(ms) <= BOUND for ms in offsets.values()), offsets
