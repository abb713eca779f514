"""The server's rooms and the real agents together, over real sockets: only devices, media and tokens are doubles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from aiohttp import web

from roomctl.actions import act
from roomctl.agent import RoomAgent
from roomctl.config import AnswerSettings, MediaSettings, RoomConfig, ServerSettings
from roomctl.keys import AgentKey
from signaling.rooms import RoomService
from signaling.store import CredentialRecord, Store, sqlite_url
from tests.roomctl.rooms import Devices, Media
from tests.signaling.rooms.world import HAIN, LAUZELLE, NETWORK, SENNE, SETTINGS, FakeMedia, FakeTokens
from wire.link import Phase
from wire.topic import Topic
from wire.views import ActionResult, PanelAction


@dataclass
class Site:
    """A server that can be killed, and agents."""

    folder: Path
    store: Store
    port: int = 0
    agents: dict[str, RoomAgent] = field(default_factory=dict)

    async def serve(self) -> None:
        """A server process: what it knows comes from the store."""
        self.service = RoomService(self.store, FakeTokens(), FakeMedia(), NETWORK, SETTINGS)
        await self.service.restore()
        app = web.Application()
        app.router.add_get("/link", self.service.handle_link)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]
        self._time = asyncio.create_task(self.service.run())

    async def kill(self) -> None:
        """The server is gone without a word."""
        self._time.cancel()
        await asyncio.gather(self._time, return_exceptions=True)
        await self._runner.cleanup()

    async def equip(self, room: str, *, auto: bool = False) -> RoomAgent:
        """The agent of a room, enrolled."""
        place = next(known for known in NETWORK.rooms if known.id == room)
        center = next(known for known in NETWORK.centers if known.id == place.center)
        file = self.folder / f"{room}.key"
        if not file.exists():
            key = AgentKey.generate()
            key.write(file)
            await self.store.put_credential(CredentialRecord(room, key.public, 1.0))
        config = RoomConfig(
            place,
            center,
            ServerSettings(f"http://127.0.0.1:{self.port}", str(file)),
            data=str(self.folder / room),
            media=MediaSettings("agent"),
            answer=AnswerSettings(auto, 0.1),
        )
        devices, media = Devices(), Media()
        agent = RoomAgent(config, equipment=devices, endpoint=media, random=Random(7))
        devices.on_change, media.on_change = agent.devices_changed, agent.changed
        self.agents[room] = agent
        return agent

    async def press(self, room: str, op: str, **more: object) -> ActionResult:
        """Someone presses on a panel."""
        return await act(self.agents[room], PanelAction(1, op, **more))  # type: ignore[arg-type]

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Wait for what the server shows to change until it is so."""
        changed = asyncio.Event()

        async def follow(topic: Topic) -> None:
            with topic.subscribe() as changes:
                async for _ in changes:
                    changed.set()

        rooms = [topic for room in self.agents for topic in self.service._board.topics(room)]
        async with asyncio.timeout(15), asyncio.TaskGroup() as tasks:
            following = [tasks.create_task(follow(topic)) for topic in (self.service.dashboard, *rooms)]
            while not wanted():
                changed.clear()
                await changed.wait()
            for task in following:
                task.cancel()

    def ready(self, *rooms: str) -> bool:
        shown = self.service.dashboard.data["rooms"]
        return all(shown[room]["verdict"]["health"] == "ready" for room in rooms)

    def calls(self) -> dict[str, str]:
        return {id: room.call.value for view in self.service.meetings() for id, room in view.rooms.items()}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        store = await Store.open(sqlite_url(tmp_path / "rooms.sqlite"))
        stack.push_async_callback(store.close)
        await store.put_network(NETWORK)
        site = Site(tmp_path, store)
        await site.serve()
        try:
            yield site
        finally:
            await site.kill()


async def test_a_call_across_centers_a_killed_server_and_the_end(site: Site) -> None:
    async with asyncio.TaskGroup() as tasks:
        for room, auto in ((LAUZELLE, False), (SENNE, True), (HAIN, False)):
            tasks.create_task((await site.equip(room, auto=auto)).run())
        await site.until(lambda: site.ready(LAUZELLE, SENNE, HAIN))

        assert (await site.press(LAUZELLE, "start", rooms=[SENNE])).problem is None
        await site.until(lambda: site.calls() == {LAUZELLE: "joined", SENNE: "joined"})
        assert (await site.press(LAUZELLE, "invite")).problem is None
        assert (await site.press(LAUZELLE, "add_rooms", rooms=[HAIN])).problem is None
        await site.until(lambda: site.agents[HAIN].room.phase is Phase.RINGING)

        await site.kill()
        await site.serve()
        await site.until(lambda: site.calls() == {LAUZELLE: "joined", SENNE: "joined", HAIN: "ringing"})
        assert (await site.press(HAIN, "decline")).problem is None
        assert site.calls()[HAIN] == "declined"

        assert (await site.press(SENNE, "leave")).problem is None
        assert site.calls()[SENNE] == "left"
        assert (await site.press(LAUZELLE, "end")).problem is None
        assert site.calls() == {}
        for agent in site.agents.values():
            await agent.close()


async def test_an_agent_that_is_killed_and_started_again_returns_to_its_meeting(site: Site) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task((await site.equip(LAUZELLE)).run())
        first = tasks.create_task((await site.equip(SENNE, auto=True)).run())
        await site.until(lambda: site.ready(LAUZELLE, SENNE))
        await site.press(LAUZELLE, "start", rooms=[SENNE])
        await site.until(lambda: site.calls() == {LAUZELLE: "joined", SENNE: "joined"})
        await site.agents[SENNE].close()
        await first
        await site.until(lambda: site.calls()[SENNE] == "lost")
        tasks.create_task((await site.equip(SENNE)).run())
        await site.until(lambda: site.calls()[SENNE] == "joined")
        for agent in site.agents.values():
            await agent.close()
