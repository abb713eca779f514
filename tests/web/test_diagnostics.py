"""The page of diagnostics says what the catalog says, of every code."""

from __future__ import annotations

from web.diagnostics import PAGE, page
from wire.problems import Code


def test_the_page_is_the_catalogs() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m web.diagnostics"


def test_every_problem_is_on_it() -> None:
    text = page()
    assert [code for code in Code if f"| `{code.value}` |" not in text] == []
