"""A difference of tails is told only where it is larger than that of the same thing measured twice."""

from __future__ import annotations

import random

import pytest

from bench.tails import ROUNDS, later, percentile

COUNT = 124 * ROUNDS


def answers(dice: random.Random, *, more: float = 0.0) -> list[float]:
    """Milliseconds with a long tail."""
    return [0.8 + more + dice.expovariate(4) for _ in range(COUNT)]


def test_the_tail_is_where_a_part_lies_below() -> None:
    assert percentile([3.0, 1.0, 2.0, 4.0], 0.5) == 3.0
    assert percentile([float(one) for one in range(100)], 0.99) == 99.0


@pytest.mark.parametrize("seed", range(8))
def test_what_is_later_is_told(seed: int) -> None:
    dice = random.Random(seed)
    over = later(answers(dice, more=5.0), answers(dice))
    assert over.seen
    assert 4 < over.value == over.told < 6


def test_the_same_is_told_to_be_below_what_can_be_told_and_never_to_be_earlier() -> None:
    found = [later(answers(dice), answers(dice)) for dice in map(random.Random, range(20))]
    assert sum(one.seen for one in found) <= 5
    assert min(one.value for one in found) < 0 == min(one.told for one in found)


def test_one_slow_round_changes_little() -> None:
    dice = random.Random(1)
    taken, own = answers(dice, more=5.0), answers(dice)
    taken[:50] = [500.0] * 50
    assert 4 < later(taken, own).value < 6
