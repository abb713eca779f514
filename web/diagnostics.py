"""`python -m web.diagnostics`: writes docs/diagnostics.md, every stable code with its sentences from the catalog."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from web.catalogs import Catalog, load_all

PAGE = Path(__file__).parent.parent / "docs" / "diagnostics.md"
LANGUAGES = ("en", "fr")
STEPS: Mapping[str, str] = {
    "agent_expected": "check_computer",
    "agent_silent": "check_computer",
    "agent_starting": "wait",
    "aside_silent": "check_device",
    "camera_silent": "check_camera",
    "clock_wrong": "check_clock",
    "content_silent": "check_content",
    "device_connecting": "wait",
    "device_stale": "check_device",
    "device_warns": "check_device",
    "disk_full": "free_disk",
    "display_replaced": "check_display",
    "display_silent": "check_display",
    "maintenance": "wait",
    "media_lost": "check_network",
    "mic_silent": "check_audio",
    "second_display_silent": "check_display",
    "signal_bad": "check_computer",
    "signal_stale": "check_computer",
    "speaker_silent": "check_audio",
}
"""The next step of each reason for a room's health; where its cause is known, the cause's own is told instead."""

_HEAD = """# Diagnostics

Every stable code: what it means, as people read it where it appears, what to do, and who can; in English and French. Made
from the catalog by `python -m web.diagnostics`. Places in braces are filled in: a device, a time.
"""
_PARTS = {
    "problem": ("Problems", "Answers of the control API, the agents' link and the panel (`wire/problems.py`)."),
    "health": ("Health", "Why a room is not ready, and the next step (`signaling/rooms/notices.py`)."),
    "config": ("Configuration", "Mistakes of a room's file, for its installer (`roomctl check`)."),
    "device": (
        "Devices",
        "What a driver says of its device, and the framework of a device that does not do what it said; then what becomes "
        "of one command (`devices/notices.py`).",
    ),
}
_COLUMNS = "| code | what it means | what to do | who can |\n|---|---|---|---|"


def page() -> str:
    """The whole page."""
    catalogs = load_all()
    return _HEAD + "".join(_part(prefix, [catalogs[one] for one in LANGUAGES]) for prefix in _PARTS)


def codes(catalog: Catalog, prefix: str) -> list[str]:
    """The stable codes of a part, sorted: what has a next step."""
    steps = [f"health.{name}" for name in STEPS]
    others = [key.removesuffix(".next") for key in catalog.sentences if key.endswith(".next")]
    return sorted(key for key in {*steps, *others} if key.startswith(f"{prefix}."))


def step(code: str) -> str:
    """The key of what to do about `code`."""
    name = code.removeprefix("health.")
    return f"health.next.{STEPS[name]}" if code != name else f"{code}.next"


def who(code: str) -> str:
    """The key of who can do it."""
    return f"{step(code).removesuffix('.next')}.who"


def _part(prefix: str, catalogs: list[Catalog]) -> str:
    title, words = _PARTS[prefix]
    rows = [_row(code, catalogs) for code in codes(catalogs[0], prefix)]
    return "\n".join(["", f"## {title}", "", words, "", _COLUMNS, *rows, ""])


def _row(code: str, catalogs: list[Catalog]) -> str:
    cells = [
        "<br>".join(_said(one, key) for one in catalogs)
        for key in (code, step(code), f"who.{_said(catalogs[0], who(code))}")
    ]
    return f"| `{code.removeprefix('problem.')}` | {' | '.join(cells)} |"


def _said(catalog: Catalog, key: str) -> str:
    sentence = catalog.sentences[key]
    return (sentence if isinstance(sentence, str) else sentence[1]).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
