"""The page of diagnostics says what the catalog says, of every code: what it means, what to do, and who can."""

from __future__ import annotations

import re

import pytest

from devices.config import CODES
from devices.notices import ANSWERS, NOTICES
from signaling.rooms import notices
from signaling.rooms.verdict import OTHER, ROLES, SIGNALS
from web import LANGUAGES
from web.catalogs import WHO, load
from web.diagnostics import PAGE, STEPS, page, step, who
from wire.problems import Code

PROBLEMS = [f"problem.{code.value}" for code in Code]
HEALTH = [code for code in notices.NOTICES if re.fullmatch(r"health\.[a-z_]+", code)]
EVERY = [*PROBLEMS, *NOTICES, *ANSWERS, *sorted(CODES), *HEALTH]


def test_the_page_is_the_catalogs() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m web.diagnostics"


def test_every_code_is_on_it_once() -> None:
    text = page()
    assert [code for code in EVERY if text.count(f"\n| `{code.removeprefix('problem.')}` |") != 1] == []
    assert len(re.findall(r"^\| `", text, re.MULTILINE)) == len(EVERY), "and nothing else"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_says_what_it_means_what_to_do_and_who_can(language: str) -> None:
    said = load(language).sentences
    assert [code for code in EVERY if not {code, step(code), who(code)} <= said.keys()] == []
    assert [code for code in EVERY if said[who(code)] not in WHO] == []
    assert [one for one in WHO if f"who.{one}" not in said] == []


def test_who_can_is_no_matter_of_language() -> None:
    french, others = load("fr").sentences, [load(language).sentences for language in LANGUAGES]
    keys = [key for key in french if key.endswith(".who")]
    assert [key for key in keys if any(said[key] != french[key] for said in others)] == []


def test_a_cell_has_every_language_and_no_row_an_empty_one() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[2:-1]] for row in rows]
    assert all(
        len(row) == 3 and all(cell.count("<br>") == 1 and not cell.endswith("<br>") for cell in row) for row in cells
    )


def test_the_steps_of_health_are_those_that_rooms_are_told() -> None:
    told = {rule.silent: rule.next_step for rule in ROLES.values() if rule.silent != notices.ASIDE_SILENT}
    told |= {rule.replaced: rule.next_step for rule in ROLES.values() if rule.replaced}
    told |= {rule.because: rule.next_step for rule in (*SIGNALS.values(), OTHER)}
    assert {code: step(code) for code in told} == told
    assert {f"health.{name}" for name in STEPS} == set(HEALTH)
