"""Who joins, says one thing and leaves at once is heard, though the request to leave comes first."""

from __future__ import annotations

import msgspec
import pytest

from tests.network.farewell import Seen
from tests.network.links import in_own_network
from tests.network.marks import BROWSERS

pytestmark = [*BROWSERS, pytest.mark.timeout(120)]


@pytest.mark.parametrize("path", ["v0", "v1"])
async def test_the_only_words_of_who_leaves_at_once_come_before_its_leave(path: str) -> None:
    found = msgspec.json.decode(await in_own_network(100, "tests.network.farewell", path), type=Seen)
    assert found.heard == ["bob: farewell", "bob left"], found
