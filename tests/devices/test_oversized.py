"""Replies without end: thrown away piece by piece, and said as what they are."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from devices.registry import Registry
from tests.devices.stage import camera, display, nothing_left_behind, stage

PIECE = b"%1POWR=" + b"9" * 65000
LIMIT = 8_000_000  # bytes the agent may hold more than before


@asynccontextmanager
async def babbler(greeting: bytes) -> AsyncIterator[tuple[str, int]]:
    """A server that says its greeting and then one line without end."""
    clients: set[asyncio.StreamWriter] = set()

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.add(writer)
        with suppress(ConnectionError):
            writer.write(greeting)
            for _ in range(400):
                writer.write(PIECE)
                await writer.drain()
            await reader.read()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[:2]
    finally:
        server.close()
        for client in clients:
            client.transport.abort()


@pytest.mark.parametrize("driver", ["pjlink", "visca"])
async def test_a_reply_without_end_is_garbage_and_fills_no_memory(driver: str) -> None:
    async with nothing_left_behind(), babbler(b"PJLINK 0\r" if driver == "pjlink" else b"") as address:
        config = display(address) if driver == "pjlink" else camera(address, transport="tcp")
        Registry.installed()  # loaded before it is counted
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            async with stage(config) as room:
                device = await room.until(lambda device: device.fault is not None)
                assert device.fault is not None
                assert device.fault.code == "device.garbage"
                assert len(device.last_words) <= 200
                assert tracemalloc.get_traced_memory()[1] - before < LIMIT
        finally:
            tracemalloc.stop()
