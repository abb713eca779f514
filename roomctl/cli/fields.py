"""Every field of a table that does not fit its type, with its line and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from devices.marks import SECRET, holds_login, marked
from devices.spelling import suggestion
from roomctl.cli.complaints import plainly
from roomctl.cli.lines import Lines
from roomctl.cli.lines import Path as Key

SHOWN = 80  # characters of a wrong text

HIDDEN = "is wrong, and not shown, since it may hold a password"

_PYTHON: dict[type, type | tuple[type, ...]] = {
    msgspec.inspect.IntType: int,
    msgspec.inspect.FloatType: (int, float),
    msgspec.inspect.BoolType: bool,
    msgspec.inspect.StrType: str,
}


@dataclass(frozen=True, order=True)
class Mistake:
    """`line` from 1, 0 when it is about the whole file; `code` is stable."""

    line: int
    key: str
    code: str
    problem: str
    remedy: str


def of_struct(value: Any, kind: Any, at: Key, lines: Lines) -> list[Mistake]:
    """Every field of a struct that is wrong, missing or surplus, however deep."""
    kind = _given(kind)
    if not (isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return _of_value(value, kind, at, lines)
    fields = {one.encode_name: one for one in msgspec.structs.fields(kind)}
    found = []
    for name in value.keys() - fields.keys():
        remedy = suggestion(name, fields).strip() or f"Remove it, or use one of: {', '.join(fields)}."
        found.append(_mistake((*at, name), "config.unknown", "is no setting", remedy, lines))
    for name, one in fields.items():
        if name in value:
            found += of_struct(value[name], one.type, (*at, name), lines)
        elif one.required:
            found.append(_mistake((*at, name), "config.missing", "is missing", _add(name, one.type), lines))
    return found


def _of_value(value: Any, kind: Any, at: Key, lines: Lines) -> list[Mistake]:
    bare, found = _bare(kind), list[Mistake]()
    if isinstance(value, list) and (inner := _item(bare)) is not None:
        found = [one for index, item in enumerate(value) for one in of_struct(item, inner, (*at, index), lines)]
    elif isinstance(value, dict) and (entry := _entry(bare)) is not None:
        found = [one for name in value for one in _of_value(name, entry[0], (*at, name), lines)]
        found += [one for name, item in value.items() for one in of_struct(item, entry[1], (*at, name), lines)]
    if found:
        return found
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        hidden = _hidden(kind, value)
        if isinstance(value, str) and (meant := _meant(kind)):
            problem = HIDDEN if hidden else f"is {value[:SHOWN]!r}"
            return [_mistake(at, "config.wrong", problem, f"Write {meant}.", lines)]
        problem = HIDDEN if hidden and str(error).startswith("Invalid") else plainly(str(error))
        return [_mistake(at, "config.wrong", problem, _choices(kind, value, at), lines)]
    return []


def _hidden(kind: Any, value: Any) -> bool:
    """Nobody is shown this value: its field is marked secret, or it holds a login."""
    return (isinstance(value, str) and holds_login(value)) or bool(marked(value, kind, SECRET))


def _entry(kind: Any) -> tuple[Any, Any] | None:
    """The types of the names and the values of a table that is no struct."""
    found = get_args(kind) if get_origin(kind) is dict else ()
    return (found[0], found[1]) if len(found) == 2 else None


def _meant(kind: Any) -> str:
    """What the schema says a text is, where a pattern alone would have to be read."""
    known = msgspec.inspect.type_info(_given(kind))
    said = known.extra_json_schema if isinstance(known, msgspec.inspect.Metadata) else None
    return str((said or {}).get("description", ""))


def _add(name: str, kind: Any) -> str:
    """How a missing setting is written; a table has a heading of its own."""
    known = _what_it_takes(msgspec.inspect.type_info(kind))
    examples: dict[type, str] = {
        msgspec.inspect.IntType: "a whole number",
        msgspec.inspect.FloatType: "a number",
        msgspec.inspect.BoolType: "true or false",
        msgspec.inspect.StrType: '"text in quotes"',
        msgspec.inspect.EnumType: '"one of its names"',
    }
    if isinstance(known, msgspec.inspect.StructType):
        return f"Add [{name}] and what belongs to it."
    return f"Add {name} = {examples.get(type(known), '…')} here."


def _item(kind: Any) -> Any:
    """The type of a sequence's items."""
    arguments = getattr(kind, "__args__", ())
    return arguments[0] if getattr(kind, "__origin__", None) in (list, tuple) and arguments else None


def _choices(kind: Any, value: Any, at: Key) -> str:
    known = _what_it_takes(msgspec.inspect.type_info(kind))
    written: dict[type, str] = {
        msgspec.inspect.IntType: "Write a whole number, without quotes.",
        msgspec.inspect.FloatType: "Write a number, without quotes.",
        msgspec.inspect.BoolType: "Write true or false, without quotes.",
        msgspec.inspect.StrType: "Write text in quotes.",
    }
    name = next((part for part in reversed(at) if isinstance(part, str)), "")
    if isinstance(known, msgspec.inspect.StructType | msgspec.inspect.DictType) and not isinstance(value, dict):
        return f"Write a table, like {name} = {{ key = value }}, or a heading with one setting on each line below it."
    if isinstance(value, dict) and isinstance(known, msgspec.inspect.ListType | msgspec.inspect.VarTupleType):
        return f"Write [[{name}]] with two brackets on each side, above each one."
    if (remedy := written.get(type(known))) and not isinstance(value, _PYTHON[type(known)]):
        return remedy
    names: list[str] = []
    if isinstance(known, msgspec.inspect.EnumType):
        names = [str(one.value) for one in known.cls]
    elif isinstance(known, msgspec.inspect.LiteralType):
        names = [str(one) for one in known.values]
    if not names:
        return "Correct the value."
    return f"{suggestion(value, names)}It is one of: {', '.join(names)}."


def _given(kind: Any) -> Any:
    """Of a type that may be left out, the one that it has where it is written."""
    others = [one for one in get_args(kind) if one is not type(None)]
    return others[0] if get_origin(kind) in (UnionType, Union) and len(others) == 1 else kind


def _bare(kind: Any) -> Any:
    """A type without its bounds."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _what_it_takes(known: msgspec.inspect.Type) -> msgspec.inspect.Type:
    """Of a setting that may be left out, what it takes where it is written."""
    if isinstance(known, msgspec.inspect.Metadata):
        return _what_it_takes(known.type)
    if not isinstance(known, msgspec.inspect.UnionType):
        return known
    return next((one for one in known.types if not isinstance(one, msgspec.inspect.NoneType)), known)


def _mistake(key: Key, code: str, problem: str, remedy: str, lines: Lines) -> Mistake:
    return Mistake(lines.of(key) or 0, written(key), code, problem, remedy)


def written(key: Key, device: str = "") -> str:
    """A key as people read it: `devices[0].settings.host (camera)`."""
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")
    return f"{words} ({device})" if device else words
