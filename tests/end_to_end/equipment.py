"""What happens to the equipment of the demo's rooms: faults, hands, and what one sees standing before a device."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.end_to_end.conftest import Demo

LOOK = 0.1  # seconds between two looks at a device


async def fault(demo: Demo, room: str, device: str, name: str, *, on: bool) -> None:
    """What the faults page does when someone presses."""
    await _post(demo.faults, {"room": room, "device": device, "fault": name, "on": on})


@asynccontextmanager
async def broken(demo: Demo, room: str, device: str, name: str) -> AsyncIterator[None]:
    """A fault, for as long as the context lasts."""
    await fault(demo, room, device, name, on=True)
    try:
        yield
    finally:
        await fault(demo, room, device, name, on=False)


async def act(demo: Demo, room: str, device: str, name: str) -> None:
    """Somebody does something with a device by hand."""
    await _post(f"{demo.faults}/acts", {"room": room, "device": device, "act": name})


async def shows(demo: Demo, room: str, device: str, within: float = 10.0, **wanted: Any) -> None:
    """Wait until somebody standing before a device would see this; raises TimeoutError."""
    async with asyncio.timeout(within):
        while not wanted.items() <= (await seen(demo, room))[device].items():
            await asyncio.sleep(LOOK)


async def seen(demo: Demo, room: str) -> dict[str, dict[str, Any]]:
    """What somebody sees now, standing before each device of a room."""
    async with aiohttp.ClientSession() as session, session.get(f"{demo.faults}/state") as answer:
        devices = (await answer.json())["rooms"][room]["devices"]
    return {id: device["shows"] for id, device in devices.items()}


async def _post(url: str, body: dict[str, Any]) -> None:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
        assert answer.status == 200, await answer.text()
