"""`python -m tests.devices.matrix`: writes the matrix of drivers and faults into docs/devices.md.

Its cells are what the conformance suite asserts of each driver under each fault (`tests/devices/cases`).
"""

from __future__ import annotations

from pathlib import Path

from tests.devices.cases import CASES, Case
from tests.devices.cases.case import EVERY_FAULT

PAGE = Path(__file__).parents[2] / "docs" / "devices.md"
BEGIN, END = "<!-- matrix: written by `make matrix` -->", "<!-- end of matrix -->"


class MissingCells(Exception):
    """Some rows say nothing of some faults."""


def missing() -> list[str]:
    """`row: fault` of every cell that has neither an expectation nor a reason to be empty."""
    return [
        f"{case.name}: {fault}"
        for case in CASES.values()
        for fault in EVERY_FAULT
        if fault not in case.tested and fault not in case.without
    ]


def matrix() -> str:
    """The tables; raises MissingCells."""
    if gaps := missing():
        raise MissingCells(f"say in `faults` or `without` of the case what becomes of {', '.join(gaps)}")
    own = [
        f"| {case.name} | `{fault}` | {case.expected(fault).in_words()} |"
        for case in CASES.values()
        for fault in case.tested
        if fault not in EVERY_FAULT
    ]
    return "\n".join(
        [
            _row("", *(f"`{fault}`" for fault in EVERY_FAULT)),
            "|" + "---|" * (len(EVERY_FAULT) + 1),
            *(_row(case.name, *(_cell(case, fault) for fault in EVERY_FAULT)) for case in CASES.values()),
            "",
            *_reasons(),
            "",
            "Faults of their own:",
            "",
            "| | fault | |",
            "|---|---|---|",
            *own,
        ]
    )


def page(text: str) -> str:
    """`text` with its matrix renewed; raises MissingCells, ValueError when it has no place for one."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no place for the matrix: {BEGIN}")
    return f"{before}{BEGIN}\n{matrix()}\n{END}{after}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(case: Case, fault: str) -> str:
    return case.expected(fault).in_words() if fault in case.tested else "–"


def _reasons() -> list[str]:
    """Why cells are empty: each reason once, with its rows and faults."""
    reasons: dict[str, dict[str, list[str]]] = {}
    for case in CASES.values():
        for fault in EVERY_FAULT:
            if fault not in case.tested:
                reasons.setdefault(case.without[fault], {}).setdefault(case.name, []).append(f"`{fault}`")
    lines = []
    for reason, rows in reasons.items():
        alike: dict[str, list[str]] = {}
        for name, faults in rows.items():
            alike.setdefault(" ".join(faults), []).append(name)
        lines += [f"- {', '.join(names)}, {faults}: {reason}" for faults, names in alike.items()]
    return lines


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
