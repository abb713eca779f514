"""`python -m demo`: the demo network behind `make run`. Ctrl-C ends everything it started."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import sys
import time
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import aiohttp

from demo.files import write_files
from demo.layout import Layout, PortTaken
from demo.meeting import DemoMeeting, Links
from demo.supervisor import NotStarted, Process, Supervisor
from signaling.config import is_loopback


def main() -> int:
    """Entry point: 0 after Ctrl-C, 2 where the demo cannot start."""
    parser = argparse.ArgumentParser(
        prog="python -m demo", description="A demo network of 8 centers with 31 live rooms."
    )
    parser.add_argument("--port", type=int, default=7880, help="pages; the three ports after it are used too")
    parser.add_argument("--data", type=Path, default=None, help="data folder (default: data/demo-PORT)")
    parser.add_argument(
        "--media",
        type=ip_address,
        default=ip_address("127.0.0.1"),
        help="address of this machine for media; Firefox needs one that is not loopback (the demo key is off then)",
    )
    options = parser.parse_args()
    if not 1024 <= options.port <= 65000:
        parser.error("--port must be 1024 to 65000")
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    os.umask(0o077)  # logs, links and databases are the owner's
    data = (options.data or Path("data") / f"demo-{options.port}").resolve()
    layout = Layout(options.port, data, str(options.media))
    try:
        layout.check_ports()
        return asyncio.run(_run(layout))
    except (PortTaken, NotStarted) as error:
        print(f"roomctl: {error}", file=sys.stderr)
        return 2


async def _run(layout: Layout) -> int:
    began = time.monotonic()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    token = secrets.token_urlsafe(32)
    write_files(layout, token)
    async with Supervisor(_say) as supervisor:
        bringing_up = asyncio.create_task(_bring_up(layout, supervisor, token))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({bringing_up, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not bringing_up.done():
            bringing_up.cancel()
            await asyncio.gather(bringing_up, return_exceptions=True)
            return 0
        meeting, links = bringing_up.result()
        took = time.monotonic() - began
        print(_sheet(layout, links, took, await _missing(layout)), flush=True)
        keeper = asyncio.create_task(meeting.keep(_say))
        pids = asyncio.create_task(_write_pids(layout, supervisor))
        await stopping
        for task in (keeper, pids):
            task.cancel()
        await asyncio.gather(keeper, pids, return_exceptions=True)
        print("\nEnding all processes …", flush=True)
    return 0


async def _bring_up(layout: Layout, supervisor: Supervisor, token: str) -> tuple[DemoMeeting, Links]:
    """Emulated equipment, server, rooms, meeting, in this order."""
    for name, module, argument, url in (
        ("equipment", "demo.equipment", layout.data / "equipment.json", f"{layout.equipment}/healthz"),
        ("server", "signaling", layout.data / "signaling.toml", f"{layout.server}/healthz"),
        ("rooms", "demo.rooms", layout.data / "rooms.json", f"{layout.agents}/healthz"),
    ):
        _say(f"starting {name} …")
        command = (sys.executable, "-m", module, "--config", str(argument))
        await supervisor.start(Process(name, command, layout.data / f"{name}.log", partial(_answers, url)))
    _say("starting the demo meeting …")
    meeting = DemoMeeting(layout, token)
    try:
        return meeting, await meeting.start()
    except TimeoutError:
        raise NotStarted(f"The demo meeting did not start; see the logs in {layout.data}") from None


async def _answers(url: str) -> bool:
    timeout = aiohttp.ClientTimeout(total=2)
    with contextlib.suppress(aiohttp.ClientError):
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            return answer.status == 200
    return False


async def _missing(layout: Layout) -> list[str]:
    """Debian packages without which some devices are not emulated here."""
    async with aiohttp.ClientSession() as session, session.get(f"{layout.equipment}/faults/state") as answer:
        rooms = (await answer.json())["rooms"].values()
    return sorted({device["missing"] for room in rooms for device in room["devices"].values()} - {""})


async def _write_pids(layout: Layout, supervisor: Supervisor) -> None:
    """`pids.json`: for those who want to end one process and see it come back."""
    while True:
        (layout.data / "pids.json").write_text(json.dumps(supervisor.pids()))
        await asyncio.sleep(0.5)


def _sheet(layout: Layout, links: Links, took: float, missing: list[str]) -> str:
    rooms = f"{layout.agents}/rooms"
    without = f"Some devices are unreachable; for them: sudo apt-get install {' '.join(missing)}" if missing else ""
    return f"""
  roomctl is running: 8 centers, 31 rooms (ready after {took:.0f} s). Ctrl-C ends it.

  Start page          {layout.server}/
  Join as a guest     {links.guest}

  Redu, Lesse         panel    {rooms}/red-lesse/panel
                      display  {rooms}/red-lesse/display
  Wemmel, Atomium     panel    {rooms}/wem-atomium/panel
                      display  {rooms}/wem-atomium/display
  Lauzelle and Senne are in a meeting {_key(layout)}.

  Dashboard for IT    {links.sign_in}
                      (works once; another: make sign-in PORT={layout.port})
  Faults              {layout.equipment}/faults
  Logs                {layout.data}/*.log
  {without}"""


def _key(layout: Layout) -> str:
    if is_loopback(layout.media_host):
        return '(LiveKit room "demo", key devkey, secret "secret", loopback only; for Firefox: make run MEDIA=address)'
    return f'(LiveKit room "demo", media on {layout.media_host}, so without the demo key)'


def _say(text: str) -> None:
    print(f"  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
