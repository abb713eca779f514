"""The one catalog per language: gettext `.po` with keys as msgid, read by Jinja here and compiled to JSON for the browser.

`python -m web` writes `web/.build/catalogs/<language>.json`: each key has a string, or two where the sentence
has a plural (msgid_plural): form 0 for "one" as CLDR has it for the language, form 1 otherwise. Places are `{name}`.

What a code means stands under the code (`device.lamp`), what to do under `CODE.next`, and who can under `CODE.who`: no
sentence but one of `WHO`, whose words are `who.…`. What only docs/diagnostics.md says is not compiled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from babel.core import Locale
from babel.messages.pofile import read_po

Sentence = str | tuple[str, str]
Argument = str | int | float

TRANSLATIONS = Path(__file__).parent / "translations"
COMPILED = Path(__file__).parent / ".build" / "catalogs"
LANGUAGES = tuple(sorted(path.stem for path in TRANSLATIONS.glob("*.po")))
WHO = ("anyone", "host", "it", "installer")
_ON_PAPER = re.compile(r"config\..+|problem\..+\.who")
_PLACE = re.compile(r"\{(\w+)\}")


class CatalogError(ValueError):
    """A catalog that cannot be shipped: an empty sentence, or a key given twice."""


class Catalog:
    """The sentences of one language."""

    def __init__(self, language: str, sentences: Mapping[str, Sentence]) -> None:
        self.language = language
        self.sentences = dict(sentences)
        self._plural = Locale.parse(language).plural_form

    def text(self, key: str, args: Mapping[str, Argument] | None = None, *, count: int | None = None) -> str:
        """The sentence of `key` with its places filled; `count` chooses the plural form and fills `{count}`."""
        sentence = self.sentences[key]
        filled: dict[str, Argument] = dict(args or {})
        if count is not None:
            filled.setdefault("count", count)
        if isinstance(sentence, tuple):
            sentence = sentence[0 if self._plural(count if count is not None else 1) == "one" else 1]
        return _PLACE.sub(lambda place: str(filled.get(place[1], "")), sentence)

    def __contains__(self, key: object) -> bool:
        return key in self.sentences


def places(sentence: Sentence) -> set[str]:
    """The names of the places in a sentence, over both of its forms."""
    forms = (sentence,) if isinstance(sentence, str) else sentence
    return {name for form in forms for name in _PLACE.findall(form)}


def load(language: str, folder: Path = TRANSLATIONS) -> Catalog:
    """Read one catalog. Raises CatalogError for empty sentences and for syntax errors."""
    with (folder / f"{language}.po").open("rb") as file:
        messages = read_po(file, locale=language, abort_invalid=True)
    sentences: dict[str, Sentence] = {}
    for message in messages:
        if not message.id:
            continue
        key = message.id if isinstance(message.id, str) else message.id[0]
        value = message.string if isinstance(message.string, str) else tuple(message.string or ())
        if not value or not all(value):
            raise CatalogError(f"{language}: {key} has no sentence")
        forms = [_spaced(form, language) for form in ([value] if isinstance(value, str) else value)]
        sentences[key] = forms[0] if isinstance(value, str) else (forms[0], forms[1])
    return Catalog(language, sentences)


def _spaced(text: str, language: str) -> str:
    """French sets ` :` ` ;` ` ?` `« »` apart with a space that does not break."""
    return re.sub(r" (?=[:;?!»%])|(?<=«) ", "\u00a0", text) if language == "fr" else text


def load_all() -> dict[str, Catalog]:
    """Every catalog by language."""
    return {language: load(language) for language in LANGUAGES}


def compile_all(target: Path = COMPILED) -> list[Path]:
    """Write the browser's JSON; a file that would not change is left alone. Returns the paths."""
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for language, catalog in load_all().items():
        path = target / f"{language}.json"
        sentences = {key: said for key, said in catalog.sentences.items() if not _ON_PAPER.fullmatch(key)}
        text = json.dumps(sentences, ensure_ascii=False, indent=0, sort_keys=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
        written.append(path)
    return written
