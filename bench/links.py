"""What comes of a picture over a poor link: how much of it is used, how long packets wait, how soon it is followed.

    python -m bench.links [--turns 3] [--only narrow|thin|changing|lossy|slow|chromium|firefox]

The cases of tests/network/estimate.py (Chromium behind a link that is narrow, changes, loses or is slow) and the browsers
of tests/network/uplink.py, whose own packets are lost on their way to the relay. Each runs `--turns` times in a network
namespace of its own, which needs root; a row is the median of the turns, the worst of them is in its conditions.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from bench.record import record
from bench.rows import Row, table
from tests.network import uplink
from tests.network.estimate import CASES, DELAY, JITTER, LOSS, RATE, SETTLE, THIN, WIDE, WIDENS, Seen
from tests.network.links import in_own_network
from tests.network.watching import LAYERS

TURNS = 3
LONGEST = 110.0
"""Seconds one run may take, its browsers' start included."""
BROWSERS = ("chromium", "firefox")
"""Whose packets are lost on their way up."""


@dataclass(frozen=True)
class Figure:
    """What is taken of each run of a case; less is better, and it should not be above `goal`."""

    name: str
    unit: str
    goal: float
    of: Callable[[Seen], float]


def unused(seen: Seen) -> float:
    """The part of a link of RATE that nothing passed in, once settled, %."""
    return 100 * (1 - seen.passed(SETTLE, seen.samples[-1].at) / RATE)


def below(seen: Seen) -> float:
    """The part of the time, once settled, in which the picture was not that of the highest layer, %."""
    settled = seen.settled()
    return 100 * sum(sample.width < LAYERS[-1][0] for sample in settled) / len(settled)


def recovery(seen: Seen) -> float:
    """Seconds until a link that widened again shows what it did before; all that were watched when it never does."""
    back = seen.back(WIDENS)
    return seen.samples[-1].at - WIDENS if back is None else back


FIGURES: dict[str, Sequence[Figure]] = {
    "narrow": (
        Figure("link_narrow_unused", "% of the link", 15.0, unused),
        Figure("link_narrow_queue_p95", "ms", 60.0, lambda seen: seen.waiting()[1]),
    ),
    "thin": (Figure("link_thin_queue_p95", "ms", 60.0, lambda seen: seen.waiting()[1]),),
    "changing": (
        Figure("link_widened_recovery", "s", 6.0, recovery),
        Figure("link_narrowed_gap", "ms", 500.0, lambda seen: seen.gap),
    ),
    "lossy": (Figure("link_lossy_below_highest", "% of the time", 5.0, below),),
    "slow": (Figure("link_slow_below_highest", "% of the time", 5.0, below),),
}

LINKS = {
    "narrow": f"{RATE / 1e6:g} Mbit/s",
    "thin": f"{THIN / 1e6:g} Mbit/s",
    "changing": f"{WIDE / 1e6:g}, {THIN / 1e6:g}, {WIDE / 1e6:g} Mbit/s",
    "lossy": f"{LOSS} % lost",
    "slow": f"{2 * DELAY:g} ms there and back, ± {2 * JITTER:g} ms",
}
"""What the link of a case is, for people."""


def row(name: str, unit: str, goal: float, taken: Sequence[float], link: str) -> Row:
    """The median of the turns."""
    median = statistics.median(taken)
    first, _, third = statistics.quantiles(taken, n=4) if len(taken) > 1 else (median, median, median)
    spread = (third - first) / median if median else 0.0
    conditions = {"link": link, "turns": str(len(taken)), "worst": f"{max(taken):.1f} {unit}"}
    return Row(name, round(median, 2), unit, None, None, goal, round(spread, 3), conditions)


async def over(case: str, turns: int) -> list[Row]:
    """The figures of Chromium behind a poor link."""
    runs = []
    for _ in range(turns):
        said = await in_own_network(LONGEST, "tests.network.estimate", case)
        runs.append(msgspec.json.decode(said, type=Seen))
    return [row(one.name, one.unit, one.goal, [one.of(seen) for seen in runs], LINKS[case]) for one in FIGURES[case]]


async def up(browser: str, turns: int) -> list[Row]:
    """The longest time between two frames that others see of a browser whose packets are lost."""
    gaps = []
    for _ in range(turns):
        said = await in_own_network(LONGEST, "tests.network.uplink", browser)
        gaps.append(msgspec.json.decode(said, type=uplink.Seen).gap)
    return [row(f"uplink_gap_{browser}", "ms", 500.0, gaps, f"{uplink.LOSS} % lost on the way up")]


def parser() -> argparse.ArgumentParser:
    """What can be asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--only", choices=[*FIGURES, *BROWSERS], help="one of them")
    return parser


def measured(asked: argparse.Namespace) -> list[Row]:
    """The rows of what is asked; none, with a word, where no network namespace can be made."""
    if os.geteuid() != 0:
        print("Links are not measured: a network namespace needs root.", file=sys.stderr)
        return []
    rows = []
    for name in (asked.only,) if asked.only else (*FIGURES, *BROWSERS):
        rows += asyncio.run((over if name in CASES else up)(name, asked.turns))
    return rows


def main() -> None:
    """Print the table, and keep its rows."""
    print(table(record(measured(parser().parse_args()), alone=True)))


if __name__ == "__main__":
    main()
