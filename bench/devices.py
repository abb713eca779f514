"""What a network's devices cost one agent process: 31 rooms × 8 devices, their emulators and PulseAudio in another.

    python -m bench.devices [--rooms 31] [--seconds 20] [--reconnects 10000] [--unreachable 300] [--json FILE]
                            [--only idle|reconnect|unreachable]

Each room has a VISCA and an ONVIF camera, two PJLink displays, a speaker, a microphone, an MQTT sensor (one mosquitto for
all rooms) and a supply (one upsd for all). CPU is getrusage of this process.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from bench.rows import Row, table
from devices import DeviceConfig, DeviceHub, Shared, Timing
from devices.emulators import PjlinkEmulator, PulseServer, ViscaEmulator
from devices.emulators.mqtt import MqttBroker, MqttSensorEmulator
from devices.emulators.onvif import OnvifEmulator
from devices.emulators.ups import UpsServer
from wire.devices import Connection, DeviceCommand, Role

Room = list[DeviceConfig]
Found = list[tuple[str, float, str, float | None]]  # name, value, unit, goal
DISPLAYS = (Role.FRONT_DISPLAY, Role.SECOND_DISPLAY)
FLAPPING = 20  # devices that share the reconnects
RESTLESS = replace(Timing(), backoff_first=0.002, backoff_last=0.002, nudge=0.0, stable=1e9)
LONG_AWAY = replace(Timing(), backoff_first=Timing().backoff_away, away_after=0)  # as after ten minutes
WARM = 0.1  # part of the reconnects after which growth is counted


async def emulate(stack: AsyncExitStack, asked: argparse.Namespace, folder: Path) -> tuple[list[Room], Room, Room]:
    """Start all emulators; the rooms, as many reachable devices as unreachable ones, devices that reset."""
    for part in ("pulse", "mqtt", "ups"):
        (folder / part).mkdir(parents=True)
    server = await stack.enter_async_context(PulseServer(folder / "pulse"))
    broker = await stack.enter_async_context(MqttBroker(folder / "mqtt"))
    upsd = await stack.enter_async_context(UpsServer(folder / "ups"))
    rooms = []
    for number in range(asked.rooms if asked.only in (None, "idle") else 0):
        room = [await _camera(stack), *[await _display(stack, role) for role in DISPLAYS]]
        onvif = await stack.enter_async_context(OnvifEmulator())
        room.append(_at("onvif", Role.CONTENT_INPUT, "onvif", onvif.address))
        sink = await stack.enter_async_context(server.add("sink", f"room{number}.speaker"))
        source = await stack.enter_async_context(server.add("source", f"room{number}.mic"))
        room.append(_audio(Role.ROOM_SPEAKER, server.address, sink=sink.name))
        room.append(_audio(Role.ROOM_MIC, server.address, source=source.name))
        await stack.enter_async_context(MqttSensorEmulator(broker, f"air{number}", retain=True))
        room.append(_at("air", Role.AIR_SENSOR, "mqtt", broker.address, device=f"air{number}"))
        rooms.append([*room, _at("ups", Role.UPS, "ups", upsd.address, ups="ups")])
    reachable = [await _display(stack, Role.FRONT_DISPLAY) for _ in range(_away_of(asked))]
    flapping = []
    for _ in range(FLAPPING):
        one = await stack.enter_async_context(PjlinkEmulator())
        one.fault("reset")
        flapping.append(_at("display", Role.FRONT_DISPLAY, "pjlink", one.address))
    return rooms, reachable, flapping


def _away_of(asked: argparse.Namespace) -> int:
    return int(asked.unreachable) if asked.only in (None, "unreachable") else 0


async def _camera(stack: AsyncExitStack) -> DeviceConfig:
    one = await stack.enter_async_context(ViscaEmulator())
    return _at("camera", Role.MAIN_CAMERA, "visca", one.address)


async def _display(stack: AsyncExitStack, role: Role) -> DeviceConfig:
    one = await stack.enter_async_context(PjlinkEmulator())
    return _at(role.value, role, "pjlink", one.address)


def _at(name: str, role: Role, driver: str, address: tuple[str, int], **more: str) -> DeviceConfig:
    return DeviceConfig(name, role, driver, name, {"host": address[0], "port": address[1], **more})


def _audio(role: Role, server: str, **node: str) -> DeviceConfig:
    return DeviceConfig(role.value, role, "pulse", role.value, {"server": server, **node})


@asynccontextmanager
async def running(rooms: list[Room], timing: Timing | None = None) -> AsyncIterator[list[DeviceHub]]:
    """A hub per room."""
    shared, dice = Shared(), random.Random(1)  # noqa: S311
    hubs = [
        DeviceHub(str(number), room, lambda: None, shared=shared, timing=timing, dice=dice)
        for number, room in enumerate(rooms)
    ]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(hub.run()) for hub in hubs]
        yield hubs
        for task in tasks:
            task.cancel()


async def _online(hubs: list[DeviceHub]) -> None:
    async with asyncio.timeout(90):
        while not all(one.connection is Connection.ONLINE for hub in hubs for one in hub.snapshot().values()):
            await asyncio.sleep(0.1)


async def _cpu(seconds: float) -> float:
    """Percent of a core that this process uses."""
    own, begun = _own_cpu(), time.monotonic()
    await asyncio.sleep(seconds)
    return 100 * (_own_cpu() - own) / (time.monotonic() - begun)


async def idle(rooms: list[Room], seconds: float) -> Found:
    """All rooms idle, then single commands."""
    async with running(rooms) as hubs:
        await _online(hubs)
        await asyncio.sleep(5.0)  # past the first polls
        cpu, resident = await _cpu(seconds), _resident()
        stored = await _latency(hubs, "store_preset", {"preset": 9})
        stopped = await _latency(hubs, "stop", {})
    return [
        ("idle CPU", cpu, "% of a core", 5.0),
        ("resident", resident, "MB", 250.0),
        ("command to acknowledgement, p99", stored, "ms", 5.0),
        ("stop of pan and zoom, two commands, p99", stopped, "ms", 5.0),
    ]


async def _latency(hubs: list[DeviceHub], op: str, args: dict[str, str | int | float | bool | None]) -> float:
    taken = []
    for hub in hubs * 10:
        await asyncio.sleep(0.03)  # past the pause after the exchange before
        begun = time.perf_counter()
        result = await hub.execute(DeviceCommand(Role.MAIN_CAMERA, op, args))
        assert result.outcome == "done", result
        taken.append(1000 * (time.perf_counter() - begun))
    return sorted(taken)[int(len(taken) * 0.99)]


async def reconnect(flapping: Room, wanted: int) -> Found:
    """Devices that reset each connection, until `wanted` were made: what memory grew after the first tenth."""
    begun, own = time.monotonic(), _own_cpu()
    async with running([[one] for one in flapping], RESTLESS) as hubs:
        runners = [runner for hub in hubs for runner in hub._runners]

        async def until(count: int) -> float:
            async with asyncio.timeout(600):
                while sum(runner._backoff._failures for runner in runners) < count:
                    await asyncio.sleep(0.05)
            gc.collect()
            return _resident()

        warm = await until(int(WARM * wanted))
        grown = await until(wanted) - warm
    return [
        (f"growth over {wanted} reconnects", grown, "MB", 2.0),
        ("one reconnect", 1000 * (_own_cpu() - own) / wanted, "ms of CPU", None),
        ("reconnects", wanted / (time.monotonic() - begun), "1/s", None),
    ]


async def unreachable(reachable: Room, seconds: float) -> Found:
    """As many devices that answer as devices that do not."""
    async with running([[one] for one in reachable]) as hubs:
        await _online(hubs)
        await asyncio.sleep(5.0)
        there = await _cpu(seconds)
    nowhere = [_at("display", Role.FRONT_DISPLAY, "pjlink", ("127.0.0.1", 24499)) for _ in reachable]
    gone = [await _away(nowhere, seconds, timing) for timing in (Timing(), LONG_AWAY)]
    return [
        (f"{len(reachable)} reachable displays", there, "% of a core", None),
        (f"{len(reachable)} displays away for a minute", gone[0], "% of a core", None),
        (f"{len(reachable)} displays away for long", gone[1], "% of a core", there),
    ]


async def _away(nowhere: Room, seconds: float, timing: Timing) -> float:
    async with running([[one] for one in nowhere], timing):
        await asyncio.sleep(40.0)  # past the first, quick tries
        return await _cpu(seconds)


def _own_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _resident() -> float:
    """MB of this process now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _emulate_apart(pipe: Pipe, asked: argparse.Namespace, folder: Path) -> None:
    async def serve() -> None:
        async with AsyncExitStack() as stack:
            pipe.send(await emulate(stack, asked, folder))
            await asyncio.to_thread(pipe.recv)

    asyncio.run(serve())


