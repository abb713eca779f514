"""An ONVIF camera with a password and two positions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from devices import DeviceConfig
from devices.emulators.onvif import OnvifEmulator, Position
from tests.devices.cases.case import DELAY, GARBLED, GONE, REBOOT, STREAM, Case, Rig
from wire.devices import Role


def camera(emulator: OnvifEmulator, **settings: object) -> DeviceConfig:
    host, port = emulator.address
    login = {"username": emulator.name, "password": emulator.password} if emulator.password else {}
    return DeviceConfig("cam", Role.MAIN_CAMERA, "onvif", "Caméra", {"host": host, "port": port, **login, **settings})


@asynccontextmanager
async def rig(folder: Path) -> AsyncIterator[Rig]:
    async with OnvifEmulator(password="secret", recall_time=0.05, delay=DELAY, reboot=REBOOT) as one:
        one.stored["2"] = ("Orateur", Position(-0.5, 0.0, 0.6))
        yield Rig(
            *(one, camera(one), "recall_preset", {"preset": 1}, "preset", 1),
            other=({"preset": 2}, 2),
            real=lambda: next((int(token) for token, (_, at) in one.stored.items() if one.position == at), None),
        )


WITHOUT = {"duplicate": "HTTP answers each request once", "single_client": "HTTP: every request stands for itself"}
CASES = [Case("onvif", "onvif", rig, OnvifEmulator.available_faults, STREAM, {"half": GARBLED, "drop": GONE}, WITHOUT)]
