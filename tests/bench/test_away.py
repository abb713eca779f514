"""Addresses where nobody answers are silent, or refuse; a flapping device is online each time before it is cut off."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bench import devices
from bench.away import Flapping, everywhere_silent, nowhere
from devices.state import DeviceState
from tests.devices.stage import display, stage

PATIENCE = 0.3  # seconds; a loopback answers within microseconds


async def test_a_silent_address_neither_takes_nor_refuses() -> None:
    with everywhere_silent() as address:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await asyncio.open_connection(*address)


async def test_nowhere_refuses() -> None:
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*nowhere())


async def test_a_flapping_device_comes_online_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    connected, online = DeviceState.connected, asyncio.Semaphore(0)

    def counted(state: DeviceState, *said: Any) -> None:
        online.release()
        connected(state, *said)

    monkeypatch.setattr(DeviceState, "connected", counted)
    async with Flapping() as one, stage(display(one.address)) as room:
        for _ in range(3):
            await online.acquire()
            await room.gone()


async def test_reconnects_are_counted_until_all_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "WARM", 10)
    async with Flapping() as one:
        rows = await devices.reconnect([display(one.address)], 10)
    assert {row.name: row.value > 0 for row in rows if row.name != "device_reconnect_growth"} == {
        "device_reconnect_cpu": True,
        "device_reconnect_rate": True,
    }
