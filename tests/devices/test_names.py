"""Names of devices: what nobody knows stalls nothing else."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from devices import DeviceConfig, Timing
from devices.channel import open_tcp, open_udp
from devices.emulators import PjlinkEmulator
from devices.emulators.onvif import OnvifEmulator
from devices.errors import Lost
from devices.names import THREADS, Names
from tests.devices.cases.onvif import camera
from tests.devices.stage import display, nothing_left_behind, stage
from wire.devices import Role


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


async def test_a_machine_without_a_thread_left_knows_no_name_until_it_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    names = Names()
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", none_left)
        for _ in range(THREADS + 1):
            with pytest.raises(Lost, match="can't start new thread"):
                await names.addresses("projector.lan")
    monkeypatch.setattr("devices.names._look_up", lambda host: ["10.0.0.5"])
    async with asyncio.timeout(5):
        assert await names.addresses("projector.lan") == ["10.0.0.5"]


NAMELESS: dict[str, dict[str, Any]] = {
    "pjlink": {"listen": 24352},
    "wol": {"mac": "00:11:22:33:44:%02x", "probe": 22},
    "onvif": {},
    "snmp": {"community": "public", "ports": {"1": {"interface": 1}}},
}


@pytest.mark.parametrize("driver", NAMELESS)
async def test_devices_whose_names_nobody_knows_stall_nothing_local(driver: str, stuck: list[str]) -> None:
    """More of them than the loop has threads of its own."""
    given = [
        {key: value % number if "%" in str(value) else value for key, value in NAMELESS[driver].items()}
        for number in range(len(Role))
    ]
    devices = [
        DeviceConfig(
            role.value, role, driver, role.value, {"host": f"{driver}-{role.value}.invalid".replace("_", "-"), **one}
        )
        for role, one in zip(Role, given, strict=True)
    ]
    async with stage(*devices, timing=Timing()):
        async with asyncio.timeout(8):
            while len(set(stuck)) < len(devices):
                await asyncio.sleep(0.02)
        async with asyncio.timeout(5):
            assert await asyncio.to_thread(lambda: "free") == "free"
        assert len(stuck) <= 2 * len(devices)


async def test_a_camera_is_found_by_its_name() -> None:
    async with nothing_left_behind(), OnvifEmulator(password="secret") as one:
        config = camera(one)
        named = msgspec.structs.replace(config, settings={**config.settings, "host": "localhost"})
        async with stage(named) as room:
            await room.online()
