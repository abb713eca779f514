"""What is wrong with a room's follow rules: as such, in a room with these roles, and with what its devices can do.

A rule is looked at as a table, so that what can be read of it is judged although something else in it is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from devices.capabilities import OPERATIONS
from devices.config import DeviceConfig
from devices.driver import Facts
from devices.notices import NOTICES
from devices.properties import NUMBER, RANGES, TEXT, TRUTH, Kind, general, properties_of
from devices.registry import Registry
from devices.spelling import suggestion
from roomctl.follow import Action, Condition, Rule
from wire.devices import DeviceCommand, Role

Key = tuple[str | int, ...]
Table = Mapping[str, Any]


@dataclass(frozen=True)
class Wrong:
    """One thing wrong in one rule; `key` below the rule, `code` stable (`devices/config.py`)."""

    key: Key
    problem: str
    remedy: str
    code: str = "config.wrong"


@dataclass(frozen=True)
class Ability:
    """What a device may report and do. `inputs` and `ports` None: its settings cannot be read."""

    device: str
    driver: str
    properties: Mapping[str, Kind]
    operations: tuple[str, ...]
    inputs: tuple[str, ...] | None = None
    ports: tuple[int, ...] | None = None

    @property
    def words(self) -> str:
        """Who it is."""
        return f"device {self.device!r} (driver {self.driver})"


@dataclass(frozen=True)
class Equipment:
    """A room's devices by role, None where nothing is known of one. `whole`: every device could be read."""

    by_role: Mapping[Role, Ability | None] = field(default_factory=dict)
    whole: bool = True

    @classmethod
    def named(cls, roles: Iterable[Role]) -> Equipment:
        """Of devices of which only the roles are looked at."""
        return cls(dict.fromkeys(roles))

    @classmethod
    def of(cls, devices: list[DeviceConfig], known: Registry, *, whole: bool = True) -> Equipment:
        """Of devices as their drivers tell, with their settings where those can be read."""
        built = {one.config.id: one.facts or one.said() for one in known.usable(devices)[0]}
        by_role: dict[Role, Ability | None] = {}
        for one in devices:
            by_role.setdefault(one.role, _ability(one, known, built.get(one.id)))
        return cls(by_role, whole)


def wrongs(rule: Table, room: Equipment) -> Iterator[Wrong]:
    """Everything that is wrong with a rule, but for values that its types refuse, and its command's arguments."""
    when, then = _table(rule.get("when")), _table(rule.get("then"))
    command = _table(then.get("command"))
    yield from _shape(rule, when, then)
    yield from _names(then, command)
    for at, table in ((("when",), when), (("then", "command"), command)):
        yield from _role(at, table, room)
    if (ability := _of(when, room)) is not None:
        yield from _condition(when, ability)
    if command and (ability := _of(command, room)) is not None:
        yield from _command(command, ability)


def never_acting(rules: Iterable[Rule], devices: list[DeviceConfig], known: Registry) -> list[str]:
    """What the log says of rules of a room that runs: each mistake in a line."""
    room = Equipment.of(devices, known)
    return [
        f"rule {number}, {'.'.join(str(part) for part in one.key)}: {one.problem}. {one.remedy}"
        for number, rule in enumerate(rules)
        for one in wrongs(msgspec.to_builtins(rule), room)
    ]


def _shape(rule: Table, when: Table, then: Table) -> Iterator[Wrong]:
    if isinstance(rule.get("when"), Mapping) and len(when.keys() & {"value", "above", "below"}) != 1:
        yield Wrong(("when",), "needs exactly one of value, above and below", "Keep one of them, or add one.")
    if "phases" in when and not when["phases"]:
        yield Wrong(("when", "phases"), "is empty: the rule would never act", "Name phases, or remove it.")
    if isinstance(rule.get("then"), Mapping) and len(then.keys() & {"scene", "notice", "command"}) != 1:
        yield Wrong(("then",), "needs exactly one of scene, notice and command", "Keep one of them, or add one.")


def _names(then: Table, command: Table) -> Iterator[Wrong]:
    notice, op = _read(then, "notice", Action), _read(command, "op", DeviceCommand)
    if notice is not None and notice not in NOTICES:
        remedy = f"{suggestion(notice, NOTICES)}docs/diagnostics.md lists them, below Devices."
        yield Wrong(("then", "notice"), f"no notice is called {notice!r}", remedy)
    if op is not None and op not in OPERATIONS:
        remedy = f"{suggestion(op, OPERATIONS)}It is one of: {', '.join(OPERATIONS)}."
        yield Wrong(("then", "command", "op"), f"no operation is called {op!r}", remedy)


def _role(at: Key, table: Table, room: Equipment) -> Iterator[Wrong]:
    role = _read(table, "role", DeviceCommand)
    if role is None or role in room.by_role or not room.whole:
        return
    names = [one.value for one in room.by_role]
    remedy = f"{suggestion(role.value, names)}The room has: {', '.join(names) or 'no device'}."
    said = f"is {role.value!r}, and no device of the room has that role"
    yield Wrong((*at, "role"), said, remedy, "config.role_missing")


