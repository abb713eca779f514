"""A sink, a source, and the server behind a sink."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from devices import DeviceConfig
from devices.emulators import PulseServer
from devices.emulators.faults import FAULTS
from tests.devices.cases.case import FAILS, REBOOT, STREAM, WORKS, Case, Expected, Rig
from wire.devices import Role


def rig(kind: str, *, of_server: bool = False) -> Callable[[Path], AbstractAsyncContextManager[Rig]]:
    @asynccontextmanager
    async def rigged(folder: Path) -> AsyncIterator[Rig]:
        async with (
            PulseServer(folder, reboot=REBOOT) as server,
            server.add("sink" if kind == "sink" else "source", "x.y") as node,
        ):
            role = Role.ROOM_SPEAKER if kind == "sink" else Role.ROOM_MIC
            config = DeviceConfig("au", role, "pulse", "Son", {"server": server.address, kind: "x.y"})

            async def real() -> float:
                return round(await node.volume(), 2)

            yield Rig(
                *(server if of_server else node, config, "set_volume", {"volume": 0.4}, "volume", 0.4),
                other=({"volume": 0.7}, 0.7),
                real=real,
            )

    return rigged


UNPLUGGED = Expected(WORKS | FAILS, "device.unplugged")  # the server may carry it out before it unloads the node
EXPECT = {"unplugged": UNPLUGGED, "reboot": UNPLUGGED}
LOCAL = "a socket of this machine, spoken by libpulse"
WITHOUT = dict.fromkeys((*FAULTS, "single_client", "wrong_password"), LOCAL)
NODE = ("unplugged", "reboot")
SERVER = PulseServer.available_faults


def without(faults: tuple[str, ...]) -> dict[str, str]:
    return {fault: why for fault, why in WITHOUT.items() if fault not in faults}


CASES = [
    Case("pulse-sink", "pulse", rig("sink"), NODE, STREAM, EXPECT, without(NODE)),
    Case("pulse-source", "pulse", rig("source"), NODE, STREAM, EXPECT, without(NODE)),
    Case("pulse-sink-server", "pulse", rig("sink", of_server=True), SERVER, STREAM, without=without(SERVER)),
]
