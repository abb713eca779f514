"""One emulator in a terminal, to try a driver by hand: `python -m devices.emulators pjlink --password secret`.

It prints how to reach it, and then reads what to do, a line each: `NAME` switches a fault on, `NAME off` off again,
`state` says what it was asked, `end` (or Ctrl-D, Ctrl-C) ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import shlex
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from devices.emulators.faults import Emulator
from devices.emulators.stand import Stand, Wish, stand
from devices.registry import Registry


def toml(value: object) -> str:
    """A setting as TOML writes it on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def words(driver: str, one: Stand) -> str:
    """How to reach it."""
    given = " ".join(f"--set {shlex.quote(f'{key}={_plain(value)}')}" for key, value in one.settings.items())
    lines = [f"{driver} emulator. Try, in another terminal:", ""]
    lines += [f"  roomctl devices probe --driver {driver} {given}"]
    lines += [f"  roomctl devices send {one.trial} --driver {driver} {given}"] if one.trial else []
    lines += ["", "In a room's file:", "", f'  driver = "{driver}"', f"  settings = {toml(one.settings)}", ""]
    lines += [f"Faults: {', '.join(one.emulator.available_faults) or 'none'}"]
    lines += ["Type a fault's name to switch it on, `NAME off` for off, `state` for what was asked, `end` to end."]
    return "\n".join(lines)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else toml(value)


def obey(emulator: Emulator, line: str) -> str:
    """What one line asks; returns what to print."""
    name, _, how = line.strip().partition(" ")
    if not name:
        return ""
    if name == "state":
        on = ", ".join(sorted(emulator.faults)) or "none"
        return (
            f"faults: {on}; asked {emulator.requests} times; carried out: {', '.join(emulator.commands) or 'nothing'}"
        )
    if how not in ("", "on", "off") or name not in emulator.available_faults:
        return f"Not known: {line.strip()!r}. Faults: {', '.join(emulator.available_faults) or 'none'}."
    emulator.fault(name, how != "off")
    return f"{name} is {'off' if how == 'off' else 'on'}."


async def serve(driver: str, wish: Wish) -> None:
    """Run it until standard input ends."""
    opener = stand(driver)
    assert opener is not None
    async with opener(wish) as one:
        print(words(driver, one), flush=True)
        while (line := await asyncio.to_thread(sys.stdin.readline)) and line.strip() != "end":
            if answer := obey(one.emulator, line):
                print(answer, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    known = Registry.installed().ids
    parser = argparse.ArgumentParser(
        prog="python -m devices.emulators", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("driver", choices=known, metavar="DRIVER", help=", ".join(known))
    parser.add_argument("--port", type=int, default=0, help="where it listens; any free one by default")
    parser.add_argument("--password", default="", help="that it asks for (pjlink, onvif, rtsp, mqtt)")
    asked: Any = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="emulator") as folder, suppress(KeyboardInterrupt):
        try:
            asyncio.run(serve(asked.driver, Wish(Path(folder), asked.port, asked.password)))
        except (RuntimeError, OSError) as error:  # a server that is not installed, a port that is taken
            print(f"The emulator of {asked.driver} cannot run: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
