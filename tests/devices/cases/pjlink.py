"""PJLink with a password."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from devices.emulators import PjlinkEmulator
from tests.devices.cases.case import DELAY, GONE, REBOOT, STREAM, WORKS, Case, Expected, Rig
from tests.devices.stage import display


@asynccontextmanager
async def rig(folder: Path) -> AsyncIterator[Rig]:
    async with PjlinkEmulator(
        password="secret", power="on", warmup=0.2, cooldown=0.2, delay=DELAY, reboot=REBOOT
    ) as one:
        config = display(one.address, password="secret", warmup=0.2, cooldown=0.2)
        yield Rig(
            *(one, config, "set_power", {"on": True}, "power", "on"),
            other=({"on": False}, "off"),
            real=lambda: one.power,
        )


EXPECT = {"drop": GONE, "lamp": Expected(WORKS, "device.lamp", online=True)}

CASES = [Case("pjlink", "pjlink", rig, PjlinkEmulator.available_faults, STREAM, EXPECT)]