def _condition(when: Table, ability: Ability) -> Iterator[Wrong]:
    name = _read(when, "property", Condition)
    if name is None:
        return
    known, number = general(name)
    if (kind := ability.properties.get(known)) is None:
        there = ", ".join(ability.properties) or "nothing"
        remedy = f"{suggestion(name, ability.properties)}It reports: {there}."
        said = f"is {name!r}, which {ability.words} never reports"
        yield Wrong(("when", "property"), said, remedy, "config.rule_property")
        return
    if number is not None and ability.ports is not None and number not in ability.ports:
        said = f"is {name!r}, and the settings of {ability.words} name no port {number}"
        yield Wrong(("when", "property"), said, _ports(ability), "config.rule_property")
    yield from _value(when, name, kind, ability)
    yield from _bounds(when, name, kind)


def _value(when: Table, name: str, kind: Kind, ability: Ability) -> Iterator[Wrong]:
    value = when.get("value")
    if not isinstance(value, str | int | float):
        return
    if _fits(value, kind):
        if name != "input" or ability.inputs is None or value in ability.inputs:
            return
        if not (remedy := suggestion(value, ability.inputs)):
            return  # an input that the settings give no name is reported by the device's own
    elif isinstance(kind, tuple):
        remedy = f"{suggestion(value, kind)}It is one of: {', '.join(kind)}."
    else:
        examples = {TRUTH: "Write true or false, without quotes.", NUMBER: "Write a number, without quotes."}
        remedy = examples.get(kind, "Write text in quotes.")
    yield Wrong(
        ("when", "value"), f"is {_written(value)}, and {name} is never that", remedy.strip(), "config.rule_value"
    )


def _bounds(when: Table, name: str, kind: Kind) -> Iterator[Wrong]:
    low, high = RANGES.get(name, (float("-inf"), float("inf")))
    for word, end in (("above", high), ("below", low)):
        bound = _read(when, word, Condition)
        if bound is None:
            continue
        if kind != NUMBER:
            yield Wrong(
                ("when", word), f"is given, and {name} is no number", "Give value instead.", "config.rule_value"
            )
        elif bound >= end if word == "above" else bound <= end:
            remedy = f"It goes from {low:g} to {high:g}."
            yield Wrong(("when", word), f"is {bound:g}, and {name} is never {word} that", remedy, "config.rule_value")


def _command(command: Table, ability: Ability) -> Iterator[Wrong]:
    op, at = _read(command, "op", DeviceCommand), ("then", "command")
    if op not in OPERATIONS:
        return
    if op not in ability.operations:
        remedy = f"It can: {', '.join(ability.operations) or 'nothing, it only reports'}."
        said = f"is {op!r}, which {ability.words} cannot do"
        yield Wrong((*at, "op"), said, remedy, "config.rule_operation")
        return
    args = _table(command.get("args"))
    name, port = args.get("input"), args.get("port")
    if op == "select_input" and ability.inputs is not None and isinstance(name, str) and name not in ability.inputs:
        remedy = f"{suggestion(name, ability.inputs)}It has: {', '.join(ability.inputs) or 'none'}."
        yield Wrong(
            (*at, "args", "input"), f"is {name!r}, no input of {ability.words}", remedy, "config.rule_operation"
        )
    if ability.ports is not None and isinstance(port, int) and port not in ability.ports:
        said = f"is {port}, and the settings of {ability.words} name no such port"
        yield Wrong((*at, "args", "port"), said, _ports(ability), "config.rule_operation")


def _ports(ability: Ability) -> str:
    return f"They name: {', '.join(str(one) for one in ability.ports or ()) or 'none'}."


def _ability(one: DeviceConfig, known: Registry, facts: Facts | None) -> Ability | None:
    driver = known.driver(one.driver)
    if facts is not None:
        told = {name: kind if isinstance(kind, str) else tuple(kind) for name, kind in facts.reports.items()}
        properties, can = {**properties_of(facts.capabilities), **told}, facts.capabilities
        return Ability(one.id, one.driver, properties, _operations(can), tuple(facts.inputs), tuple(facts.ports))
    if driver is None or known.apart(one.driver):
        return None
    can = driver.capabilities()
    return Ability(one.id, one.driver, {**properties_of(can), **driver.reports}, _operations(can))


def _operations(capabilities: Iterable[str]) -> tuple[str, ...]:
    can = set(capabilities)
    return tuple(name for name, operation in OPERATIONS.items() if operation.capability in can)


def _of(table: Table, room: Equipment) -> Ability | None:
    role = _read(table, "role", DeviceCommand)
    return room.by_role.get(role) if role is not None else None


def _table(value: Any) -> Table:
    """A table without what is not set; empty for what is none."""
    return {key: one for key, one in value.items() if one is not None} if isinstance(value, Mapping) else {}


def _read(table: Table, name: str, kind: type[msgspec.Struct]) -> Any:
    """A value of a table as its type has it, None when it is not given or does not fit."""
    wanted = next(one.type for one in msgspec.structs.fields(kind) if one.encode_name == name)
    try:
        return msgspec.convert(table[name], wanted) if name in table else None
    except msgspec.ValidationError:
        return None


def _fits(value: Any, kind: Kind) -> bool:
    if isinstance(kind, tuple):
        return value in kind
    if kind == TRUTH:
        return isinstance(value, bool)
    if kind == NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return kind != TEXT or isinstance(value, str)


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)
