"""What browsers send over a link that loses packets is repaired, and how the link does is told to everybody.

Bounds are such that only a relay that does not repair reaches them, not a busy machine; how long the longest gap is, is measured
by the bench (bench/links.py).
"""

from __future__ import annotations

import msgspec
import pytest

from tests.network.links import in_own_network
from tests.network.marks import BROWSERS
from tests.network.uplink import SECONDS, Seen
from tests.network.watching import FRAMES

pytestmark = [*BROWSERS, pytest.mark.timeout(120)]


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
async def test_what_a_browser_loses_on_its_way_up_is_repaired_and_told(browser: str) -> None:
    seen = msgspec.json.decode(await in_own_network(100, "tests.network.uplink", browser), type=Seen)

    # The relay asks for what is lost, the browser sends it again, and who watches lacks at most what is under way.
    assert seen.lost > 0, seen
    assert seen.nacks > seen.lost / 4, seen  # one may ask for several
    assert seen.sent.again > seen.lost / 2, seen
    assert seen.missing < seen.lost / 2, seen
    assert seen.sent.frames > SECONDS * FRAMES / 4, seen
    assert seen.frames > 0.7 * seen.sent.frames, seen
    assert seen.gap <= 1000, seen

    # Everybody is told, the one behind the link and the other: that packets are lost, too many, all of them; and no more.
    # Who is cut off is told as well, for signaling still comes through. Of a few packets of sound many may be lost at once.
    assert set(seen.qualities.pop("few")) <= {"good", "poor"}, seen
    expected = {"many": "poor", "all": "lost", "none": "excellent"}
    assert seen.qualities == {name: [quality, quality] for name, quality in expected.items()}, seen
    assert seen.own in ("good", "excellent"), seen  # what bob loses is not lost by ann
