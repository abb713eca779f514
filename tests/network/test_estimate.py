"""What a poor link does to Chromium behind it: the link's rate is found and kept, loss and jitter do not stop pictures.

The bounds are wide, for a busy machine shapes traffic too. Seen on two idle cores with the picture of `watching.film`: see
each test. These show that the estimator holds against a real receiver; its figures are proven in virtual time
(relay/core/src/bwe/tests).
"""

from __future__ import annotations

import os
import statistics

import msgspec
import pytest

from tests.network.estimate import RATE, Seen
from tests.network.links import in_own_network
from tests.network.watching import LAYERS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(os.geteuid() != 0, reason="making a network namespace needs root"),
]


async def seen(case: str) -> Seen:
    """One case."""
    return msgspec.json.decode(await in_own_network(100, "tests.network.estimate", case), type=Seen)


def estimates(seen: Seen) -> list[int]:
    return [sample.estimate for sample in seen.settled() if sample.estimate is not None]


async def test_a_narrow_link_is_filled_and_not_flooded() -> None:
    """2 Mbit/s for layers of 0.15, 0.5 and 1.5 Mbit/s.

    Seen: the highest layer from the first second on, 1.52 Mbit/s, estimate 2.0 to 2.2 Mbit/s, no freeze; packets waited
    24 ms at the median and 62 ms at p95.
    """
    found = await seen("narrow")
    assert statistics.median(estimates(found)) > 0.4 * RATE, found
    assert statistics.median(estimates(found)) < 1.5 * RATE, found
    assert found.received > LAYERS[0][2], found
    assert found.waiting()[0] < 150, found


@pytest.mark.parametrize("case", ["lossy", "slow"])
async def test_neither_loss_nor_jitter_makes_it_collapse(case: str) -> None:
    """10 % of all packets lost; or a round trip of 100 ms that varies by 20 ms each way."""
    found = await seen(case)
    assert min(estimates(found)) > 1.2 * LAYERS[0][2], found
    assert found.received > LAYERS[0][2], found
    assert found.width >= LAYERS[1][0], found
    assert found.frames > 5, found
