"""Whoever reads the documentation arrives where its links and pictures say: files and headings exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGES = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")])
_LINK = re.compile(r"\[[^\]]*\]\((?P<to>[^)\s]+)\)")
_CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)


def _anchors(page: Path) -> set[str]:
    """Names of the headings, as a forge makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    dead = []
    for link in _LINK.finditer(_CODE.sub("", page.read_text())):
        to, _, anchor = link["to"].partition("#")
        if re.match(r"[a-z]+:", link["to"]):
            continue
        target = page if not to else page.parent / to
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in _anchors(target)):
            dead.append(link["to"])
    assert dead == []


def test_the_pictures_kept_are_those_that_are_shown() -> None:
    shown = {
        link["to"].rpartition("/")[2]
        for page in PAGES
        for link in _LINK.finditer(page.read_text())
        if "images/" in link["to"]
    }
    assert {path.name for path in (REPOSITORY / "docs" / "images").iterdir()} == shown
