"""What a poor link does to Chromium behind it: the link's rate is found and kept, loss and jitter do not stop pictures.

These tell an estimator that works from one that does not, against a real receiver and on a busy machine too: bounds are such
that only the latter reaches them. How well it works is measured by the bench (bench/links.py), and over many seeds proven in
virtual time (relay/core/src/bwe/tests).
"""

from __future__ import annotations

import statistics

import msgspec
import pytest

from tests.network.estimate import CASES, RATE, SETTLE, THIN, WIDENS, Seen
from tests.network.links import QUEUE, in_own_network
from tests.network.marks import BROWSERS
from tests.network.watching import FRAMES, LAYERS

pytestmark = [*BROWSERS, pytest.mark.timeout(120)]


async def seen(case: str) -> Seen:
    """One case."""
    return msgspec.json.decode(await in_own_network(100, "tests.network.estimate", case), type=Seen)


def estimates(seen: Seen) -> list[int]:
    return [sample.estimate for sample in seen.settled() if sample.estimate is not None]


def width(seen: Seen) -> int:
    """Of the picture that was shown most of the time."""
    return statistics.mode(sample.width for sample in seen.settled())


def assert_short_queue(seen: Seen) -> None:
    """Packets seldom wait longer than 60 ms. Who does not see a queue grow has one so long half of the time, or fills it."""
    waits = [sample.waiting for sample in seen.settled()]
    assert statistics.quantiles(waits, n=4)[2] <= 60, seen
    assert seen.waiting()[1] < QUEUE / 2, seen
    assert seen.frozen < 1000, seen


async def test_a_narrow_link_is_filled_and_not_flooded() -> None:
    """2 Mbit/s for layers of 0.15, 0.5 and 1.65 Mbit/s.

    Beside other work the highest layer may be lost for some seconds, so what is above the middle layer is asserted.
    """
    found = await seen("narrow")
    assert 0.7 * RATE < statistics.median(estimates(found)) < 1.1 * RATE, found
    assert found.passed(SETTLE, CASES["narrow"].seconds) > 1.2 * LAYERS[1][2], found
    assert_short_queue(found)


@pytest.mark.parametrize("case", ["thin", "thin_detailed"])
async def test_a_link_for_the_middle_layer_shows_it(case: str) -> None:
    """1 Mbit/s; the key frames of one picture are many times as large as its others."""
    found = await seen(case)
    assert statistics.median(estimates(found)) < 1.2 * THIN, found
    assert width(found) == LAYERS[1][0], found
    assert_short_queue(found)


async def test_a_link_that_narrows_and_widens_is_followed() -> None:
    """10, 1 and again 10 Mbit/s."""
    found = await seen("changing")
    back = found.back(WIDENS)
    assert back is not None, found
    assert back <= 12, found
    assert found.gap <= 1000, found


@pytest.mark.parametrize("case", ["lossy", "slow"])
async def test_neither_loss_nor_jitter_makes_it_collapse(case: str) -> None:
    """10 % of all packets lost; or a round trip of 100 ms that varies by 20 ms each way."""
    found = await seen(case)
    assert min(estimates(found)) > 1.2 * LAYERS[0][2], found
    assert found.received > LAYERS[0][2], found
    assert width(found) == LAYERS[2][0], found
    assert found.frames > FRAMES / 3, found


async def test_a_busy_machine_is_no_narrow_link() -> None:
    """Nothing is withheld where only the processors are short, and the client is told that all is well."""
    found = await seen("busy")
    assert not any(sample.paused for sample in found.samples), found
    assert found.width == LAYERS[2][0], found
    assert found.quality == "excellent", found
