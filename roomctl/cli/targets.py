"""Which devices a command is about: those of a room's file, or one named with its driver and settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click
import msgspec
from click.shell_completion import CompletionItem

from devices import DeviceConfig, DeviceSettingsError
from devices.config import Mistake
from devices.registry import Registry
from devices.spelling import suggestion
from roomctl.cli.complaints import plainly
from roomctl.cli.fields import of_struct
from roomctl.cli.lines import lines_of
from roomctl.cli.pairs import pairs, settings_here
from roomctl.cli.show import UNNAMED
from roomctl.config import read_config
from roomctl.errors import ConfigError
from wire.devices import Role

Command = TypeVar("Command", bound=Callable[..., Any])


def drivers_here(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completion: driver ids."""
    registry = Registry.installed()
    known = [(name, registry.driver(name)) for name in registry.ids if name.startswith(incomplete)]
    return [CompletionItem(name, help=driver.manifest.title) for name, driver in known if driver is not None]


def devices_here(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Completion: ids and roles of the file's devices, or every role."""
    path = context.params.get("config") or (context.obj or {}).get("config")
    try:
        configs = read_config(Path(path)).devices if path else ()
    except ConfigError:
        configs = ()
    names = [name for one in configs for name in (one.id, one.role.value)] or [role.value for role in Role]
    return sorted({name for name in names if name.startswith(incomplete)})


def target_options(command: Command) -> Command:
    """`--config FILE [--device ID]…`, or `--driver ID --set KEY=VALUE…`."""
    for option in reversed(
        (
            click.option("--config", type=click.Path(path_type=Path), help="The room's TOML file."),
            click.option(
                "--device",
                "names",
                multiple=True,
                metavar="ID|ROLE",
                shell_complete=devices_here,
                help="Only this device of the file; may be repeated.",
            ),
            click.option(
                "--driver",
                metavar="ID",
                shell_complete=drivers_here,
                help="Without a file: the driver of one device.",
            ),
            click.option(
                "--set",
                "settings",
                multiple=True,
                metavar="KEY=VALUE",
                shell_complete=settings_here,
                help="Its settings, as in TOML; KEY=@FILE reads it, and KEY=@- asks for it (a password).",
            ),
        )
    ):
        command = option(command)
    return command


class Chosen(NamedTuple):
    """The devices that a command is about, and the drivers installed: they are looked for once in a command."""

    configs: list[DeviceConfig]
    known: Registry


def chosen(
    context: click.Context, config: Path | None, names: Iterable[str], driver: str | None, settings: Iterable[str]
) -> Chosen:
    """The devices asked for; raises UsageError, and ClickException with every mistake of their settings."""
    known = Registry.installed()
    path = config or (context.obj or {}).get("config")
    if driver is not None:
        if path is not None:
            raise click.UsageError("Give --config, or --driver with --set, not both.")
        configs = [
            DeviceConfig(UNNAMED, Role.CONTENT_INPUT, driver, UNNAMED, pairs(settings, _settings_of(driver, known)))
        ]
    elif path is not None:
        configs = _of_file(path, list(names), known)
    else:
        raise click.UsageError("Which device? Give --config FILE, or --driver ID with --set KEY=VALUE.")
    try:
        known.build(configs)
    except DeviceSettingsError as error:
        said = _field_by_field(configs[0], known) if driver is not None else []
        said = said or [
            f"{_whose(one, path)}{one.field}: {_in_words(one.problem)}. {one.remedy}" for one in error.mistakes
        ]
        raise click.UsageError("\n".join([*said, *([_checked(path)] if path is not None else [])])) from error
    return Chosen(configs, known)


def _field_by_field(config: DeviceConfig, known: Registry) -> list[str]:
    """What of a driver's settings does not fit its schema, and what to write; none of what a stranger's says."""
    schema = None if known.apart(config.driver) else _settings_of(config.driver, known)
    found = of_struct(config.settings, schema, ("settings",), lines_of("")) if schema is not None else []
    return [f"{one.key}: {one.problem}. {one.remedy}" for one in sorted(found)]


def _of_file(path: Path, names: list[str], known: Registry) -> list[DeviceConfig]:
    try:
        configs = list(read_config(path, known).devices)
    except ConfigError as error:
        said = f"{path}: {error.key} {_in_words(error.problem)}."
        raise click.UsageError(f"{said} {_checked(path)}" if path.is_file() else str(error)) from error
    if unknown := [name for name in names if not any(name in (one.id, one.role) for one in configs)]:
        there = ", ".join(f"{one.id} ({one.role.value})" for one in configs) or "none"
        meant = suggestion(unknown[0], [name for one in configs for name in (one.id, one.role.value)])
        raise click.UsageError(f"{path} has no device {', '.join(unknown)}; it has: {there}. {meant}")
    return [one for one in configs if not names or one.id in names or one.role.value in names]


def _settings_of(driver: str, known: Registry) -> type[msgspec.Struct] | None:
    one = known.driver(driver)
    return one.manifest.settings if one is not None else None


def _whose(one: Mistake, path: Path | None) -> str:
    return f"device {one.device!r}, " if path is not None else ""


def _in_words(problem: str) -> str:
    """What msgspec said of a value, for people; what others said as it is."""
    said = re.sub(r"'(\w[\w| ]*)'", r"`\1`", problem.removeprefix("is wrong: "))
    return plainly(said) if said.startswith(("Expected `", "Invalid ", "Object ")) else problem


def _checked(path: Path) -> str:
    return f"`roomctl check --config {path}` names every mistake with its line and its remedy."
