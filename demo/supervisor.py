"""Keeps processes running: starts them in order, waits until each answers, restarts what dies, ends all at the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

GRACE = 5.0  # seconds between asking a process to end and ending it
STEADY = 20.0  # seconds a process must live for its restarts to be at once again


@dataclass(frozen=True)
class Process:
    """One process: its command, log file, extra environment, and how to tell that it serves."""

    name: str
    command: tuple[str, ...]
    log: Path
    ready: Callable[[], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=dict)


class NotStarted(Exception):
    """A process did not come up; the message says where its log is and how it ends."""


class Supervisor:
    """Owns every process it started; `async with` ends them all."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._keepers: list[asyncio.Task[None]] = []
        self._running: dict[str, asyncio.subprocess.Process] = {}

    async def __aenter__(self) -> Supervisor:
        return self

    async def __aexit__(self, *_: object) -> None:
        for keeper in reversed(self._keepers):
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    def pids(self) -> dict[str, int]:
        """Process id by name, of those alive now."""
        return {name: process.pid for name, process in self._running.items() if process.returncode is None}

    async def start(self, process: Process, timeout: float = 30.0) -> None:
        """Start and wait until it serves; then it is kept running. Raises NotStarted."""
        keeper = asyncio.create_task(self._keep(process), name=f"keep {process.name}")
        self._keepers.append(keeper)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if keeper.done() or (self._exited(process.name) and time.monotonic() + 2 > deadline):
                break
            with contextlib.suppress(OSError, asyncio.TimeoutError):
                if await process.ready():
                    return
            await asyncio.sleep(0.1)
        tail = "\n".join(process.log.read_text(errors="replace").splitlines()[-8:]) if process.log.exists() else ""
        raise NotStarted(f"{process.name} does not answer after {timeout:.0f} s. The end of {process.log}:\n{tail}")

    def _exited(self, name: str) -> bool:
        process = self._running.get(name)
        return process is not None and process.returncode is not None

    async def _keep(self, process: Process) -> None:
        pause = 0.2
        while True:
            began = time.monotonic()
            await self._run(process)
            lived = time.monotonic() - began
            pause = 0.2 if lived > STEADY else min(pause * 2, 10.0)
            self._say(f"{process.name} ended after {lived:.0f} s: starting it again (log: {process.log})")
            await asyncio.sleep(pause)

    async def _run(self, process: Process) -> None:
        """One life of a process, in a group of its own so that its children end with it."""
        environment = {**os.environ, **process.environment}
        with process.log.open("ab") as log:
            child = await asyncio.create_subprocess_exec(
                *process.command, stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL, env=environment,
                start_new_session=True,
            )  # fmt: skip
        self._running[process.name] = child
        try:
            await child.wait()
        finally:
            await _end(child)


async def _end(child: asyncio.subprocess.Process) -> None:
    """Ask the whole group to end, insist after the grace time."""
    for number, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, 1.0)):
        if not _tell(child.pid, number):
            return
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and _tell(child.pid, 0):  # a group's end raises no event
            await asyncio.sleep(0.05)


def _tell(group: int, number: int) -> bool:
    """Send a signal to a process group; whether it still exists."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True
