"""`roomctl check`: what is wrong in a room's file, with line and remedy, then whether its devices answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from devices import DeviceConfig
from devices.registry import Registry
from roomctl.cli import mistakes, show
from roomctl.cli.status import Status, of_devices
from roomctl.cli.trial import trial
from wire.devices import Device


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="The room's TOML file.")
@click.option("--offline", is_flag=True, help="Only read the file; do not try the devices.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
@click.pass_context
def check(context: click.Context, config: Path | None, offline: bool, as_json: bool) -> int:
    """Check a room's file, then try its devices without changing anything on them.

    Exit codes: 0 well, 1 a device complains, 2 the file is wrong, 3 a device does not answer.
    """
    path = config or (context.obj or {}).get("config")
    if path is None:
        raise click.UsageError("Which file? Give --config FILE.")
    known = Registry.installed()
    room, found, sound = mistakes.read(path, known)
    tried, asleep = asyncio.run(_tried(list(sound), known)) if sound and not offline else ([], [])
    if as_json:
        show.as_json({"file": str(path), "mistakes": found, "devices": tried})
    else:
        for one in found:
            where = f"{path}:{one.line}" if one.line else str(path)
            click.echo(f"{where}: {one.key} {one.problem}. {one.remedy} [{one.code}]")
        if room is not None:
            said = "no mistake found" if not found else f"{len(found)} to mend"
            click.echo(f"{path}: room {room.room.id}, {len(room.devices)} devices: {said}.")
        elif tried:
            click.echo(f"{path}: devices in which nothing is wrong, {len(tried)} of them, are tried all the same.")
        if tried:
            console = show.console()
            console.print(show.devices_table(tried, console.width))
            for device in asleep:
                click.echo(f"{device}: it is in standby; which inputs it has is known only once it was on.")
    return Status.WRONG if found else of_devices(tried)


async def _tried(configs: list[DeviceConfig], known: Registry) -> tuple[list[Device], list[str]]:
    """The devices, and the ids of those whose inputs nobody knows yet."""
    async with trial(configs, known) as one:
        devices = await one.answered()
        return devices, [device.id for device in devices if one.hub.guesses_inputs(device.id)]
