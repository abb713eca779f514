"""What a network's devices cost one agent process: 31 rooms × 8 devices, their emulators and PulseAudio in another.

    python -m bench.devices [--rooms 31] [--seconds 20] [--reconnects 10000] [--unreachable 300]
                            [--only idle|reconnect|unreachable]

Each room has a VISCA and an ONVIF camera, two PJLink displays, a speaker, a microphone, an MQTT sensor (one mosquitto for
all rooms) and a supply (one upsd for all). CPU is getrusage of this process. What the emulators, which share one process,
take of a command by themselves is measured beside it (`bench/bare.py`). A reconnect is a device that comes online and
is cut off then; of the unreachable, half refuse and half are silent (`bench/away.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import os
import random
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench import bare
from bench.away import Flapping, everywhere_silent, nowhere
from bench.record import record
from bench.rows import Row, table
from bench.tails import later, percentile
from devices import DeviceConfig, DeviceHub, Shared, Timing
from devices.emulators import PjlinkEmulator, PulseServer, ViscaEmulator
from devices.emulators.mqtt import MqttBroker, MqttSensorEmulator
from devices.emulators.onvif import OnvifEmulator
from devices.emulators.ups import UpsServer
from devices.state import DeviceState
from wire.devices import Connection, DeviceCommand, Role, Value

Room = list[DeviceConfig]
Found = list[Row]
Address = tuple[str, int]
DISPLAYS = (Role.FRONT_DISPLAY, Role.SECOND_DISPLAY)
EACH = 20  # commands to each room: enough for a tail in each of several rounds
FLAPPING = 40  # devices that share the reconnects
RESTLESS = replace(Timing(), backoff_first=0.002, backoff_last=0.002, backoff_away=0.002, nudge=0.0, stable=1e9)
LONG_AWAY = replace(Timing(), backoff_first=Timing().backoff_away, away_after=0)  # as after ten minutes
WARM = 3_000  # reconnects before those that are counted: Python's and libc's allocators grow to their size in these


async def emulate(
    stack: AsyncExitStack, asked: argparse.Namespace, folder: Path
) -> tuple[list[Room], Room, Room, Address]:
    """Start all emulators; the rooms, as many reachable devices as unreachable ones, flapping ones, a silent address."""
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
        one = await stack.enter_async_context(Flapping())
        flapping.append(_at("display", Role.FRONT_DISPLAY, "pjlink", one.address))
    return rooms, reachable, flapping, stack.enter_context(everywhere_silent())


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
        with bare.exchanges(_camera_of(rooms[0])) as own:
            stored = await _latency(hubs, "store_preset", {"preset": 9})
            stopped = await _latency(hubs, "stop", {})
    conditions = {"devices": f"{len(rooms)} rooms x 8", "for": f"{seconds:.0f} s"}
    return [
        _row("devices_idle_cpu", cpu, "% of a core", conditions, goal=5.0),
        _row("devices_resident", resident, "MB", conditions, goal=250.0),
        *_over("device_command", stored, own.once(), conditions | {"what": "one exchange"}),
        *_over("device_stop", stopped, own.twice(), conditions | {"what": "pan and zoom, two exchanges"}),
    ]


def _over(name: str, taken: list[float], own: list[float], conditions: dict[str, str]) -> Found:
    """Rows of what a command takes, what its emulator takes of that by itself, and what is ours at p99."""
    over = later(taken, own)
    said = (
        conditions
        if over.seen
        else conditions
        | {f"{name}_over_emulator_p99": f"no difference that could be told from noise of {over.resolution:.2f} ms"}
    )
    return [
        _row(f"{name}_p50", percentile(taken, 0.5), "ms", conditions),
        _row(f"{name}_p99", percentile(taken, 0.99), "ms", conditions),
        _row(f"{name}_emulator_p99", percentile(own, 0.99), "ms", conditions),
        _row(f"{name}_over_emulator_p99", over.told, "ms", said, goal=5.0),
    ]


def _camera_of(room: Room) -> tuple[str, int]:
    settings = next(one.settings for one in room if one.driver == "visca")
    return str(settings["host"]), int(settings["port"])


async def _latency(hubs: list[DeviceHub], op: str, args: dict[str, Value]) -> list[float]:
    """Milliseconds from asking to the acknowledgement, in their order; what the emulator takes is in them."""
    taken = []
    for hub in hubs * EACH:
        await asyncio.sleep(0.03)  # past the pause after the exchange before
        begun = time.perf_counter()
        result = await hub.execute(DeviceCommand(Role.MAIN_CAMERA, op, args))
        assert result.outcome == "done", result
        taken.append(1000 * (time.perf_counter() - begun))
    return taken


async def reconnect(flapping: Room, wanted: int) -> Found:
    """Devices that come online and are cut off: what memory grew in `wanted` times, all together, once warm."""
    online = 0
    connected = DeviceState.connected

    def counted(state: DeviceState, *said: Any) -> None:
        nonlocal online
        online += 1
        connected(state, *said)

    async def until(count: int) -> float:
        async with asyncio.timeout(600):
            while online < count:
                await asyncio.sleep(0.05)
        gc.collect()
        return _resident()

    with patch.object(DeviceState, "connected", counted):
        async with running([[one] for one in flapping], RESTLESS):
            warm = await until(WARM)
            begun, own = time.monotonic(), _own_cpu()
            grown = await until(WARM + wanted) - warm
            cpu, seconds = _own_cpu() - own, time.monotonic() - begun
    conditions = {"reconnects": str(wanted), "before": str(WARM), "each": "online, then cut off"}
    return [
        _row("device_reconnect_growth", grown, "MB", conditions, goal=2.0),
        _row("device_reconnect_cpu", 1000 * cpu / wanted, "ms", conditions),
        _row("device_reconnect_rate", wanted / seconds, "1/s", conditions),
    ]


async def unreachable(reachable: Room, silent: Address, seconds: float) -> Found:
    """As many devices that answer as devices that do not: half of these refuse, half are silent."""
    async with running([[one] for one in reachable]) as hubs:
        await _online(hubs)
        await asyncio.sleep(5.0)
        there = await _cpu(seconds)
    away = (nowhere(), silent)
    gone = [
        await _away(
            [_at("display", Role.FRONT_DISPLAY, "pjlink", away[i % 2]) for i in range(len(reachable))], seconds, timing
        )
        for timing in (Timing(), LONG_AWAY)
    ]
    conditions = {
        "displays": str(len(reachable)),
        "for": f"{seconds:.0f} s",
        "of the unreachable": "half refuse, half are silent",
    }
    return [
        _row("devices_reachable_cpu", there, "% of a core", conditions),
        _row("devices_away_cpu", gone[0], "% of a core", conditions | {"away": "a minute"}, goal=1.0, limit=there),
        _row(
            "devices_long_away_cpu", gone[1], "% of a core", conditions | {"away": "ten minutes"}, goal=1.0, limit=there
        ),
    ]


def _row(
    name: str, value: float, unit: str, conditions: dict[str, str], *, goal: float | None = None, limit: float = 0.0
) -> Row:
    return Row(name, value, unit, limit or None, value / limit if limit else None, goal, 0.0, conditions)


async def _away(devices: Room, seconds: float, timing: Timing) -> float:
    async with running([[one] for one in devices], timing):
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
        rooms, reachable, flapping, silent = here.recv()
        parts: dict[str, Callable[[], Coroutine[Any, Any, Found]]] = {
            "idle": lambda: idle(rooms, asked.seconds),
            "reconnect": lambda: reconnect(flapping, asked.reconnects),
            "unreachable": lambda: unreachable(reachable, silent, asked.seconds),
        }
        return [row for name, part in parts.items() if asked.only in (None, name) for row in asyncio.run(part())]
    finally:
        here.send("end")
        process.join(20)


def parser() -> argparse.ArgumentParser:
    """What can be asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=31)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--reconnects", type=int, default=10_000)
    parser.add_argument("--unreachable", type=int, default=300)
    parser.add_argument("--only", choices=("idle", "reconnect", "unreachable"), help="one part of it")
    return parser


def measured(asked: argparse.Namespace) -> Found:
    """The rows of what is asked."""
    with tempfile.TemporaryDirectory(prefix="rd") as folder:
        return measure(asked, Path(folder) / "a")


def main() -> None:
    """Print the table, and keep its rows."""
    print(table(record(measured(parser().parse_args()), alone=True)))


if __name__ == "__main__":
    main()
