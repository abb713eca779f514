"""A television on the CEC line of an emulated adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from devices import DeviceConfig
from devices.emulators.cec import CecEmulator
from tests.devices.cases.case import DELAY, GONE, NODE, REBOOT, Case, Expected, Rig
from wire.devices import Role


@asynccontextmanager
async def rig(folder: Path) -> AsyncIterator[Rig]:
    async with CecEmulator(folder / "cec", delay=DELAY, reboot=REBOOT) as one:
        config = DeviceConfig("tv", Role.FRONT_DISPLAY, "cec", "Écran", {"node": one.address})
        yield Rig(
            *(one, config, "set_power", {"on": True}, "power", "on"),
            other=({"on": False}, "off"),
            real=lambda: one.power,
        )


EXPECT = {
    "deaf": GONE,
    "refuses": Expected(frozenset({"unsupported"})),
    "mumbles": Expected(
        frozenset({"accepted"}), mute=True
    ),  # it acknowledges: the command was taken, none knows if done
}
WITHOUT = {"wrong_password": "CEC has no password"}
CASES = [Case("cec", "cec", rig, CecEmulator.available_faults, NODE, EXPECT, WITHOUT)]
