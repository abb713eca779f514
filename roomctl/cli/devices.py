"""`roomctl devices …`: find, try, watch, command and examine devices."""

from __future__ import annotations

import asyncio
import re
import signal
from contextlib import suppress
from pathlib import Path

import click
import msgspec

from devices import DeviceConfig, Found, discover
from devices.capabilities import OPERATIONS
from devices.discovery import SECONDS, seconds_for, takes_long
from devices.errors import DeviceError
from devices.registry import Registry
from devices.spelling import suggestion
from roomctl.cli import selftest, show
from roomctl.cli.complaints import plainly
from roomctl.cli.pairs import arguments_here, pairs, settings_here
from roomctl.cli.status import Status, of_devices, of_result
from roomctl.cli.targets import chosen, devices_here, drivers_here, target_options
from roomctl.cli.trial import Trial, trial
from wire.devices import Connection, DeviceResult
from wire.problems import Notice

FAINT = 0.2  # seconds within which changes of a watched device become one


class Unanswered(click.ClickException):
    """Who was to be asked does not answer, or refuses."""

    exit_code = Status.UNREACHABLE


def operations_here(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Completion: operations."""
    return [name for name in OPERATIONS if name.startswith(incomplete)]


def takes(operation: str) -> str:
    """The arguments of an operation as they are written."""
    written = {bool: "true or false", int: "a number", float: "a number", str: "text"}
    known = msgspec.inspect.type_info(OPERATIONS[operation].arguments)
    assert isinstance(known, msgspec.inspect.StructType)
    kinds = {msgspec.inspect.BoolType: bool, msgspec.inspect.StrType: str}
    return (
        ", ".join(f"{one.encode_name}=({written[kinds.get(type(one.type), float)]})" for one in known.fields)
        or "nothing"
    )


@click.group()
def devices() -> None:
    """Find, try, watch, command and examine devices.

    Exit codes: 0 well, 1 a device failed or nothing was found, 2 wrong command line or settings, 3 a device does not
    answer, 4 the device cannot do that.
    """


@devices.command("discover")
@click.option("--driver", "drivers", multiple=True, metavar="ID", shell_complete=drivers_here, help="Only these.")
@click.option(
    "--set",
    "place",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=settings_here,
    help="Where one driver searches: host=BROKER, hosts=…; password=@FILE or password=@-.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 60),
    help="How long to search: 3 unless given, and 10.5 for projectors (pjlink), which may take so long to answer.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def discover_command(drivers: tuple[str, ...], place: tuple[str, ...], seconds: float | None, as_json: bool) -> int:
    """Search this machine and its network for devices, or the place that you name. Changes nothing on them."""
    registry = Registry.installed()
    if unknown := [name for name in drivers if registry.driver(name) is None]:
        meant = suggestion(unknown[0], registry.ids)
        said = f"No driver is called {', '.join(unknown)}; there are: {', '.join(registry.ids)}. {meant}"
        raise click.UsageError(said)
    if place:
        heard = asyncio.run(_at(registry, drivers, place, seconds or SECONDS))
    else:
        wanted = [one for name in drivers or registry.ids if (one := registry.driver(name)) is not None]
        slow = [f"{seconds_for(one, seconds):g} s for {one.manifest.id}" for one in wanted if takes_long(one, seconds)]
        click.echo(f"Searching for {' and '.join([f'{seconds or SECONDS:g} s', *slow])}…", err=True)
        heard = asyncio.run(discover(registry, seconds, list(drivers) or None))
    found = [one for one in heard if not one.elsewhere]
    if as_json:
        show.as_json(found)
    elif found:
        console = show.console()
        console.print(show.found_table(found, console.width))
        click.echo("Try one: `roomctl devices probe --driver ID --set KEY=VALUE`, with its password if it has one.")
    else:
        click.echo("Nothing answered. Is it on, and on this network? `probe` tries an address.")
    if elsewhere := [one for one in heard if one.elsewhere]:
        click.echo(show.left_out(elsewhere), err=as_json)
    if not place and not as_json:
        for name in drivers or registry.ids:
            if (driver := registry.driver(name)) is not None and driver.unfound:
                click.echo(f"{name}: cannot be discovered by itself. {driver.unfound}")
    return Status.OK if found else Status.FAILED


async def _at(registry: Registry, drivers: tuple[str, ...], words: tuple[str, ...], seconds: float) -> list[Found]:
    driver = registry.driver(drivers[0]) if len(drivers) == 1 else None
    if driver is None or driver.place is None:
        known = [name for name in registry.ids if (one := registry.driver(name)) is not None and one.place is not None]
        raise click.UsageError(f"--set tells one driver where to search: --driver {' or '.join(known)}.")
    place = pairs(words, driver.place)
    try:
        return await driver.discover_at(msgspec.convert(place, driver.place), seconds)
    except msgspec.ValidationError as error:
        raise click.UsageError(f"{driver.manifest.id} does not search there: {error}") from None
    except DeviceError as error:
        said = show.sentence(Notice(error.notice.code, {"device": str(place.get("host", "the device"))}))
        raise Unanswered(f"{said} ({error})") from error


@devices.command("drivers")
@click.option("--json", "as_json", is_flag=True, help="JSON: with the schema of the settings of each.")
def drivers_command(as_json: bool) -> int:
    """List the drivers and their settings."""
    registry = Registry.installed()
    known = [driver for name in registry.ids if (driver := registry.driver(name)) is not None]
    if as_json:
        schemas = {one.manifest.id: one.manifest.schema() for one in known}
        show.as_json(
            [
                {
                    "id": one.manifest.id,
                    "version": one.manifest.version,
                    "title": one.manifest.title,
                    "capabilities": one.capabilities(),
                    "settings": schemas[one.manifest.id],
                }
                for one in known
            ]
        )
        return Status.OK
    for one in known:
        fields = ", ".join(one.manifest.settings.__struct_fields__)
        click.echo(f"{one.manifest.id:10} {one.manifest.title} {one.manifest.version}")
        click.echo(f"{'':10} can: {', '.join(one.capabilities())}")
        click.echo(f"{'':10} settings: {fields}")
    return Status.OK


@devices.command("probe")
@target_options
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
@click.pass_context
def probe_command(
    context: click.Context,
    config: Path | None,
    names: tuple[str, ...],
    driver: str | None,
    settings: tuple[str, ...],
    as_json: bool,
) -> int:
    """Connect once, say what answers, let go. Changes nothing on the device."""

    async def run(configs: list[DeviceConfig], known: Registry) -> int:
        async with trial(configs, known) as one:
            answered = await one.answered()
        if as_json:
            show.as_json(answered)
        else:
            console = show.console()
            console.print(show.devices_table(answered, console.width))
        return of_devices(answered)

    return asyncio.run(run(*chosen(context, config, names, driver, settings)))


@devices.command("watch")
@target_options
@click.option("--seconds", type=click.FloatRange(0.1), help="End by itself; else with Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each change.")
@click.pass_context
def watch_command(
    context: click.Context,
    config: Path | None,
    names: tuple[str, ...],
    driver: str | None,
    settings: tuple[str, ...],
    seconds: float | None,
    as_json: bool,
) -> int:
    """Show devices as they change. The exit code says how they were at the end."""

    async def run(configs: list[DeviceConfig], known: Registry) -> int:
        async with trial(configs, known) as one:
            shown = asyncio.create_task(_shown(one, seconds, as_json=as_json))
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, shown.cancel)
            await asyncio.wait({shown})
            if not shown.cancelled():
                shown.result()
            return of_devices(one.devices)

    return asyncio.run(run(*chosen(context, config, names, driver, settings)))


async def _shown(one: Trial, seconds: float | None, *, as_json: bool) -> None:
    await one.answered()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await (_lines(one) if as_json else _live(one))


async def _lines(one: Trial) -> None:
    told: dict[str, object] = {}
    while True:
        for device in one.devices:
            if told.get(device.id) != device:
                told[device.id] = device
                show.as_json(device, line=True)
        one.changed.clear()
        await one.changed.wait()


async def _live(one: Trial) -> None:
    console = show.console()
    if not console.is_terminal:
        while True:
            console.print(show.devices_table(one.devices, console.width))
            one.changed.clear()
            await one.changed.wait()
            await asyncio.sleep(FAINT)
    from rich.live import Live

    with Live(console=console, auto_refresh=False) as live:
        while True:
            live.update(show.devices_table(one.devices, console.width), refresh=True)
            await asyncio.sleep(FAINT)


@devices.command("send")
@click.argument("operation", shell_complete=operations_here)
@click.argument("arguments", nargs=-1, metavar="[KEY=VALUE]...", shell_complete=arguments_here)
@target_options
@click.option("--wait", default=0.0, type=click.FloatRange(0, 600), help="Seconds to wait until the device reports it.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of words.")
@click.pass_context
def send_command(
    context: click.Context,
    operation: str,
    arguments: tuple[str, ...],
    config: Path | None,
    names: tuple[str, ...],
    driver: str | None,
    settings: tuple[str, ...],
    wait: float,
    as_json: bool,
) -> int:
    """Command one device: `roomctl devices send set_power on=true --config room.toml --device projector`."""
    if operation not in OPERATIONS:
        meant = suggestion(operation, OPERATIONS)
        raise click.UsageError(f"No operation is called {operation!r}; there are: {', '.join(OPERATIONS)}. {meant}")
    wanted = pairs(arguments, OPERATIONS[operation].arguments)
    try:
        msgspec.convert(wanted, OPERATIONS[operation].arguments)
    except msgspec.ValidationError as error:
        at = re.search(r" - at `\$\.([^`]+)`", str(error))
        problem = f"{at[1] if at else 'What is given'} {plainly(str(error))}"
        raise click.UsageError(f"{operation} takes {takes(operation)}. {problem}.") from None
    configs, known = chosen(context, config, names, driver, settings)
    if len(configs) != 1:
        there = ", ".join(one.id for one in configs) or "none"
        raise click.UsageError(f"Name one device with --device; there are: {there}.")

    async def run() -> int:
        async with trial(configs, known) as one:
            await one.answered()
            result = await one.send(configs[0], operation, wanted)
            met = await _met(one, result, wait)
            device = one.devices[0]  # with what is wrong with it by now
        if as_json:
            show.as_json({"result": result, "reported": met, "device": device})
        else:
            click.echo(f"{configs[0].id}: {operation}: {show.refusal_in_words(result, device, met=met)}")
            if result.outcome == "accepted" and not wait and OPERATIONS[operation].changes is not None:
                click.echo("It takes its time: `--wait 60` waits until the device reports it.")
            if met is not None:
                click.echo("It reports it." if met else "It does not report it.")
        return Status.FAILED if met is False else of_result(result)

    async def _met(one: Trial, result: DeviceResult, seconds: float) -> bool | None:
        changes = OPERATIONS[operation].changes
        if not seconds or changes is None or of_result(result) is not Status.OK:
            return None
        return await one.settled(configs[0].id, changes, seconds)

    return asyncio.run(run())


@devices.command("selftest")
@target_options
@click.option("--commands", is_flag=True, help="Also try what people in the room would notice: moves, mutes, volume.")
@click.option("--power", is_flag=True, help="Also switch off and on (slow: warm-up and cool-down).")
@click.option("--seconds", default=20.0, show_default=True, type=click.FloatRange(0, 3600), help="Hold the connection.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the report there as well.")
@click.pass_context
def selftest_command(
    context: click.Context,
    config: Path | None,
    names: tuple[str, ...],
    driver: str | None,
    settings: tuple[str, ...],
    commands: bool,
    power: bool,
    seconds: float,
    as_json: bool,
    output: Path | None,
) -> int:
    """Examine devices and print a report to send back; passwords are left out of it."""
    configs, known = chosen(context, config, names, driver, settings)
    plan = selftest.Plan(commands=commands or power, power=power, seconds=seconds)
    report = asyncio.run(selftest.examine(configs, plan, known))
    if as_json:
        show.as_json(report)
    else:
        click.echo(selftest.in_words(report))
    if output is not None:
        try:
            output.write_text(selftest.in_words(report), encoding="utf-8")
        except OSError as error:
            raise click.FileError(str(output), error.strerror) from error
    if any(one.device.connection is not Connection.ONLINE for one in report.devices):
        return Status.UNREACHABLE
    return Status.OK if report.passed else Status.FAILED


__all__ = ["devices", "devices_here"]
