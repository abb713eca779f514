"""`python -m web.diagnostics`: writes docs/diagnostics.md, every stable code with its sentences from the catalog."""

from __future__ import annotations

from pathlib import Path

from web.catalogs import Catalog, load_all

PAGE = Path(__file__).parent.parent / "docs" / "diagnostics.md"
_HEAD = """# Diagnostics

Every stable code, and what people read where it appears. Made from the catalog by `python -m web.diagnostics`.
Places in braces are filled in: a device, a time.
"""
_PARTS = {
    "problem": ("Problems", "Answers of the control API, the agents' link and the panel (`wire/problems.py`)."),
    "health": ("Health", "Why a room is not ready, and the next step (`signaling/rooms/notices.py`)."),
    "config": ("Configuration", "Mistakes of a room's file, for its installer (`roomctl check`)."),
    "device": ("Devices", "What a driver says of its device (`devices/notices.py`)."),
}


def page() -> str:
    """The whole page."""
    catalogs = load_all()
    return _HEAD + "".join(_part(prefix, catalogs["en"], catalogs["fr"]) for prefix in _PARTS)


def _part(prefix: str, english: Catalog, french: Catalog) -> str:
    title, words = _PARTS[prefix]
    rows = [
        f"| `{key.removeprefix('problem.')}` | {_said(english, key)} | {_said(french, key)} |"
        for key in sorted(english.sentences)
        if key.startswith(f"{prefix}.")
    ]
    return "\n".join(["", f"## {title}", "", words, "", "| code | English | Français |", "|---|---|---|", *rows, ""])


def _said(catalog: Catalog, key: str) -> str:
    sentence = catalog.sentences[key]
    return (sentence if isinstance(sentence, str) else sentence[1]).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
