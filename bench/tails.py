"""How much later the slowest of many answers are than those of something else, and how finely that can be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

ROUNDS = 5  # each has a tail of its own


@dataclass(frozen=True)
class Later:
    """`value` and `resolution` in the unit measured: a difference smaller than its resolution is none that was seen."""

    value: float
    resolution: float

    @property
    def seen(self) -> bool:
        """It is larger than what two measurements of the same thing differ by."""
        return self.value > self.resolution

    @property
    def told(self) -> float:
        """The difference; nothing is earlier than what it is made of."""
        return max(self.value, 0.0)


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which a part (0..1) of them is."""
    return sorted(values)[int(len(values) * part)]


def later(taken: Sequence[float], than: Sequence[float], part: float = 0.99) -> Later:
    """Median over rounds of the difference of the tails; both in the order of their time, `ROUNDS` values at least each.

    The resolution is twice the median deviation of the rounds' differences from theirs.
    """
    differences = [
        percentile(one, part) - percentile(other, part)
        for one, other in zip(_rounds(taken), _rounds(than), strict=True)
    ]
    middle = median(differences)
    return Later(middle, 2 * median(abs(one - middle) for one in differences))


def _rounds(values: Sequence[float]) -> list[Sequence[float]]:
    size = len(values) // ROUNDS
    return [values[number * size : (number + 1) * size] for number in range(ROUNDS)]
