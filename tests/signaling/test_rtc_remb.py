"""A receiver that limits what it is sent by REMB alone: aiortc, which has no transport-wide feedback."""

from __future__ import annotations

import asyncio

import pytest
from aiortc.rate import RemoteBitrateEstimator
from playwright.async_api import Browser

from relay import Relay, RelayConfig
from tests.signaling.rtc.aio import subscriber
from tests.signaling.rtc.browser import Tab, routes
from tests.signaling.rtc.world import serve
from tests.signaling.test_rtc_layers import _SIMULCAST

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(90)]

ASKED = 200_000
"""bit/s: the lowest layer fits (120,000), the next one (300,000) does not."""


async def test_less_is_sent_to_who_asks_for_less(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    add = RemoteBitrateEstimator.add

    def limited(self: RemoteBitrateEstimator, *given: int, **named: int) -> tuple[int, list[int]] | None:
        """When to speak and about what is by aiortc itself; how much is ours once `asked` says."""
        found = add(self, *given, **named)
        return (asked[0], found[1]) if found is not None and asked else found

    monkeypatch.setattr(RemoteBitrateEstimator, "add", limited)
    relay = Relay.start(RelayConfig(bind=["127.0.0.1:0"]))
    async with serve(relay, routes=routes()) as world:
        ann = Tab(await browser.new_page())
        await ann.join(world.url, world.token("ann"))
        await ann.run(_SIMULCAST, ["vp8", None])
        async with subscriber(world, "aio") as aio:

            async def layer(wanted: set[int]) -> None:
                async with asyncio.timeout(20):
                    while True:
                        stats = await relay.stats("demo")
                        own = [s for s in stats.subscriptions if s.subscription.startswith(aio.client.sid)]
                        if any(forwarded.layer in wanted and forwarded.paused is None for forwarded in own):
                            return
                        await asyncio.sleep(0.1)

            await layer({1, 2})
            asked.append(ASKED)
            await layer({0})
            (told,) = [t for t in (await relay.stats("demo")).transports if t.transport == f"{aio.client.sid}/sub"]
            assert told.remb == ASKED
            assert told.estimate is not None
            assert told.estimate <= ASKED
            async with asyncio.timeout(10):
                await aio.more(10)  # it is decoded all the same
    relay.close()
