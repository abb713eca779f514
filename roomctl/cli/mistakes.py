"""Every mistake of a room's file at once, with its line and what to write instead."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from devices import DeviceConfig
from devices.capabilities import OPERATIONS
from devices.config import Mistake as DeviceMistake
from devices.registry import Registry
from roomctl.cli.fields import Mistake, of_struct, written
from roomctl.cli.files import problems_of_files
from roomctl.cli.lines import Lines, lines_of
from roomctl.cli.lines import Path as Key
from roomctl.config import (
    MediaSettings,
    Problem,
    RoomConfig,
    RoomFile,
    at_home,
    problems_of_media,
    problems_of_rules,
    problems_of_server,
    read_config,
)
from roomctl.errors import ConfigError
from roomctl.rules import Equipment
from wire.devices import Role

_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)")


class Reading(NamedTuple):
    """The configuration, None where something in it cannot be used as it is; what is wrong, by line; devices to try."""

    room: RoomConfig | None
    mistakes: list[Mistake]
    sound: Sequence[DeviceConfig] = ()  # all in which nothing is wrong


def read(path: Path, known: Registry | None = None) -> Reading:
    """Look at all of it.

    `known`: the drivers installed, where they were looked for already.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors put a mark before the first line
        tables = tomllib.loads(text)
    except OSError as error:
        said = f"cannot be read ({error.strerror})"
        unread = Mistake(0, "the file", "config.unreadable", said, "Check the path and its rights.")
        return Reading(None, [unread])
    except UnicodeDecodeError:
        remedy = "Save it as UTF-8 in your editor."
        return Reading(None, [Mistake(0, "the file", "config.no_toml", "is no text in UTF-8", remedy)])
    except tomllib.TOMLDecodeError as error:
        at = _AT_LINE.search(str(error))
        line, problem = int(at[1]) if at else 0, _AT_LINE.sub("", str(error)).strip()
        remedy = "Correct this line."
        if "'\\n'" in problem:
            problem, remedy = "the line ends within a text", "Close it with the quote it began with."
        return Reading(None, [Mistake(line, "the file", "config.no_toml", f"is no TOML: {problem}", remedy)])
    lines = lines_of(text)
    devices, others = _devices(tables)
    known = known or Registry.installed()  # once: a package may block while it loads
    of_devices, sound = _of_devices({**devices, **others}, known, lines)
    no_table = tuple(f"{written(('devices', one, 'settings'))}." for one in others if not _has_table(tables, one))
    of_devices = [one for one in of_devices if not one.key.startswith(no_table)]  # that there is none is said
    sound = [at_home(one, path.resolve().parent, known) for one in sound if one in devices.values()]
    found = [
        *of_struct(tables, RoomFile, (), lines),
        *of_devices,
        *(_of_problem(one, lines) for one in problems_of_files(path, {**devices, **others}, known)),
        *_of_the_rest(path, tables, list(devices.values()), known, lines, whole=not others),
    ]
    try:
        room = read_config(path, known)
        return Reading(None if of_devices else room, sorted(set(found)), sound)
    except ConfigError as error:
        unsaid = [] if found else [_of_problem(Problem(error.key, error.problem, error.remedy), lines)]
        return Reading(None, sorted({*found, *unsaid}), sound)


def _devices(tables: dict[str, Any]) -> tuple[dict[int, DeviceConfig], dict[int, DeviceConfig]]:
    """The devices by their number in the file: those that can be read, and the others with what is wrong replaced."""
    wanted = tables.get("devices")
    readable: dict[int, DeviceConfig] = {}
    others: dict[int, DeviceConfig] = {}
    broken: dict[int, dict[str, Any]] = {}
    for index, table in enumerate(wanted if isinstance(wanted, list) else []):
        try:
            readable[index] = msgspec.convert(table, DeviceConfig)
        except msgspec.ValidationError:
            if isinstance(table, dict) and isinstance(table.get("driver"), str):
                broken[index] = table
    free = [role for role in Role if all(one.role != role for one in readable.values())]
    for (index, table), role in zip(broken.items(), free, strict=False):
        id, settings = table.get("id"), table.get("settings")
        id, settings = (
            (id if isinstance(id, str) else f"device {index}"),
            settings if isinstance(settings, dict) else {},
        )
        others[index] = DeviceConfig(id, role, table["driver"], "", settings)
    return readable, others


