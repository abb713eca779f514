"""`python -m demo.equipment --config FILE`: the emulated devices of all demo rooms, and the faults page."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
from aiohttp import web

from demo.faults import Breakables, FaultsPage
from demo.files import PJLINK_PORT, VISCA_PORT, EquipmentFile
from devices.emulators import PjlinkEmulator, PulseServer, ViscaEmulator
from wire.devices import Role


async def _run(file: EquipmentFile) -> None:
    """Plug everything in, serve the faults page, unplug everything."""
    async with AsyncExitStack() as stack:
        sound = PulseServer(file.pulse)
        await stack.enter_async_context(sound)
        rooms: dict[str, Breakables] = {}
        for room in file.rooms:
            camera = ViscaEmulator(room.host, VISCA_PORT)
            projector = PjlinkEmulator(room.host, PJLINK_PORT)
            speaker = sound.add("sink", room.sink, room.sink)
            mic = sound.add("source", room.source, room.source)
            for device in (camera, projector, speaker, mic):
                await stack.enter_async_context(device)
            rooms[room.id] = Breakables(
                room,
                {
                    "camera": ("Caméra", Role.MAIN_CAMERA, camera),
                    "projector": ("Projecteur", Role.FRONT_DISPLAY, projector),
                    "speaker": ("Haut-parleurs", Role.ROOM_SPEAKER, speaker),
                    "mic": ("Micros de table", Role.ROOM_MIC, mic),
                },
            )
        app = web.Application(client_max_size=16 * 1024)
        app.add_routes(FaultsPage(rooms, file.agents, file.dashboard).routes())
        app.router.add_get("/healthz", _healthz)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", file.port).start()
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await stop.wait()


async def _healthz(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m demo.equipment", description="The emulated devices of the demo.")
    parser.add_argument("--config", type=Path, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(_run(msgspec.json.decode(options.config.read_bytes(), type=EquipmentFile, dec_hook=_path)))


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError


if __name__ == "__main__":
    main()
