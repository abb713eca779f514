"""A real RTSP server: the way to it cut, and the server itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from devices import DeviceConfig
from devices.emulators.cable import Cable
from devices.emulators.faults import FAULTS
from devices.emulators.rtsp import RtspServer
from tests.devices.cases.case import DELAY, GONE, REBOOT, STREAM, Case, Rig
from wire.devices import Role


def rig(part: str) -> Callable[[Path], AbstractAsyncContextManager[Rig]]:
    @asynccontextmanager
    async def rigged(folder: Path) -> AsyncIterator[Rig]:
        name, password = ("room", "secret") if part == "server" else ("", "")
        async with (
            RtspServer(name=name, password=password, reboot=REBOOT) as server,
            Cable(server.address, delay=DELAY, reboot=REBOOT) as cable,
        ):
            host, port = cable.address if part == "cable" else server.address
            settings = {"url": f"rtsp://{host}:{port}/live", "username": name, "password": password}
            config = DeviceConfig("cam", Role.MAIN_CAMERA, "rtsp", "Caméra", settings)
            yield Rig(cable if part == "cable" else server, config, None, {}, "streaming", False)

    return rigged


CABLE = Cable.available_faults
SERVER = ("silent", "unplugged", "reboot", "wrong_password")


def without(faults: tuple[str, ...], other: str) -> dict[str, str]:
    missing = {name: f"see {other}" for name in (*FAULTS, "single_client", "wrong_password") if name not in faults}
    return missing | {"reboot_in_command": "it takes no command"}


CASES = [
    Case("rtsp", "rtsp", rig("cable"), CABLE, STREAM, {"drop": GONE}, without(CABLE, "rtsp-server")),
    Case("rtsp-server", "rtsp", rig("server"), SERVER, STREAM, {}, without(SERVER, "rtsp")),
]
