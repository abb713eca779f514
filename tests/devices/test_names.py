"""Names of devices: what nobody knows stalls nothing else."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from devices.channel import open_tcp, open_udp
from devices.emulators import PjlinkEmulator
from devices.errors import Lost
from tests.devices.stage import display, stage


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names under `.invalid` are looked up until the test ends; which were."""
    over, asked, real = threading.Event(), [], socket.getaddrinfo

    def getaddrinfo(host: str, *args: Any, **more: Any) -> Any:
        if str(host).endswith(".invalid"):
            asked.append(host)
            over.wait(20)
            raise socket.gaierror(socket.EAI_AGAIN, "no name server answers")
        return real(host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield asked
    over.set()


async def dial(opener: Any, host: str) -> None:
    async with opener(host, 9, lambda data: None):
        pass


@pytest.mark.parametrize("opener", [open_tcp, open_udp])
async def test_names_that_do_not_resolve_leave_the_loops_threads_alone(opener: Any, stuck: list[str]) -> None:
    dials = [asyncio.create_task(dial(opener, f"projector-{number % 8}.invalid")) for number in range(60)]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        assert await asyncio.to_thread(lambda: "free") == "free"
    for task in dials:
        task.cancel()
    await asyncio.wait(dials)
    assert len(stuck) <= 8, "each name once"


async def test_a_name_is_dialled_at_its_address() -> None:
    async with PjlinkEmulator(power="on") as pj, stage(display(("localhost", pj.address[1]))) as room:
        await room.online()


async def test_each_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    async def addresses(host: str) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    async with PjlinkEmulator(power="on") as pj:
        monkeypatch.setattr("devices.names.NAMES.addresses", addresses)
        async with open_tcp("projector.lan", pj.address[1], lambda data: None):
            pass


@pytest.mark.parametrize("opener", [open_tcp, open_udp])
async def test_a_name_nobody_knows_is_a_device_that_is_away(opener: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Lost, match="unknown"):
        await dial(opener, "projector.lan")
