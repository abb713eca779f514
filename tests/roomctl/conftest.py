"""A room with its agent running, and a server for its link."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from roomctl.agent import RoomAgent
from tests.roomctl.linkserver import LinkServer, link_server
from tests.roomctl.rooms import TestRoom


@asynccontextmanager
async def running(agent: RoomAgent) -> AsyncIterator[RoomAgent]:
    """The agent runs within the context."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(agent.run())
        try:
            yield agent
        finally:
            await agent.close()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[LinkServer]:
    async with link_server() as server:
        yield server


@pytest_asyncio.fixture
async def room(server: LinkServer, tmp_path: Path) -> AsyncIterator[TestRoom]:
    """A linked room that does not answer by itself."""
    room = TestRoom(tmp_path, server.url)
    async with running(room.agent):
        await server.linked()
        yield room


MakeRoom = Callable[..., TestRoom]


@pytest.fixture
def make_room(server: LinkServer, tmp_path: Path) -> MakeRoom:
    def make(**settings: object) -> TestRoom:
        return TestRoom(tmp_path, server.url, **settings)  # type: ignore[arg-type]

    return make
