"""`python -m demo.rooms --config FILE`: the agents of all demo rooms in one process.

`POST /demo/agents/{room}` with `{"present": false}` takes a room's agent away, as if its machine were switched off;
`GET` answers what is wrong with its devices, as the agent knows it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from pathlib import Path

import msgspec
from aiohttp import web

from demo.files import RoomsFile
from devices import Shared
from devices.registry import Registry
from roomctl.agent import RoomAgent
from roomctl.config import RoomConfig
from roomctl.serve import RoomServer
from web import Pages


class Presence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /demo/agents/{room}`."""

    present: bool


class Rooms:
    """The agents that run now; each can be taken away and brought back."""

    def __init__(self, configs: list[RoomConfig]) -> None:
        self._configs = {config.room.id: config for config in configs}
        self.server = RoomServer(Pages())
        self._shared = Shared()  # one connection to the sound server for all rooms
        self._registry = Registry.installed()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._agents: dict[str, RoomAgent] = {}

    def bring(self, room: str) -> None:
        """Start a room's agent, if it does not run. Raises KeyError for an unknown room."""
        if room in self._running:
            return
        agent = RoomAgent(self._configs[room], shared=self._shared, registry=self._registry)
        self._agents[room] = agent
        self.server.add(agent)
        self._running[room] = asyncio.create_task(agent.run(), name=f"agent {room}")

    async def take(self, room: str) -> None:
        """End a room's agent at once. Raises KeyError for an unknown room."""
        self._configs[room]
        await self.server.drop(room)
        self._agents.pop(room, None)
        task = self._running.pop(room, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def handle(self, request: web.Request) -> web.Response:
        """`POST /demo/agents/{room}`: for the faults page's process only, so never with an Origin."""
        if "Origin" in request.headers:
            raise web.HTTPForbidden
        room = request.match_info["room"]
        try:
            wanted = msgspec.json.decode(await request.read(), type=Presence).present
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise web.HTTPBadRequest(text=f"present: true or false ({error})") from None
        if room not in self._configs:
            raise web.HTTPNotFound(text="no such room")
        if wanted:
            self.bring(room)
        else:
            await self.take(room)
        return web.json_response({"present": wanted})

    async def troubles(self, request: web.Request) -> web.Response:
        """`GET /demo/agents/{room}`: the notices of each device by its id, for the faults page's process only."""
        if "Origin" in request.headers:
            raise web.HTTPForbidden
        agent = self._agents.get(request.match_info["room"])
        devices = agent.equipment.snapshot() if agent is not None else {}
        told = {id: [one.fault, *one.besides] for id, one in devices.items() if one.fault is not None}
        return web.Response(body=msgspec.json.encode(told), content_type="application/json")

    async def close(self) -> None:
        """End all."""
        await asyncio.gather(*(self.take(room) for room in list(self._running)))


async def _run(file: RoomsFile) -> None:
    rooms = Rooms(file.rooms)
    app = rooms.server.application()
    app.router.add_post("/demo/agents/{room}", rooms.handle)
    app.router.add_get("/demo/agents/{room}", rooms.troubles)
    for config in file.rooms:
        rooms.bring(config.room.id)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", file.port).start()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await runner.cleanup()
    await rooms.close()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m demo.rooms", description="The agents of all demo rooms.")
    parser.add_argument("--config", type=Path, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(_run(msgspec.json.decode(options.config.read_bytes(), type=RoomsFile)))


if __name__ == "__main__":
    main()
