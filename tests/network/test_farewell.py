"""Who joins, says one thing and leaves at once is heard, though the request to leave comes first."""

from __future__ import annotations

import os

import msgspec
import pytest

from tests.network.farewell import Seen
from tests.network.links import in_own_network

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(os.geteuid() != 0, reason="making a network namespace needs root"),
]


@pytest.mark.parametrize("path", ["v0", "v1"])
async def test_the_only_words_of_who_leaves_at_once_come_before_its_leave(path: str) -> None:
    found = msgspec.json.decode(await in_own_network(100, "tests.network.farewell", path), type=Seen)
    assert found.heard == ["bob: farewell", "bob left"], found
