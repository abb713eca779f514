"""One catalog per language: complete, used, and with words for everything that signaling and devices may say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from devices.config import CODES
from devices.notices import ANSWERS, NOTICES
from web import LANGUAGES
from web.catalogs import WHO, CatalogError, load, load_all, places
from wire.problems import Code

WEB = Path(__file__).parents[2] / "web"
REPOSITORY = WEB.parent
_LITERAL = re.compile(r"""['"`]([a-z_]+(?:\.[a-z_0-9]+)+)['"`]""")
_PATTERN = re.compile(r"`([a-z_]+\.[a-z_.]*(?:\$\{[^}`]+\}[a-z_.]*)+)`")
_NOTICE = re.compile(r"""["']((?:health|call|device)\.[a-z_]+(?:\.[a-z_]+)*)["']""")
_NOTICE_SOURCES = ("signaling/rooms/notices.py", "devices/notices.py", "devices/errors.py", "devices/runner.py")


def test_every_language_has_the_same_keys() -> None:
    catalogs = load_all()
    keys = {language: set(catalog.sentences) for language, catalog in catalogs.items()}
    assert {"fr", "en"} <= keys.keys()
    for language in keys:
        assert keys[language] - keys["fr"] == set(), f"only in {language}"
        assert keys["fr"] - keys[language] == set(), f"missing in {language}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_have_the_same_places_and_forms(language: str) -> None:
    french, other = load("fr").sentences, load(language).sentences
    for key, sentence in french.items():
        assert places(other[key]) - {"count"} == places(sentence) - {"count"}, key
        assert isinstance(other[key], str) == isinstance(sentence, str), f"{key}: one has a plural, the other not"


def test_every_key_is_used_somewhere() -> None:
    used = _used_keys()
    patterns = [re.compile(pattern) for pattern in _used_patterns()]
    unused = [
        key
        for key in load("fr").sentences
        if key not in used and not any(pattern.fullmatch(key) for pattern in patterns)
    ]
    assert unused == []


def test_every_key_used_in_templates_exists() -> None:
    known = load("fr").sentences
    for template in (WEB / "templates").glob("*.html"):
        for key in re.findall(r"""t\("([^"]+)"[,)]""", template.read_text()):
            assert key in known, f"{template.name}: {key}"


def test_every_refusal_has_words() -> None:
    known = load("fr").sentences
    assert [code for code in Code if f"problem.{code}" not in known] == []


def test_every_notice_has_words() -> None:
    known = load("fr").sentences
    assert [code for code in sorted(_notices()) if code not in known] == []


def test_wordings_of_signaling_are_those_of_the_catalog() -> None:
    notices = pytest.importorskip("signaling.rooms.notices").NOTICES
    french, english = load("fr").sentences, load("en").sentences
    for code, wording in notices.items():
        assert places(french[code]) == places(wording.fr), code
        assert english[code] == wording.en, code


@pytest.mark.parametrize(("language", "apart"), [("fr", "\u00a0: "), ("en", ": ")])
def test_what_a_device_says_begins_with_its_name_so_that_a_row_that_has_it_can_leave_it_out(
    language: str, apart: str
) -> None:
    sentences = load(language).sentences
    assert [code for code in (*NOTICES, *ANSWERS) if not str(sentences[code]).startswith("{device}" + apart)] == []


def test_words_of_devices_are_those_of_the_catalog() -> None:
    french, english = load("fr").sentences, load("en").sentences
    for code, words in {**NOTICES, **ANSWERS}.items():
        assert (english[code], english[f"{code}.next"]) == (words.en, words.en_next), code
        assert english[f"{code}.who"] == words.who, code
        said = str(french[code]).replace("\u00a0", " "), str(french[f"{code}.next"]).replace("\u00a0", " ")
        assert said == (words.fr, words.fr_next), code


def test_plural_forms() -> None:
    french, english = load("fr"), load("en")
    assert [french.text("room.seats", count=n) for n in (0, 1, 2)] == ["0 place", "1 place", "2 places"]
    assert [english.text("room.seats", count=n) for n in (0, 1, 2)] == ["0 seats", "1 seat", "2 seats"]


def test_french_signs_do_not_stand_alone_on_a_line() -> None:
    for key, sentence in load("fr").sentences.items():
        for form in (sentence,) if isinstance(sentence, str) else sentence:
            assert not re.search(r" [:;?!»]|« ", form), key


def test_an_empty_sentence_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fr.po").write_text('msgid ""\nmsgstr "Language: fr\\n"\n\nmsgid "a.b"\nmsgstr ""\n')
    with pytest.raises(CatalogError, match=r"a\.b"):
        load("fr", tmp_path)


def _sources() -> list[str]:
    pages = [
        path for suffix in ("ts", "tsx") for path in (WEB / "src").rglob(f"*.{suffix}") if ".test." not in path.name
    ]
    return [path.read_text() for path in [*pages, *(WEB / "templates").glob("*.html")]]


def _used_keys() -> set[str]:
    used = {key for text in _sources() for key in _LITERAL.findall(text)}
    return used | _notices() | {f"title.{path.name}" for path in (WEB / "src" / "pages").iterdir()}


def _used_patterns() -> list[str]:
    """Keys put together in code: `join.${source}_off` may be any word in its place. A notice's code is no such thing."""
    return [
        re.sub(r"\\\$\\\{.+?\\\}", "[a-z0-9_]+", re.escape(pattern))
        for text in _sources()
        for pattern in _PATTERN.findall(text)
    ]


def _notices() -> set[str]:
    codes = {code for path in _NOTICE_SOURCES for code in _NOTICE.findall((REPOSITORY / path).read_text())}
    codes |= {*NOTICES, *ANSWERS, *CODES, *(f"problem.{code.value}" for code in Code)}
    beside = {f"{code}{end}" for code in codes for end in (".next", ".who")}  # what to do about each, and who can
    return codes | (beside & load("fr").sentences.keys()) | {f"who.{one}" for one in WHO}
