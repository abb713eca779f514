"""A speakerphone whose light can be read back, behind a node on a stage."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from devices import DeviceConfig
from devices.emulators.hid import HidEmulator
from tests.devices.cases.case import DELAY, NODE, REBOOT, Case, Rig
from wire.devices import Role


@asynccontextmanager
async def rig(folder: Path) -> AsyncIterator[Rig]:
    async with HidEmulator(folder / "hid", delay=DELAY, reboot=REBOOT) as one:
        config = DeviceConfig("key", Role.MUTE_BUTTON, "hid", "Touche", {"node": one.address})
        yield Rig(
            *(one, config, "set_mute", {"on": True}, "mute", True), other=({"on": False}, False), real=lambda: one.light
        )


WITHOUT = {"wrong_password": "USB has no password"}
CASES = [Case("hid", "hid", rig, HidEmulator.available_faults, NODE, without=WITHOUT)]
