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

from demo.emulated import Equipment
from demo.faults import FaultsPage
from demo.files import EquipmentFile
from demo.life import live


async def _run(file: EquipmentFile) -> None:
    """Plug everything in, serve the faults page, unplug everything."""
    async with AsyncExitStack() as stack:
        equipment = Equipment(file)
        stack.push_async_callback(equipment.stop)
        await equipment.start()
        app = web.Application(client_max_size=16 * 1024)
        page = FaultsPage(equipment.rooms, equipment.everywhere, file.agents, file.dashboard)
        app.add_routes(page.routes())
        app.router.add_get("/healthz", _healthz)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", file.port).start()
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        living = asyncio.create_task(live(equipment), name="life of the rooms")
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({living, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if living.done():
            living.result()
        living.cancel()
        await asyncio.gather(living, stopping, return_exceptions=True)


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
