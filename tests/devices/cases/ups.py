"""A supply behind a real upsd: the way to it cut, the upsd itself, the cable of the supply, the mains."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from devices import DeviceConfig
from devices.emulators.cable import Cable
from devices.emulators.faults import FAULTS
from devices.emulators.ups import UpsServer
from tests.devices.cases.case import DELAY, FAILS, GONE, REBOOT, STREAM, WORKS, Case, Expected, Rig
from wire.devices import Role


def supply(address: tuple[str, int], name: str = "ups") -> DeviceConfig:
    host, port = address
    return DeviceConfig("ups", Role.UPS, "ups", "Onduleur", {"host": host, "port": port, "ups": name})


def rig(part: str) -> Callable[[Path], AbstractAsyncContextManager[Rig]]:
    @asynccontextmanager
    async def rigged(folder: Path) -> AsyncIterator[Rig]:
        async with (
            UpsServer(folder, reboot=REBOOT) as server,
            Cable(server.address, delay=DELAY, reboot=REBOOT) as cable,
        ):
            config = supply(cable.address if part == "cable" else server.address)
            yield Rig(cable if part == "cable" else server, config, None, {}, "charge", 100.0)

    return rigged


CABLE, SERVER = Cable.available_faults, UpsServer.available_faults
EXPECT = {
    "cable": Expected(FAILS, "device.stale", held=True),
    "power": Expected(WORKS, "device.on_battery", online=True),
}


def without(faults: tuple[str, ...], other: str) -> dict[str, str]:
    missing = {name: f"see {other}" for name in FAULTS if name not in faults}
    return missing | {
        "reboot_in_command": "it takes no command",
        "single_client": "an upsd serves many",
        "wrong_password": "reading takes none",
    }


CASES = [
    Case("ups", "ups", rig("cable"), CABLE, STREAM, {"drop": GONE}, without(CABLE, "ups-server")),
    Case("ups-server", "ups", rig("server"), SERVER, STREAM, EXPECT, without(SERVER, "ups")),
]
