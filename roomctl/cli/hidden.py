"""What a report that is sent away must not hold: the secrets among a device's settings, and where it repeats them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from devices.marks import SECRET, Path, marked

LEFT_OUT = "(left out)"
NAMES = ("pass", "secret", "token", "community", "key", "user", "privacy", "pin", "code", "auth", "credential", "login")
"""In names of settings that are secret, for a package's driver whose schema marks none or cannot be read."""
SHORTEST = 4  # letters of a secret that is looked for in what a device said


def open_settings(
    settings: dict[str, Any], schema: type[msgspec.Struct] | None, *, ours: bool = False
) -> tuple[dict[str, Any], set[str]]:
    """The settings as they may be sent away, and the secrets that were left out. `ours`: the schema marks all there are."""
    marks = marked(settings, schema, SECRET) if schema is not None else []
    hidden = dict(marks if marks or ours else _by_name(settings, ()))
    return _shown(settings, (), hidden), {text for value in hidden.values() for text in _texts(value)}


def without(said: str, secrets: set[str]) -> str:
    """What was said, without the secrets."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST:
            said = said.replace(secret, LEFT_OUT)
    return said


def _texts(value: Any) -> Iterator[str]:
    """A secret as a device may repeat it; numbers too, and all of a table or list."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
    elif not isinstance(value, bool):
        yield str(value)


def _by_name(value: Any, at: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            if any(word in str(key).lower() for word in NAMES):
                yield (*at, key), one
            else:
                yield from _by_name(one, (*at, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _by_name(one, (*at, index))


def _shown(value: Any, at: Path, hidden: dict[Path, Any]) -> Any:
    if at in hidden and value:
        return LEFT_OUT
    if isinstance(value, dict):
        return {key: _shown(one, (*at, key), hidden) for key, one in value.items()}
    if isinstance(value, list):
        return [_shown(one, (*at, index), hidden) for index, one in enumerate(value)]
    if isinstance(value, str) and "://" in value:
        return re.split(r"[?;&=]", value)[0]  # an address may carry a token
    return value
