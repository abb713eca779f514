"""What a network's devices cost when idle: 31 rooms × 4 devices in one process, with or without their emulators.

    python -m bench.devices [--rooms 31] [--seconds 20] [--json FILE]

Each room has a VISCA camera, a PJLink display, a speaker and a microphone; PulseAudio is a real private server. CPU is
measured by getrusage for this process (hubs and emulators share it) and from /proc for PulseAudio. Then the emulators
run in a process of their own, so that the hubs are measured alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from devices import DeviceConfig, DeviceHub, Shared
from devices.emulators import PjlinkEmulator, PulseServer, ViscaEmulator
from wire.devices import Connection, DeviceCommand, Role

Room = list[DeviceConfig]


async def emulate(stack: AsyncExitStack, rooms: int, folder: Path) -> tuple[list[Room], int]:
    """Start the emulators of every room; their configurations, and the process id of PulseAudio."""
    server = await stack.enter_async_context(PulseServer(folder))
    configs = []
    for number in range(rooms):
        camera = await stack.enter_async_context(ViscaEmulator())
        display = await stack.enter_async_context(PjlinkEmulator())
        sink = await stack.enter_async_context(server.add("sink", f"room{number}.speaker"))
        source = await stack.enter_async_context(server.add("source", f"room{number}.mic"))
        at = [dict(zip(("host", "port"), one.address, strict=True)) for one in (camera, display)]
        configs.append(
            [
                DeviceConfig("camera", Role.MAIN_CAMERA, "visca", "Camera", at[0]),
                DeviceConfig("display", Role.FRONT_DISPLAY, "pjlink", "Display", at[1]),
                _audio(Role.ROOM_SPEAKER, server.address, sink=sink.name),
                _audio(Role.ROOM_MIC, server.address, source=source.name),
            ]
        )
    assert server.process is not None
    return configs, server.process.pid


def _audio(role: Role, server: str, **node: str) -> DeviceConfig:
    return DeviceConfig(role.value, role, "pulse", role.value, {"server": server, **node})


async def measure(configs: list[Room], pulse: int, seconds: float) -> dict[str, float]:
    """Run the hubs idle for `seconds`: percent of a core, command latency in ms, resident MB."""
    shared = Shared()
    hubs = [DeviceHub(str(number), room, lambda: None, shared=shared) for number, room in enumerate(configs)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(hub.run()) for hub in hubs]
        async with asyncio.timeout(60):
            while not all(one.connection is Connection.ONLINE for hub in hubs for one in hub.snapshot().values()):
                await asyncio.sleep(0.1)
        await asyncio.sleep(2.0)  # past the first polls
        own, server, begun = _own_cpu(), _cpu_of(pulse), time.monotonic()
        await asyncio.sleep(seconds)
        spent = time.monotonic() - begun
        found = {
            "hubs_cpu_percent": 100 * (_own_cpu() - own) / spent,
            "pulse_cpu_percent": 100 * (_cpu_of(pulse) - server) / spent,
            "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "camera_command_ms_p99": await _latency(hubs),
        }
        for task in tasks:
            task.cancel()
    return found


async def _latency(hubs: list[DeviceHub]) -> float:
    taken = []
    for hub in hubs * 4:
        begun = time.perf_counter()
        result = await hub.execute(DeviceCommand(Role.MAIN_CAMERA, "stop"))
        assert result.outcome == "done", result
        taken.append(1000 * (time.perf_counter() - begun))
    return sorted(taken)[int(len(taken) * 0.99)]


def _own_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _cpu_of(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _emulate_apart(pipe: Pipe, rooms: int, folder: Path) -> None:
    async def serve() -> None:
        async with AsyncExitStack() as stack:
            pipe.send(await emulate(stack, rooms, folder))
            await asyncio.to_thread(pipe.recv)

    asyncio.run(serve())


async def together(rooms: int, seconds: float, folder: Path) -> dict[str, float]:
    """Hubs and emulators in this process."""
    async with AsyncExitStack() as stack:
        return await measure(*await emulate(stack, rooms, folder), seconds)


def apart(rooms: int, seconds: float, folder: Path) -> dict[str, float]:
    """Hubs in this process, emulators in another."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_emulate_apart, args=(there, rooms, folder))
    process.start()
    try:
        configs, pulse = here.recv()
        return asyncio.run(measure(configs, pulse, seconds))
    finally:
        here.send("end")
        process.join(10)


def main() -> None:
    """Print the table, and write it when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=31)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="rd") as folder:
        apart_found = apart(asked.rooms, asked.seconds, Path(folder) / "a")
        found = asyncio.run(together(asked.rooms, asked.seconds, Path(folder) / "b"))
    conditions = f"{asked.rooms} rooms × 4 devices, idle, {asked.seconds:.0f} s"
    for kind, values in (("with emulators", found), ("alone", apart_found)):
        for name, value in values.items():
            rows.append({"name": f"devices {name} {kind}", "value": round(value, 2), "conditions": conditions})
            sys.stdout.write(f"{name:24} {kind:16} {value:8.2f}\n")
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
