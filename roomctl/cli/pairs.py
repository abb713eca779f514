"""`KEY=VALUE` words of the command line: values by the type of their key, secrets from elsewhere, completion."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import msgspec
from click.shell_completion import CompletionItem

from devices.capabilities import OPERATIONS
from devices.registry import Registry

LARGEST = 64 * 1024  # bytes of a file that holds a value

Kind = type[msgspec.Struct] | None


def pairs(words: Iterable[str], kind: Kind = None) -> dict[str, Any]:
    """`key=value` words as the fields of `kind` take them; raises BadParameter for a word without `=`.

    `key=@FILE` is the first line of a file, and `key=@-` is asked for, or read from the standard input: neither is seen in
    the list of processes nor kept in the shell's history.
    """
    fields = {one.encode_name: one.type for one in msgspec.structs.fields(kind)} if kind is not None else {}
    found: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{word!r} is not key=value")
        found[key] = _elsewhere(key, text[1:]) if text.startswith("@") else value_of(text, fields.get(key, Any))
    return found


def value_of(text: str, kind: Any = Any) -> Any:
    """`text` as TOML understands it (a number, true, a quoted string, a table) where `kind` takes that, else as it is."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return text if not _fits(value, kind) and _fits(text, kind) else value


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, TypeError):
        return False
    return True


def _elsewhere(key: str, place: str) -> str:
    if place == "-":
        if sys.stdin.isatty():
            return str(click.prompt(key, hide_input=True, err=True))
        return sys.stdin.readline(LARGEST).rstrip("\r\n")
    try:
        with Path(place).open(encoding="utf-8") as file:
            return file.readline(LARGEST).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no text"
        raise click.BadParameter(f"{key}=@{place}: the file cannot be read ({why})") from None


def settings_here(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completion: the settings of the driver that is named, or where it searches."""
    named = context.params.get("driver") or next(iter(context.params.get("drivers") or ()), None)
    driver = Registry.installed().driver(named) if named else None
    if driver is None:
        return []
    kind = driver.place if context.info_name == "discover" else driver.manifest.settings
    return _keys(kind, incomplete)


def arguments_here(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completion: the arguments of the operation that is named."""
    operation = OPERATIONS.get(str(context.params.get("operation")))
    return _keys(operation.arguments if operation else None, incomplete)


def _keys(kind: Kind, incomplete: str) -> list[CompletionItem]:
    found = []
    for one in msgspec.structs.fields(kind) if kind is not None else ():
        values = ("true", "false") if one.type is bool else ("",)
        found += [f"{one.encode_name}={value}" for value in values]
    return [CompletionItem(word) for word in found if word.startswith(incomplete)]
