"""A running relay per test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from relay import Relay, RelayConfig
from tests.relay.peer import Events


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    """A relay on a free loopback port."""
    relay = Relay.start(RelayConfig(bind=["127.0.0.1:0"]))
    yield relay
    relay.close()


@pytest.fixture
async def events(relay: Relay) -> Events:
    """What the relay of this test says."""
    events = Events()
    relay.listen(events)
    return events
