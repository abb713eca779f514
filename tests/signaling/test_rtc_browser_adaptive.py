"""livekit-client's adaptive stream: the size at which a picture is shown, and whether it is seen, decide what is sent."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.signaling.rtc.browser import Tab
from tests.signaling.rtc.world import World
from tests.signaling.test_rtc_browser_demand import sends
from tests.signaling.test_rtc_layers import _SIMULCAST, width

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

_SHOW = "(style) => { document.querySelector('video').style.cssText = style; }"


async def test_what_is_small_or_hidden_is_not_sent_in_full(world: World, browser: Browser) -> None:
    ann, bob = Tab(await browser.new_page()), Tab(await browser.new_page(), adaptive=True)
    await ann.join(world.url, world.token("ann"))
    await bob.join(world.url, world.token("bob"))
    await ann.run(_SIMULCAST, ["vp8", None])
    await bob.until("document.querySelector('video')")
    for shown, pixels in ((960, 960), (320, 320), (640, 640)):
        await bob.run(_SHOW, f"width: {shown}px; height: {shown * 9 // 16}px")
        await width(bob, pixels)
        await bob.more_frames("ann", 5)
    await sends(ann, ["VP8 q", "VP8 h"])

    # Hidden: nothing comes, and nothing leaves the publisher, for nobody else watches.
    await bob.run(_SHOW, "display: none")
    await sends(ann, [])
    stopped = await bob.frames("ann")
    assert await bob.frames("ann") == stopped
    await bob.run(_SHOW, "width: 960px; height: 540px")
    await bob.until(f"await decoded('ann', 'camera') > {stopped + 10}")
    await width(bob, 960)
