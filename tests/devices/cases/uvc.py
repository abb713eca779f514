"""A USB camera whose vendor's extension switches its framing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from devices import DeviceConfig
from devices.emulators.uvc import SELECTOR, UNIT, UvcEmulator
from tests.devices.cases.case import DELAY, FAILS, NODE, REBOOT, Case, Expected, Rig
from wire.devices import Role

FRAMING = {"unit": UNIT, "selector": SELECTOR, "on": "01", "off": "00"}


@asynccontextmanager
async def rig(folder: Path) -> AsyncIterator[Rig]:
    async with UvcEmulator(folder / "video", delay=DELAY, reboot=REBOOT) as one:
        config = DeviceConfig("cam", Role.MAIN_CAMERA, "uvc", "Caméra", {"node": one.address, "framing": FRAMING})
        yield Rig(
            *(one, config, "set_framing", {"on": True}, "framing", True),
            other=({"on": False}, False),
            real=lambda: bool(one.framing),
        )


EXPECT = {"unready": Expected(FAILS)}
WITHOUT = {"wrong_password": "USB has no password"}
CASES = [Case("uvc", "uvc", rig, UvcEmulator.available_faults, NODE, EXPECT, without=WITHOUT)]
