"""One measured value: the shape of every line of `bench/results/latest.json`, and the table printed of it."""

from __future__ import annotations

import msgspec


class Row(msgspec.Struct, frozen=True):
    """A measured value, perhaps beside its limit; what is not known is None.

    `ratio` is `value / limit`, and should not be above `goal`; `spread` is (third - first quartile) / median of the
    repetitions: of the ratio, or of the value where there is no limit.
    """

    name: str
    value: float
    unit: str
    limit: float | None
    ratio: float | None
    goal: float | None
    spread: float
    conditions: dict[str, str]

    @property
    def met(self) -> bool | None:
        """Whether the goal was met; None without a goal."""
        measured = self.value if self.ratio is None else self.ratio
        return None if self.goal is None else measured <= self.goal


def table(rows: list[Row]) -> str:
    """The rows for a terminal, the common conditions below."""
    heads = ("name", "value", "unit", "limit", "ratio", "goal", "spread", "")
    verdicts = {True: "met", False: "missed", None: ""}
    lines = [
        (
            row.name,
            f"{row.value:.3f}",
            row.unit,
            _number(row.limit),
            _number(row.ratio),
            _number(row.goal),
            f"{row.spread:.0%}",
            verdicts[row.met],
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in [heads, *lines]) for column in range(len(heads))]
    printed = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in [heads, *lines]
    ]
    return "\n".join([*(line.rstrip() for line in printed), "", *_shared_conditions(rows)])


def _shared_conditions(rows: list[Row]) -> list[str]:
    """Conditions that are the same in every row that has them."""
    values: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.conditions.items():
            values.setdefault(name, set()).add(value)
    return [f"{name}: {value}" for name, found in values.items() if len(found) == 1 for value in found]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
