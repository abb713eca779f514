"""docs/limits.md: every bound names the tests that show it, every reason the relay counts is there."""

from __future__ import annotations

import re
from pathlib import Path

from relay.metrics import COUNTERS

ROOT = Path(__file__).parents[1]
DOCS = (ROOT / "docs/limits.md").read_text()
ROWS = [line for line in DOCS.splitlines() if line.startswith("| ") and not line.startswith("| of |")]


def names_of_tests() -> set[str]:
    """Names of all tests, Rust's (a function under `#[test]`) and Python's."""
    rust = (path.read_text() for part in ("core", "engine") for path in (ROOT / "relay" / part).rglob("*.rs"))
    python = (path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    names = {name for text in rust for name in re.findall(r"#\[test\]\s+fn (\w+)", text)}
    return names | {name for text in python for name in re.findall(r"(?m)^(?:async )?def (test_\w+)", text)}


def test_every_bound_names_tests_that_are_there() -> None:
    known = names_of_tests()
    assert len(ROWS) > 50
    for row in ROWS:
        cells = row.strip("| ").split(" | ")
        assert len(cells) == 5, row
        named = re.findall(r"`(\w+)`", cells[4])
        assert named, row
        assert set(named) <= known, (row, set(named) - known)


def test_every_reason_is_explained() -> None:
    reasons = re.findall(r'Self::\w+ => "(\w+)"', (ROOT / "relay/core/src/drop.rs").read_text())
    streams = re.findall(r'Self::\w+ => "(\w+)"', (ROOT / "relay/engine/src/streams.rs").read_text())
    others = ["send_failed", "events_refused", "stream_full"]
    assert len(reasons) > 30 and len(streams) == 5
    missing = [reason for reason in [*reasons, *streams, *others] if f"`{reason}`" not in DOCS]
    assert missing == []


def test_every_metric_of_the_relay_is_in_the_operators_guide() -> None:
    guide = (ROOT / "docs/operations.md").read_text().split("## Metrics")[1].split("\n## ")[0]
    named = set(re.findall(r"`(?:roomctl_relay)?_(\w+)_total", guide))
    assert named == {*COUNTERS, "dropped_packets"}
    used = set(re.findall(r"roomctl_relay_(\w+)_total[\[{]", guide))
    assert used <= named and len(used) == 4
