"""What browsers and native clients are tested with: a media server around a real relay, and Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from relay import Relay, RelayConfig
from signaling.rtc import RtcSettings
from tests.signaling.rtc.browser import chromium, routes
from tests.signaling.rtc.world import World, serve


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    """A relay."""
    started = Relay.start(RelayConfig(bind=["127.0.0.1:0"]))
    yield started
    started.close()


@pytest.fixture
async def world(relay: Relay, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A server around it with the page for tabs. Settings other than the usual ones come as the fixture's parameter."""
    settings: RtcSettings = getattr(request, "param", RtcSettings())
    async with serve(relay, routes=routes(), settings=settings) as served:
        yield served


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium with fake devices."""
    async with chromium() as running:
        yield running
