"""`python -m roomctl --config FILE` runs one room; `python -m roomctl keygen --key FILE` makes its key."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from aiohttp import web

from devices.config import DeviceSettingsError
from roomctl.agent import RoomAgent
from roomctl.config import RoomConfig, read_config
from roomctl.errors import AgentError
from roomctl.keys import AgentKey
from roomctl.serve import agents_app


def main(arguments: list[str] | None = None) -> int:
    """Command line; the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m roomctl", description="The room controller agent.")
    parser.add_argument("--config", type=Path, help="TOML file of the room")
    parser.add_argument("--verbose", action="store_true", help="log more")
    commands = parser.add_subparsers(dest="command")
    keygen = commands.add_parser("keygen", help="make the agent's key and print the public key to enrol")
    keygen.add_argument("--key", type=Path, required=True, help="file to write")
    options = parser.parse_args(arguments)
    if options.command == "keygen":
        return make_key(options.key)
    if options.config is None:
        parser.error("--config FILE is needed (or: keygen --key FILE)")
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    try:
        config = read_config(options.config)
        asyncio.run(run_room(config))
    except (AgentError, DeviceSettingsError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def make_key(path: Path) -> int:
    """Write a new key and print its public half; an existing key is kept and its public half printed."""
    try:
        if path.exists():
            key = AgentKey.read(path)
            print(f"{path} exists and is kept", file=sys.stderr)
        else:
            key = AgentKey.generate()
            key.write(path)
    except (AgentError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(key.public)
    return 0


async def run_room(config: RoomConfig) -> None:
    """Serve and run one room until SIGINT or SIGTERM."""
    agent = RoomAgent(config)
    runner = web.AppRunner(agents_app([agent], names=config.pages.names), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, config.pages.bind, config.pages.port).start()
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, lambda: tasks.create_task(agent.close()))
            tasks.create_task(agent.run())
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
