"""What a room says of one of its devices, and clear words when it says it wrongly."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from wire.devices import Role

_FIELD = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `(?P<field>[^`]+)`")
_MISSING = re.compile(r"missing required field `(?P<field>[^`]+)`")

CODES = frozenset(
    f"config.{name}"
    for name in (
        *("address_twice", "driver_unknown", "driver_unusable", "file_missing", "id_twice"),
        *("key_denied", "key_missing"),
        *("missing", "no_toml"),
        *("role_missing", "role_twice", "rule_operation", "rule_property", "rule_value"),
        *("unknown", "unreadable", "wrong"),
    )
)
"""Stable codes of the mistakes of a room's file."""

Settings = TypeVar("Settings", bound=msgspec.Struct)


class DeviceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One device of a room: `driver` is the id of a driver's manifest, `settings` what that driver needs."""

    id: str
    role: Role
    driver: str
    name: str
    settings: dict[str, Any] = {}


@dataclass(frozen=True)
class Mistake:
    """One thing wrong in a device's configuration, and what to write instead."""

    device: str
    field: str
    problem: str
    remedy: str
    code: str = "config.wrong"  # stable; `config.unknown`, `config.missing`…

    def __str__(self) -> str:
        return f"device {self.device!r}, {self.field}: {self.problem}. {self.remedy}"


class DeviceSettingsError(ValueError):
    """The configuration of one or more devices is wrong; `mistakes` names each field with its remedy."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


def decode_settings(config: DeviceConfig, schema: type[Settings]) -> Settings:
    """`config.settings` as the driver's settings struct; raises DeviceSettingsError."""
    try:
        return msgspec.convert(config.settings, schema)
    except msgspec.ValidationError as error:
        raise DeviceSettingsError([_mistake(config, schema, str(error))]) from None


def _mistake(config: DeviceConfig, schema: type[msgspec.Struct], message: str) -> Mistake:
    known = ", ".join(field.encode_name for field in msgspec.structs.fields(schema))
    code = "config.wrong"
    if found := _UNKNOWN.search(message):
        code = "config.unknown"
        field, problem = found["field"], "is not a setting of this driver"
        remedy = f"Remove it, or use one of: {known}."
    elif found := _MISSING.search(message):
        code = "config.missing"
        field, problem = found["field"], "is missing"
        remedy = f"Add {found['field']!r} to the settings of this device."
    else:
        at = _FIELD.search(message)
        field = at["path"] if at else "settings"
        problem = _FIELD.sub("", message).replace("`", "'")
        remedy = f"Correct the value of {field!r}; driver {config.driver!r} knows: {known}."
    return Mistake(config.id, f"settings.{field}" if field != "settings" else field, problem, remedy, code)
