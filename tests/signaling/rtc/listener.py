"""`python -m tests.signaling.rtc.listener URL TOKEN`: a process that receives data, and can be stopped.

aiortc on path V0. Prints a line `NUMBER` for each user packet, the number its payload begins with (four bytes, big endian).
"""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession
from livekit.protocol.models import DataPacket

from tests.signaling.rtc.aio import AioSubscriber
from tests.signaling.rtc.world import Client, World

LONGEST = 60.0
"""Seconds after which the process ends by itself."""


def numbered(number: int, size: int) -> bytes:
    """A payload of `size` bytes for a listener."""
    return number.to_bytes(4, "big").ljust(size, b"x")


class Listener:
    """Such a process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def next(self) -> int:
        """The number of the next packet it has received."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, "it ended"
        return int(line)

    def stop(self) -> None:
        """It reads nothing and answers nothing, and its sockets fill up."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """It wakes up."""
        self._process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def listener(world: World, identity: str) -> AsyncIterator[Listener]:
    """Somebody who joins from a process of its own."""
    command = [sys.executable, "-m", "tests.signaling.rtc.listener", world.url, world.token(identity)]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    try:
        yield Listener(process)
    finally:
        process.kill()
        await process.wait()


async def _stay(client: Client) -> None:
    """Say now and then that we are there."""
    while True:
        await client.send(ping=1)
        await asyncio.sleep(3)


async def main(url: str, token: str) -> None:
    """Join and print."""
    async with ClientSession() as http, http.ws_connect(f"{url}/rtc?access_token={token}", max_msg_size=0) as socket:
        client = Client(socket)
        client.joined = (await client.expect("join")).join
        made = AioSubscriber(client)
        async with asyncio.timeout(LONGEST), asyncio.TaskGroup() as tasks:
            tasks.create_task(made.run())
            tasks.create_task(_stay(client))
            while True:
                packet = DataPacket.FromString(await made.messages.get())
                if packet.WhichOneof("value") == "user":
                    print(int.from_bytes(packet.user.payload[:4], "big"), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
