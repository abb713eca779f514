"""Every driver with its emulator, and what each fault must lead to: the material of the conformance suite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devices import DeviceConfig
from devices.emulators import PjlinkEmulator, PulseServer, ViscaEmulator
from devices.emulators.faults import Emulator
from tests.devices.stage import camera, display
from wire.devices import Role, Value

DELAY, REBOOT = 0.08, 0.4  # seconds


@dataclass
class Rig:
    """An emulator, the device configured for it, a lasting command, and the property it sets."""

    emulator: Emulator
    config: DeviceConfig
    op: str
    args: dict[str, Any]
    shows: str
    value: Value


@asynccontextmanager
async def visca(transport: str, *, header: bool) -> AsyncIterator[Rig]:
    async with ViscaEmulator(
        transport=transport, header=header, delay=DELAY, reboot=REBOOT, recall_time=0.05
    ) as emulator:
        config = camera(emulator.address, transport=transport, header=header)
        yield Rig(emulator, config, "set_power", {"on": True}, "power", "on")


@asynccontextmanager
async def pjlink() -> AsyncIterator[Rig]:
    async with PjlinkEmulator(
        password="secret", power="on", warmup=0.2, cooldown=0.2, delay=DELAY, reboot=REBOOT
    ) as one:
        config = display(one.address, password="secret", warmup=0.2, cooldown=0.2)
        yield Rig(one, config, "set_power", {"on": True}, "power", "on")


@asynccontextmanager
async def pulse(folder: Path, kind: str, *, of_server: bool) -> AsyncIterator[Rig]:
    async with (
        PulseServer(folder, reboot=REBOOT) as server,
        server.add("sink" if kind == "sink" else "source", "x.y") as node,
    ):
        role = Role.ROOM_SPEAKER if kind == "sink" else Role.ROOM_MIC
        config = DeviceConfig("au", role, "pulse", "Son", {"server": server.address, kind: "x.y"})
        yield Rig(server if of_server else node, config, "set_volume", {"volume": 0.4}, "volume", 0.4)


def rig(name: str, folder: Path) -> AbstractAsyncContextManager[Rig]:
    """The rig of a case."""
    match name:
        case "visca-udp" | "visca-udp-bare":
            return visca("udp", header=name == "visca-udp")
        case "visca-tcp":
            return visca("tcp", header=False)
        case "pjlink":
            return pjlink()
    kind, _, of = name.removeprefix("pulse-").partition("-")
    return pulse(folder, kind, of_server=of == "server")


CASES: dict[str, tuple[str, ...]] = {
    "visca-udp": ViscaEmulator.available_faults,
    "visca-udp-bare": ViscaEmulator.available_faults,
    "visca-tcp": ViscaEmulator.available_faults,
    "pjlink": PjlinkEmulator.available_faults,
    "pulse-sink": ("unplugged", "reboot"),
    "pulse-source": ("unplugged", "reboot"),
    "pulse-sink-server": PulseServer.available_faults,
}

MATRIX = [(case, fault) for case, faults in CASES.items() for fault in faults]

WORKS = {"done", "accepted"}
FAILS = {"failed", "timed_out"}


def expected(case: str, fault: str) -> tuple[set[str], str | None]:
    """Outcomes allowed under a fault, and the notice shown while it lasts (None: the device stays online)."""
    datagrams = case.startswith("visca-udp")
    if case in ("pulse-sink", "pulse-source"):
        return FAILS | WORKS, "device.unplugged"  # the server may carry it out before it unloads the node
    if fault in ("silent", "reboot", "unplugged"):
        return FAILS, "device.unreachable"
    if fault == "garbage":
        return FAILS, "device.garbage"
    if fault == "reset":
        return (WORKS, None) if datagrams else (FAILS, "device.unreachable")
    if fault == "buffer_full":
        return FAILS, None
    if fault == "unknown":
        return {"unsupported"}, None
    if fault == "lamp":
        return WORKS, "device.lamp"
    return WORKS, None
