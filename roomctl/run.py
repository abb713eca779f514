"""Runs one room until it is asked to end."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

from aiohttp import web

from devices.config import DeviceSettingsError
from devices.registry import Registry
from devices.watchdog import Watchdog
from roomctl.agent import RoomAgent
from roomctl.config import RoomConfig, read_config
from roomctl.errors import AgentError, ConfigError
from roomctl.rules import never_acting
from roomctl.serve import agents_app

log = logging.getLogger(__name__)


def run_file(path: Path) -> int:
    """Run the room of a file; the process's exit status."""
    known = Registry.installed()  # once: a package may block while it loads
    try:
        asyncio.run(run_room(read_config(path, known), known))
    except (AgentError, DeviceSettingsError, OSError) as error:
        print(error, file=sys.stderr)
        if isinstance(error, ConfigError | DeviceSettingsError):
            print(f"`roomctl check --config {path}` names every mistake of the file, with its line.", file=sys.stderr)
        return 1
    return 0


async def run_room(config: RoomConfig, known: Registry) -> None:
    """Serve and run one room by the drivers installed until SIGINT or SIGTERM."""
    for said in never_acting(config.follow, list(config.devices), known):
        log.warning("%s", said)
    agent = RoomAgent(config, registry=known)
    runner = web.AppRunner(agents_app([agent], names=config.pages.names), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, config.pages.bind, config.pages.port).start()
        with Watchdog():
            await _run(agent)
    finally:
        await runner.cleanup()


async def _run(agent: RoomAgent) -> None:
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as tasks:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: tasks.create_task(agent.close()))
        tasks.create_task(agent.run())