def measure(asked: argparse.Namespace, folder: Path) -> Found:
    """Everything, the emulators in a process of their own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_emulate_apart, args=(there, asked, folder))
    process.start()
    try:
        rooms, reachable, flapping = here.recv()
        parts: dict[str, Callable[[], Coroutine[Any, Any, Found]]] = {
            "idle": lambda: idle(rooms, asked.seconds),
            "reconnect": lambda: reconnect(flapping, asked.reconnects),
            "unreachable": lambda: unreachable(reachable, asked.seconds),
        }
        return [row for name, part in parts.items() if asked.only in (None, name) for row in asyncio.run(part())]
    finally:
        here.send("end")
        process.join(20)


def main() -> None:
    """Print the table, and write it when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=31)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--reconnects", type=int, default=10_000)
    parser.add_argument("--unreachable", type=int, default=300)
    parser.add_argument("--only", choices=("idle", "reconnect", "unreachable"), help="one part of it")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rd") as folder:
        found = measure(asked, Path(folder) / "a")
    conditions = {"devices": f"{asked.rooms} rooms × 8 devices", "for": f"{asked.seconds:.0f} s"}
    rows = [
        Row(f"devices: {name}", value, unit, None, None, goal, 0.0, conditions) for name, value, unit, goal in found
    ]
    sys.stdout.write(table(rows) + "\n")
    if asked.json:
        plain = [{"name": row.name, "value": round(row.value, 3), "unit": row.unit, "goal": row.goal} for row in rows]
        asked.json.write_text(json.dumps(plain, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
