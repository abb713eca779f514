"""What is taken of a run over a poor link."""

from __future__ import annotations

from bench.links import FIGURES, LINKS, below, recovery, row, unused
from tests.network.estimate import CASES, RATE, SETTLE, WIDENS, Sample, Seen
from tests.network.watching import LAYERS

HIGH, LOW = LAYERS[-1][0], LAYERS[0][0]


def run(widths: list[int], part: float = 1.0, seconds: float = 40.0) -> Seen:
    """So many widths spread over a time; `part` of a link of RATE was passed."""
    samples = []
    for number, width in enumerate(widths):
        at = seconds * number / (len(widths) - 1)
        passed = round(part * RATE / 8 * at)
        samples.append(Sample(at, RATE, 0, 0, width, passed, 0, 0, False, 0, 0, 1.0))
    return Seen(samples, 0, widths[-1], 12, 0, 0, "good")


def test_what_was_not_used_of_a_link() -> None:
    assert round(unused(run([HIGH] * 41, part=0.9))) == 10


def test_the_part_of_the_time_without_the_highest_layer_begins_where_it_has_settled() -> None:
    assert below(run([LOW] * int(SETTLE) + [HIGH] * (41 - int(SETTLE)))) == 0
    assert round(below(run([HIGH] * 23 + [LOW] * 18))) == 50


def test_a_link_that_widened_is_back_when_the_picture_is_and_else_not_before_the_end() -> None:
    wide, thin = int(WIDENS) - 2, int(WIDENS) + 4
    assert recovery(run([HIGH] * wide + [LOW] * (thin - wide) + [HIGH] * (41 - thin))) == 4
    assert recovery(run([HIGH] * wide + [LOW] * (41 - wide))) == 40 - WIDENS


def test_the_median_of_the_turns_is_held_against_the_goal_and_the_worst_is_told() -> None:
    one = row("x", "ms", 60.0, [50.0, 90.0, 40.0], "thin")
    assert (one.value, one.met, one.conditions["worst"]) == (50.0, True, "90.0 ms")
    assert row("x", "ms", 60.0, [61.0], "thin").met is False
    assert row("x", "ms", 60.0, [0.0, 0.0], "thin").spread == 0


def test_each_case_that_is_measured_is_one_and_says_what_its_link_is() -> None:
    assert set(FIGURES) == set(LINKS) <= set(CASES)