def _has_table(tables: dict[str, Any], device: int) -> bool:
    return isinstance(tables["devices"][device].get("settings", {}), dict)


def _of_devices(
    devices: dict[int, DeviceConfig], known: Registry, lines: Lines
) -> tuple[list[Mistake], list[DeviceConfig]]:
    """What the drivers say of the devices, and those of which they say nothing."""
    places: dict[str, list[int]] = {}
    for index, one in sorted(devices.items()):
        places.setdefault(one.id, []).append(index)
    found: list[Mistake] = []
    wrong: set[str] = set()  # devices whose settings were found wrong field by field
    for index, one in devices.items():
        driver, before = known.driver(one.driver), len(found)
        if driver is not None:
            with suppress(Exception):  # a schema of a stranger that cannot be read: `usable` refuses the driver
                found += of_struct(one.settings, driver.manifest.settings, ("devices", index, "settings"), lines)
            wrong |= {one.id} if len(found) > before else set()
    usable, mistakes = known.usable([one for _, one in sorted(devices.items())])
    said = [one for one in mistakes if one.device not in wrong or not one.field.startswith("settings")]
    sound = [one.config for one in usable if one.config.id not in wrong]
    return found + [_placed(one, places.get(one.device, [0]), lines) for one in said], sound


def _of_the_rest(
    path: Path, tables: dict[str, Any], devices: list[DeviceConfig], known: Registry, lines: Lines, *, whole: bool
) -> list[Mistake]:
    """What is wrong beyond types with the server, its key, the source of the picture, and the rules."""
    server, rules = tables.get("server"), tables.get("follow")
    url, key = (server.get(name) for name in ("url", "key_file")) if isinstance(server, dict) else (None, None)
    problems: list[Problem] = list(problems_of_server(url)) if isinstance(url, str) else []
    problems += _of_key(path, key) if isinstance(key, str) else []
    with suppress(msgspec.ValidationError):
        media = msgspec.convert(tables.get("media", {}), MediaSettings)
        problems += problems_of_media(media, devices, known, whole=whole)
    rules = rules if isinstance(rules, list) else []
    problems += problems_of_rules(rules, Equipment.of(devices, known, whole=whole))
    found = [_of_problem(one, lines) for one in problems]
    for number, rule in enumerate(rules):
        found += _of_arguments(rule, ("follow", number, "then", "command"), lines)
    return found


def _of_key(path: Path, name: str) -> list[Problem]:
    from roomctl.keys import AgentKey  # its packages take a moment to load: not for other commands

    try:
        AgentKey.read(path.resolve().parent / name)
    except ConfigError as error:
        return [Problem("server.key_file", error.problem, error.remedy, error.code)]
    return []


def _of_problem(one: Problem, lines: Lines) -> Mistake:
    line = lines.of(tuple(_part(word) for word in re.findall(r"[^.\[\]]+", one.key))) or 0
    return Mistake(line, one.key, one.code, one.problem, _sentence(one.remedy))


def _of_arguments(rule: Any, at: Key, lines: Lines) -> list[Mistake]:
    """The arguments of a rule's command, each as its operation takes it."""
    then = rule.get("then") if isinstance(rule, dict) else None
    command = then.get("command") if isinstance(then, dict) else None
    if not isinstance(command, dict) or not isinstance(args := command.get("args", {}), dict):
        return []
    operation = OPERATIONS.get(str(command.get("op")))
    return of_struct(args, operation.arguments, (*at, "args"), lines) if operation is not None else []


def _placed(one: DeviceMistake, indexes: list[int], lines: Lines) -> Mistake:
    index = indexes[-1] if one.field == "id" else indexes[0]
    key: Key = ("devices", index, *one.field.partition(",")[0].split("."))
    return Mistake(lines.of(key) or 0, written(key, one.device), one.code, one.problem, one.remedy)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."


def _part(word: str) -> str | int:
    return int(word) if word.isdigit() else word
