"""The bench's rows: goals, and the table."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bench.record import record
from bench.rows import Row, table


def row(name: str, *, value: float, ratio: float | None, goal: float | None, **conditions: str) -> Row:
    return Row(name, value, "ms", None, ratio, goal, 0.05, conditions)


def test_a_goal_is_held_against_the_ratio_where_there_is_one() -> None:
    assert row("a", value=900, ratio=1.1, goal=1.15).met is True
    assert row("a", value=1, ratio=1.2, goal=1.15).met is False
    assert row("a", value=900, ratio=None, goal=500).met is False
    assert row("a", value=900, ratio=None, goal=None).met is None


def test_the_table_names_what_all_rows_share() -> None:
    printed = table(
        [
            row("first", value=1, ratio=1.2, goal=1.15, cpu="x", run="1"),
            row("second", value=2.5, ratio=None, goal=None, cpu="x", run="4"),
        ]
    )
    lines = printed.splitlines()
    assert lines[1].split() == ["first", "1.000", "ms", "1.200", "1.150", "5%", "missed"]
    assert "cpu: x" in lines
    assert not any(line.startswith("run:") for line in lines)


def test_no_rows_make_an_empty_table() -> None:
    assert table([]).startswith("name")


def test_a_part_measured_alone_takes_the_place_of_its_own_rows(tmp_path: Path) -> None:
    file = tmp_path / "results" / "latest.json"

    def kept() -> dict[str, float]:
        return {one.name: one.value for one in msgspec.json.decode(file.read_bytes(), type=list[Row])}

    first, second = row("first", value=1, ratio=None, goal=2), row("second", value=2, ratio=None, goal=2)
    printed = record([first, second], alone=False, file=file)
    assert all("machine" in one.conditions for one in printed)
    record([row("second", value=3, ratio=None, goal=2)], alone=True, file=file)
    assert kept() == {"first": 1, "second": 3}
    record([second], alone=False, file=file)
    assert kept() == {"second": 2}
