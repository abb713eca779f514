"""Every mistake of a room's file at once, with its line and what to write instead."""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from devices import DeviceConfig, DeviceSettingsError
from devices.config import Mistake as DeviceMistake
from devices.registry import Registry
from roomctl.cli.complaints import plainly
from roomctl.cli.lines import Lines, lines_of
from roomctl.cli.lines import Path as Key
from roomctl.config import RoomConfig, RoomFile, read_config
from roomctl.errors import ConfigError

_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)")


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


def read(path: Path) -> tuple[RoomConfig | None, list[Mistake]]:
    """The configuration, None when it cannot be used, and what is wrong, by line."""
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except OSError as error:
        said = f"cannot be read ({error.strerror})"
        return None, [Mistake(0, "the file", "config.unreadable", said, "Check the path and its rights.")]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        found = _AT_LINE.search(str(error))
        line, problem = int(found[1]) if found else 0, _AT_LINE.sub("", str(error)).strip()
        remedy = "Correct this line."
        if "'\\n'" in problem:
            problem, remedy = "the line ends within a text", "Close it with the quote it began with."
        return None, [Mistake(line, "the file", "config.no_toml", f"is no TOML: {problem}", remedy)]
    lines = lines_of(text)
    mistakes = [*_of_struct(tables, RoomFile, (), lines), *_of_devices(tables, lines)]
    if not mistakes:
        try:
            return read_config(path), []
        except ConfigError as error:
            line = lines.of(tuple(_part(word) for word in re.findall(r"[^.\[\]]+", error.key))) or 0
            mistakes = [Mistake(line, error.key, "config.wrong", error.problem, _sentence(error.remedy))]
    return None, sorted(set(mistakes))


def _of_devices(tables: dict[str, Any], lines: Lines) -> list[Mistake]:
    """What the drivers say of the devices that can be read at all."""
    wanted = tables.get("devices")
    readable: list[DeviceConfig] = []
    places: dict[str, list[int]] = {}
    for index, table in enumerate(wanted if isinstance(wanted, list) else []):
        try:
            config = msgspec.convert(table, DeviceConfig)
        except msgspec.ValidationError:
            continue
        places.setdefault(config.id, []).append(index)
        readable.append(config)
    found: list[Mistake] = []
    wrong: set[str] = set()  # devices whose settings were found wrong field by field
    known = Registry.installed()
    for one in readable:
        driver = known.driver(one.driver)
        index, before = places[one.id][-1], len(found)
        if driver is not None:
            at: Key = ("devices", index, "settings")
            found += _of_struct(one.settings, driver.manifest.settings, at, lines)
            wrong |= {one.id} if len(found) > before else set()
    try:
        known.build(readable)
    except DeviceSettingsError as error:
        said = [one for one in error.mistakes if one.device not in wrong or not one.field.startswith("settings")]
        found += [_placed(one, places.get(one.device, [0]), lines) for one in said]
    return found


def _placed(one: DeviceMistake, indexes: list[int], lines: Lines) -> Mistake:
    index = indexes[-1] if one.field == "id" else indexes[0]
    key: Key = ("devices", index, *one.field.partition(",")[0].split("."))
    return Mistake(lines.of(key) or 0, _written(key, one.device), one.code, one.problem, one.remedy)


def _of_struct(value: Any, kind: Any, at: Key, lines: Lines) -> list[Mistake]:
    """Every field of a struct that is wrong, missing or surplus, however deep."""
    if not (isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return _of_value(value, kind, at, lines)
    fields = {one.encode_name: one for one in msgspec.structs.fields(kind)}
    found = []
    for name in value.keys() - fields.keys():
        close = difflib.get_close_matches(name, fields, n=1)
        remedy = f"Did you mean {close[0]!r}?" if close else f"Remove it, or use one of: {', '.join(fields)}."
        found.append(_mistake((*at, name), "config.unknown", "is no setting", remedy, lines))
    for name, one in fields.items():
        if name in value:
            found += _of_struct(value[name], one.type, (*at, name), lines)
        elif one.required:
            found.append(_mistake((*at, name), "config.missing", "is missing", _add(name, one.type), lines))
    return found


def _of_value(value: Any, kind: Any, at: Key, lines: Lines) -> list[Mistake]:
    if isinstance(value, list) and (inner := _item(kind)) is not None:
        return [one for index, item in enumerate(value) for one in _of_struct(item, inner, (*at, index), lines)]
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return [_mistake(at, "config.wrong", plainly(str(error)), _choices(kind, value), lines)]
    return []


def _add(name: str, kind: Any) -> str:
    """How a missing setting is written; a table has a heading of its own."""
    known = msgspec.inspect.type_info(kind)
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


def _choices(kind: Any, value: Any) -> str:
    known = _what_it_takes(msgspec.inspect.type_info(kind))
    written: dict[type, str] = {
        msgspec.inspect.IntType: "Write a whole number, without quotes.",
        msgspec.inspect.FloatType: "Write a number, without quotes.",
        msgspec.inspect.BoolType: "Write true or false, without quotes.",
        msgspec.inspect.StrType: "Write text in quotes.",
    }
    if (remedy := written.get(type(known))) and not isinstance(value, _PYTHON[type(known)]):
        return remedy
    names: list[str] = []
    if isinstance(known, msgspec.inspect.EnumType):
        names = [str(one.value) for one in known.cls]
    elif isinstance(known, msgspec.inspect.LiteralType):
        names = [str(one) for one in known.values]
    if not names:
        return "Correct the value."
    close = difflib.get_close_matches(str(value), names, n=1)
    return f"Did you mean {close[0]!r}? " * bool(close) + f"It is one of: {', '.join(names)}."


def _what_it_takes(known: msgspec.inspect.Type) -> msgspec.inspect.Type:
    """Of a setting that may be left out, what it takes where it is written."""
    if not isinstance(known, msgspec.inspect.UnionType):
        return known
    return next((one for one in known.types if not isinstance(one, msgspec.inspect.NoneType)), known)


def _mistake(key: Key, code: str, problem: str, remedy: str, lines: Lines) -> Mistake:
    return Mistake(lines.of(key) or 0, _written(key), code, problem, remedy)


def _written(key: Key, device: str = "") -> str:
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")
    return f"{words} ({device})" if device else words


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."


def _part(word: str) -> str | int:
    return int(word) if word.isdigit() else word
