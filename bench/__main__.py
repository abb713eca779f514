"""`python -m bench`: what the relay, a join, poor links and devices cost here; a table, and `bench/results/latest.json`.

    python -m bench [--only relay|join|links|devices] [--turns 7] [--millis 400]

`relay` builds and runs the Rust bench (`relay/bench`): CPU per forwarded packet against the bare limit loop at the same
GSO run length, in turns in one run. `join` is the time from joining to the first decoded frame, with LiveKit's Python SDK
and in Chromium. `links` is what comes of a picture over a poor link (`bench/links.py`). `devices` is what all devices of 31
rooms cost, and how fast one obeys (`bench/devices.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
from pathlib import Path

import msgspec

from bench import browser_join, devices, join, links
from bench.record import RESULTS, record
from bench.rows import Row, table

ROOT = Path(__file__).resolve().parent.parent
WORKSPACE = ROOT / "relay" / "Cargo.toml"
LONGEST = 900.0
"""Seconds the Rust bench may take to build, and to run."""


def main() -> int:
    """Measure, print, write. 0 when everything could be measured, whether or not goals were met."""
    options = _parser().parse_args()
    rows: list[Row] = []
    if options.only in (None, "relay"):
        rows += _relay(options.turns, options.millis)
    if options.only in (None, "join"):
        rows.append(asyncio.run(join.measure()))
        rows += asyncio.run(browser_join.measure())
    if options.only in (None, "links"):
        rows += links.measured(links.parser().parse_args([]))
    if options.only in (None, "devices"):
        rows += devices.measured(devices.parser().parse_args([]))
    print(table(record(rows, alone=options.only is not None)))
    print(f"\nWritten to {RESULTS.relative_to(ROOT)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Costs of the relay, of joining, of poor links and of devices."
    )
    parser.add_argument("--only", choices=["relay", "join", "links", "devices"], help="measure one of them")
    parser.add_argument("--turns", type=int, default=7, help="repetitions of each forwarding measurement")
    parser.add_argument("--millis", type=int, default=400, help="length of one, ms")
    return parser


def _relay(turns: int, millis: int) -> list[Row]:
    cargo = ["cargo", "--quiet", "build", "--release", "--locked", "--package", "relay-bench"]
    subprocess.run([*cargo, "--manifest-path", str(WORKSPACE)], check=True, timeout=LONGEST)  # noqa: S603 - our own arguments
    target = Path(os.environ.get("CARGO_TARGET_DIR", WORKSPACE.parent / "target"))
    arguments = ["--turns", str(turns), "--millis", str(millis)]
    done = subprocess.run(  # noqa: S603 - our own program
        [target / "release" / "relay-bench", *arguments], stdout=subprocess.PIPE, check=False, timeout=LONGEST
    )
    if done.returncode:
        sys.exit("The forwarding bench failed (see above); are UDP ports 20000-20500 free?")
    return msgspec.json.decode(done.stdout, type=list[Row])


if __name__ == "__main__":
    sys.exit(main())
