"""A TCP wire between clients and a server that tests can cut and mend."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Wire:
    """Forwards connections to a port. While it is down new ones are refused."""

    def __init__(self, host: str, target: int) -> None:
        self.url = ""
        self.down = False
        self._host, self._target = host, target
        self._ends: set[asyncio.StreamWriter] = set()

    def cut(self, *, down: bool = False) -> None:
        """Break every connection at once (RST); with `down` until `mend`."""
        self.down = down
        for end in self._ends:
            end.transport.abort()

    def mend(self) -> None:
        """Let connections through again."""
        self.down = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        if self.down:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(self._host, self._target)
        self._ends |= {writer, far_writer}
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(reader, far_writer))
                both.create_task(_pump(far_reader, writer))
        finally:
            self._ends -= {writer, far_writer}
            for end in (writer, far_writer):
                end.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def wire(url: str, host: str = "127.0.0.1") -> AsyncIterator[Wire]:
    """A wire to a server's URL; both at the address `host`."""
    made = Wire(host, int(url.rpartition(":")[2]))
    listener = await asyncio.start_server(made.carry, host, 0)
    made.url = f"http://{host}:{listener.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        listener.close()
        made.cut(down=True)
        await listener.wait_closed()
