"""The matrix in docs/devices.md is complete and says what the suite asserts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from devices.registry import BUILT_IN
from tests.devices import matrix
from tests.devices.cases import CASES


def test_every_driver_has_a_row_and_every_row_every_cell() -> None:
    assert {case.driver for case in CASES.values()} == set(BUILT_IN), "each driver needs a case in tests/devices/cases"
    assert matrix.missing() == [], "say in `faults` or `without` of the case what becomes of these"


def test_the_committed_matrix_is_what_the_suite_asserts() -> None:
    text = matrix.PAGE.read_text(encoding="utf-8")
    assert matrix.page(text) == text, "run `make matrix` and commit docs/devices.md"


def test_a_missing_cell_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES["pjlink"]
    silent_forgotten = tuple(fault for fault in case.faults if fault != "silent")
    monkeypatch.setitem(CASES, "pjlink", replace(case, faults=silent_forgotten))
    assert matrix.missing() == ["pjlink: silent"]
    with pytest.raises(matrix.MissingCells, match="pjlink: silent"):
        matrix.matrix()
