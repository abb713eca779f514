"""Pages as HTML: data cannot break out, the right files are named, errors have words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from web import Pages, PagesNotBuilt, content_security_policy
from wire.problems import Code, Problem

_MANIFEST = {
    "src/pages/start/main.tsx": {
        "file": "assets/start-1.js",
        "css": ["assets/start-1.css"],
        "imports": ["_shared.js"],
        "isEntry": True,
    },
    "src/pages/message/main.tsx": {"file": "assets/message-1.js", "imports": ["_shared.js"]},
    "_shared.js": {"file": "assets/shared-1.js", "css": ["assets/base-1.css"], "imports": ["_deep.js"]},
    "_deep.js": {"file": "assets/deep-1.js"},
    ".build/catalogs/fr.json": {"file": "assets/fr-1.js", "isDynamicEntry": True},
}


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_text(json.dumps(_MANIFEST))
    return tmp_path


def _island(html: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found
    island = json.loads(found[1])
    assert isinstance(island, dict)
    return island


def test_the_page_names_its_files_and_those_they_need(dist: Path) -> None:
    html = Pages(dist).render("start", language="fr")
    assert re.findall(r'<link rel="stylesheet" href="(.*?)">', html) == [
        "/static/assets/base-1.css",
        "/static/assets/start-1.css",
    ]
    assert re.findall(r'<link rel="modulepreload" href="(.*?)">', html) == [
        "/static/assets/deep-1.js",
        "/static/assets/shared-1.js",
        "/static/assets/fr-1.js",
    ]
    assert '<script type="module" src="/static/assets/start-1.js"></script>' in html
    assert '<html lang="fr">' in html


def test_data_cannot_end_its_script(dist: Path) -> None:
    evil = "</script><script>alert(1)</script><!-- \u2028"
    html = Pages(dist, clock=lambda: 12.5).render("start", language="fr", data={"name": evil}, title=evil)
    assert html.count("<script") == 2
    assert "<!--" not in html
    assert _island(html) == {"page": "start", "language": "fr", "now": 12.5, "data": {"name": evil}}


def test_structs_may_be_data(dist: Path) -> None:
    html = Pages(dist).render("start", language="fr", data={"problem": Problem(Code.NOT_FOUND, "x")})
    assert _island(html)["data"] == {"problem": {"code": "not_found", "message": "x"}}


def test_no_inline_script_or_style_is_needed(dist: Path) -> None:
    html = Pages(dist).render("message", language="fr", data={"problem": {"code": "not_found", "reference": None}})
    assert not re.search(r"<script(?![^>]*(?:src=|application/json))", html)
    assert " style=" not in html
    assert "<style" not in html
    assert not re.search(r"\son[a-z]+=", html)
    assert "unsafe" not in content_security_policy("wss://media.example.org")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("link_expired", "Ce lien a expiré."),
        ("meeting_over", "La réunion est terminée."),
        ("unauthenticated", "réservée à l’informatique"),
        ("a_code_from_the_future", "mal passé de notre côté"),
    ],
)
def test_a_message_says_what_and_what_to_do(dist: Path, code: str, words: str) -> None:
    html = Pages(dist).render("message", language="fr", data={"problem": {"code": code, "reference": "R-17"}})
    assert words in html
    assert "R-17" in html
    assert code not in html.split('id="data"')[0]


def test_without_a_build_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PagesNotBuilt, match="npm ci"):
        Pages(tmp_path).render("start", language="fr")


def test_a_page_that_was_not_built_is_told(dist: Path) -> None:
    with pytest.raises(PagesNotBuilt, match="panel"):
        Pages(dist).render("panel", language="fr")


def test_a_new_build_is_seen(dist: Path) -> None:
    pages = Pages(dist)
    pages.render("start", language="fr")
    manifest = dist / ".vite" / "manifest.json"
    manifest.write_text(json.dumps({"src/pages/start/main.tsx": {"file": "assets/start-2.js"}}))
    assert "/static/assets/start-2.js" in pages.render("start", language="fr")
