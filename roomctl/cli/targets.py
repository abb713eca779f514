"""Which devices a command is about: those of a room's file, or one named with its driver and settings."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click
from click.shell_completion import CompletionItem

from devices import DeviceConfig, DeviceSettingsError
from devices.registry import Registry
from devices.spelling import suggestion
from roomctl.cli.show import UNNAMED
from roomctl.config import read_config
from roomctl.errors import ConfigError
from wire.devices import Role

Command = TypeVar("Command", bound=Callable[..., Any])


def value_of(text: str) -> Any:
    """`text` as TOML understands it (a number, true, a quoted string, a table), else as it is."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def pairs(words: Iterable[str]) -> dict[str, Any]:
    """`key=value` words; raises BadParameter for a word without `=`."""
    found: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{word!r} is not key=value")
        found[key] = value_of(text)
    return found


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
            click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Its settings, as in TOML."),
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
        configs = [DeviceConfig(UNNAMED, Role.CONTENT_INPUT, driver, UNNAMED, pairs(settings))]
    elif path is not None:
        configs = _of_file(path, list(names), known)
    else:
        raise click.UsageError("Which device? Give --config FILE, or --driver ID with --set KEY=VALUE.")
    try:
        known.build(configs)
    except DeviceSettingsError as error:
        raise click.UsageError(str(error)) from error
    return Chosen(configs, known)


def _of_file(path: Path, names: list[str], known: Registry) -> list[DeviceConfig]:
    try:
        configs = list(read_config(path, known).devices)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    if unknown := [name for name in names if not any(name in (one.id, one.role) for one in configs)]:
        there = ", ".join(f"{one.id} ({one.role.value})" for one in configs) or "none"
        meant = suggestion(unknown[0], [name for one in configs for name in (one.id, one.role.value)])
        raise click.UsageError(f"{path} has no device {', '.join(unknown)}; it has: {there}. {meant}")
    return [one for one in configs if not names or one.id in names or one.role.value in names]
