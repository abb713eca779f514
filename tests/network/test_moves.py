"""Who changes address in mid-call stays the same participant of the same meeting, and pictures flow on, both ways."""

from __future__ import annotations

import msgspec
import pytest

from tests.network.links import in_own_network
from tests.network.marks import BROWSERS
from tests.network.moves import Seen

pytestmark = [*BROWSERS, pytest.mark.timeout(180)]


async def seen(move: str) -> Seen:
    """One move."""
    return msgspec.json.decode(await in_own_network(160, "tests.network.moves", move), type=Seen)


async def test_a_new_mapping_of_a_nat_is_followed_and_nobody_notices() -> None:
    """The client knows nothing of it, so the relay has to."""
    found = await seen("mapping")
    assert found.after == found.before, found
    assert found.heard == [], found


async def test_who_gets_another_address_resumes() -> None:
    """Nothing tells the client either: it resumes when its signal connection is silent, before the relay gives it up."""
    found = await seen("address")
    assert found.after == found.before, found
    assert found.heard == ["signalReconnecting", "reconnected"], found
