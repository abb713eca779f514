"""The server is killed with -9 within a meeting: it is restarted, and everyone is back without touching anything."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import time

import aiohttp
import pytest
from playwright.async_api import BrowserContext

from tests.end_to_end.conftest import Demo
from tests.end_to_end.people import join
from tests.end_to_end.receiving import still_flows, until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser, pytest.mark.timeout(120)]

BACK = 10.0  # seconds


async def test_rooms_and_guests_are_back_within_ten_seconds(demo: Demo, context: BrowserContext) -> None:
    guest = await join(context, demo.guest, "Koen Peeters")
    await until(guest, lambda now: now.shown(20) >= 2, 20)
    killed = demo.pid("server")
    began = time.monotonic()
    os.kill(killed, signal.SIGKILL)
    await _serves_again(demo)
    await still_flows(guest, 2, 15)
    took = time.monotonic() - began
    assert demo.pid("server") != killed
    assert took < BACK, f"back after {took:.1f} s"


async def test_garbage_on_the_media_port_slows_nobody(demo: Demo, context: BrowserContext) -> None:
    guest = await join(context, demo.guest, "Eva Janssens")
    await until(guest, lambda now: now.shown(20) >= 2, 20)
    quiet = await still_flows(guest, 2, 10)
    dice = random.Random(7)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacker:
        attacker.connect(("127.0.0.1", demo.port + 2))
        first = {"stun": b"\x00\x01", "dtls": b"\x16\xfe\xfd", "rtp": b"\x80\x60"}
        for _ in range(3000):
            attacker.send(dice.choice(list(first.values())) + dice.randbytes(dice.randrange(1200)))
    flooded = await still_flows(guest, 2, 10)
    assert flooded < quiet + 2.0


async def _serves_again(demo: Demo) -> None:
    async with asyncio.timeout(10), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{demo.server}/healthz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
