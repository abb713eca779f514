"""Which language a page speaks: the person's own choice (cookie), then what the browser asks for, then French."""

from __future__ import annotations

from web.catalogs import LANGUAGES

LANGUAGE_COOKIE = "language"
DEFAULT_LANGUAGE = "fr"
_HEADER_LIMIT = 256  # characters of Accept-Language that are read


def preferred_language(cookie: str | None, accept_language: str | None) -> str:
    """One of `LANGUAGES`: the cookie's if we speak it, else the best of Accept-Language (RFC 9110 12.5.4), else French."""
    if cookie in LANGUAGES:
        return cookie
    for language in _asked((accept_language or "")[:_HEADER_LIMIT]):
        if language in LANGUAGES:
            return language
    return DEFAULT_LANGUAGE


def _asked(header: str) -> list[str]:
    """Primary subtags of Accept-Language, most wanted first; those with weight 0 are left out."""
    wanted: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, parameter = part.strip().partition(";")
        name, _, weight = parameter.strip().partition("=")
        try:
            quality = float(weight) if name.strip() == "q" else 1.0
        except ValueError:
            continue
        if tag and quality > 0:
            wanted.append((quality, tag.split("-")[0].lower()))
    return [language for _, language in sorted(wanted, key=lambda pair: -pair[0])]
