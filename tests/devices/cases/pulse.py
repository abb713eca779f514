"""The way to the sound server cut, a sink and a source unplugged, and the server behind a sink."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Literal

from devices import DeviceConfig
from devices.emulators import PulseServer
from devices.emulators.faults import FAULTS, Emulator
from devices.emulators.pulse_cable import PulseCable
from tests.devices.cases.case import DELAY, FAILS, GONE, REBOOT, STREAM, Case, Expected, Rig
from wire.devices import Role


def rig(
    kind: Literal["sink", "source"], part: Literal["node", "server", "cable"] = "node"
) -> Callable[[Path], AbstractAsyncContextManager[Rig]]:
    @asynccontextmanager
    async def rigged(folder: Path) -> AsyncIterator[Rig]:
        async with (
            PulseServer(folder, reboot=REBOOT) as server,
            server.add(kind, "x.y") as node,
            PulseCable(server, folder, delay=DELAY, reboot=REBOOT) as cable,
        ):
            role = Role.ROOM_SPEAKER if kind == "sink" else Role.ROOM_MIC
            address = cable.server if part == "cable" else server.address
            config = DeviceConfig("au", role, "pulse", "Son", {"server": address, kind: "x.y"})
            emulators: dict[str, Emulator] = {"node": node, "server": server, "cable": cable}

            async def real() -> float:
                return round(await node.volume(), 2)

            yield Rig(
                *(emulators[part], config, "set_volume", {"volume": 0.4}, "volume", 0.4),
                other=({"volume": 0.7}, 0.7),
                real=real,
                lingers=part == "node",
            )

    return rigged


NODE, SERVER, CABLE = ("unplugged", "reboot"), PulseServer.available_faults, PulseCable.available_faults
GOES = dict.fromkeys(NODE, Expected(FAILS, "device.unplugged", held=True))
UNREAD = dict.fromkeys(("garbage", "half", "single_client"), GONE)  # libpulse hangs up, and does not say why
PASSWORD = {"wrong_password": "on one machine it knows us by our user"}


def without(faults: tuple[str, ...]) -> dict[str, str]:
    return {fault: "see pulse" for fault in (*FAULTS, "single_client") if fault not in faults} | PASSWORD


CASES = [
    Case("pulse", "pulse", rig("sink", "cable"), CABLE, STREAM, UNREAD, PASSWORD),
    Case("pulse-source", "pulse", rig("source", "cable"), CABLE, STREAM, UNREAD, PASSWORD),
    Case("pulse-sink-node", "pulse", rig("sink"), NODE, STREAM, GOES, without(NODE)),
    Case("pulse-source-node", "pulse", rig("source"), NODE, STREAM, GOES, without(NODE)),
    Case("pulse-server", "pulse", rig("sink", "server"), SERVER, STREAM, without=without(SERVER)),
]
