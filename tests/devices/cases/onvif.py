"""An ONVIF camera with a password."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from devices import DeviceConfig
from devices.emulators.onvif import OnvifEmulator
from tests.devices.cases.case import DELAY, GARBLED, REBOOT, STREAM, Case, Rig
from wire.devices import Role


def camera(emulator: OnvifEmulator, **settings: object) -> DeviceConfig:
    host, port = emulator.address
    login = {"username": emulator.name, "password": emulator.password} if emulator.password else {}
    return DeviceConfig("cam", Role.MAIN_CAMERA, "onvif", "Caméra", {"host": host, "port": port, **login, **settings})


@asynccontextmanager
async def rig(folder: Path) -> AsyncIterator[Rig]:
    async with OnvifEmulator(password="secret", recall_time=0.05, delay=DELAY, reboot=REBOOT) as one:
        yield Rig(one, camera(one), "store_preset", {"preset": 1}, "pan", 0.0)


WITHOUT = {"duplicate": "HTTP answers each request once", "single_client": "HTTP: every request stands for itself"}
CASES = [Case("onvif", "onvif", rig, OnvifEmulator.available_faults, STREAM, {"half": GARBLED}, WITHOUT)]
