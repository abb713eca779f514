"""A real server as a child process of an emulator: started, waited for, stopped in its tracks, ended with us."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

START = 20.0  # seconds a server may take to answer
PAUSE = 0.03  # seconds between two looks

Ready = Callable[[], Awaitable[bool]]


class ServerProcess:
    """`missing`: what to say when the program is not installed. `talks`: it answers lines with lines."""

    def __init__(
        self, command: list[str], missing: str, environment: Mapping[str, str] | None = None, *, talks: bool = False
    ) -> None:
        self._command = command
        self._pipe = asyncio.subprocess.PIPE if talks else asyncio.subprocess.DEVNULL
        self._missing = missing
        self._environment = {"PATH": os.environ.get("PATH", ""), **(environment or {})}
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[int] | None = None

    async def start(self, ready: Ready) -> None:
        """Run until `ready`; raises RuntimeError when it ends or takes too long."""
        guard = [path, "--pdeathsig", "KILL"] if (path := shutil.which("setpriv")) else []
        quiet = asyncio.subprocess.DEVNULL
        try:
            self._process = await asyncio.create_subprocess_exec(
                *guard, *self._command, env=self._environment, stdin=self._pipe, stdout=self._pipe, stderr=quiet
            )
        except FileNotFoundError:
            raise RuntimeError(self._missing) from None
        self._watch = asyncio.create_task(self._process.wait(), name=self._command[0])
        try:
            async with asyncio.timeout(START):
                while self.running and not await ready():
                    await asyncio.sleep(PAUSE)
        except TimeoutError:
            pass
        else:
            if self.running:
                return
        await self.stop()
        raise RuntimeError(f"{self._command[0]} does not start. {self._missing}")

    @property
    def running(self) -> bool:
        """Started, and it did not end."""
        return self._process is not None and self._process.returncode is None

    def pause(self, on: bool) -> None:
        """Stop it in its tracks, or let it go on."""
        self.send(signal.SIGSTOP if on else signal.SIGCONT)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process is not None and self.running:
            self._process.send_signal(number)

    async def say(self, line: str) -> str:
        """Its answer to a line."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RuntimeError("it is not running, or does not talk")
        process.stdin.write(line.encode() + b"\n")
        return (await process.stdout.readline()).decode().strip()

    async def stop(self) -> None:
        """End it now."""
        if self._process is not None and self.running:
            self._process.kill()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        if self._watch is not None:
            await asyncio.wait({self._watch})
        self._process = self._watch = None


def free_port(kind: Literal["tcp", "udp"] = "tcp", host: str = "127.0.0.1") -> int:
    """A port that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as one:
        one.bind((host, 0))
        return int(one.getsockname()[1])


async def answers(host: str, port: int) -> bool:
    """Somebody accepts TCP connections there."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True
