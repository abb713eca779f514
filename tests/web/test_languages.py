"""The person's choice first, then what the browser asks for, then French."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web import LANGUAGES, preferred_language


@pytest.mark.parametrize(
    ("cookie", "header", "expected"),
    [
        (None, None, "fr"),
        (None, "", "fr"),
        ("en", "fr", "en"),
        ("xx", "en", "en"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "es, en;q=0.5, fr;q=0.8", "fr"),
        (None, "en;q=0, fr;q=0.1", "fr"),
        (None, "es", "fr"),
        (None, "en;q=much, fr", "fr"),
        (None, "*", "fr"),
    ],
)
def test_choice(cookie: str | None, header: str | None, expected: str) -> None:
    assert preferred_language(cookie, header) == expected


@given(st.none() | st.text(max_size=20), st.none() | st.text(max_size=400))
def test_anything_sent_gives_a_language_we_speak(cookie: str | None, header: str | None) -> None:
    assert preferred_language(cookie, header) in LANGUAGES
