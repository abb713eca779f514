"""Marks that a driver's settings bear in their JSON Schema: which are secret, and which name a file.

    password: Annotated[str, msgspec.Meta(max_length=64, extra_json_schema=SECRET)] = ""

A secret is shown to nobody and left out of reports; of a file it is looked whether it is there before a room relies on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import inspect

SECRET: dict[str, Any] = {"writeOnly": True, "format": "password"}
"""A password or the like (JSON Schema 2020-12, Validation, section 9.4)."""
READS: dict[str, Any] = {"x-roomctl-file": "read"}
"""The path of a file that has to be there."""
WRITES: dict[str, Any] = {"x-roomctl-file": "written"}
"""The path of a file that the driver makes; its folder has to be there."""

Path = tuple[str | int, ...]
"""Where a setting stands: keys of tables and places in lists."""

DEEPEST = 16  # tables within tables
_LOGIN = re.compile(r":.*@", re.DOTALL)


def holds_login(text: str) -> bool:
    """A name, and maybe a password, come before the computer of an address (RFC 3986 §3.2.1), however it is written."""
    return _LOGIN.search(text) is not None


def marked(settings: Any, kind: Any, mark: Mapping[str, Any]) -> list[tuple[Path, Any]]:
    """The settings given (or one of them, at `()`) that bear `mark` in the schema `kind`, with their values, however deep.

    None of a schema that cannot be read: a package may bring one, whose driver is refused when it is to be made.
    """
    try:
        schema = inspect.type_info(kind)
    except Exception:  # types of a stranger are looked up: that raises whatever they raise
        return []
    return list(_within(settings, schema, mark, ()))


def _within(value: Any, kind: inspect.Type, mark: Mapping[str, Any], at: Path) -> Iterator[tuple[Path, Any]]:
    if len(at) > DEEPEST:
        return
    match kind:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            if extra is not None and mark.items() <= extra.items():
                yield at, value
            else:
                yield from _within(value, inner, mark, at)
        case inspect.UnionType(types=types):
            for one in types:
                yield from _within(value, one, mark, at)
        case inspect.StructType(fields=fields) if isinstance(value, dict):
            for field in fields:
                if field.encode_name in value:
                    yield from _within(value[field.encode_name], field.type, mark, (*at, field.encode_name))
        case inspect.DictType(value_type=inner) if isinstance(value, dict):
            for key, one in value.items():
                yield from _within(one, inner, mark, (*at, str(key)))
        case inspect.ListType(item_type=inner) | inspect.VarTupleType(item_type=inner) if isinstance(value, list):
            for index, one in enumerate(value):
                yield from _within(one, inner, mark, (*at, index))
