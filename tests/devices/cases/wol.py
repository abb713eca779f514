"""A computer that is off each time that it is to be woken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from devices import DeviceConfig
from devices.emulators.wol import MAC, WolEmulator
from tests.devices.cases.case import DELAY, Case, Expected, Rig
from wire.devices import Role


def computer(one: WolEmulator, **settings: Any) -> DeviceConfig:
    host, port = one.address
    there = {"mac": MAC, "broadcast": host, "port": port, "host": host, "probe": one.port}
    return DeviceConfig("pc", Role.ROOM_COMPUTER, "wol", "Ordinateur", there | settings)


@asynccontextmanager
async def rig(folder: Path) -> AsyncIterator[Rig]:
    async with WolEmulator(boot=0.05, delay=DELAY) as one:
        yield Rig(
            *(one, computer(one), "wake", {}, "power", "on"),
            real=lambda: "on" if one.up else "off",
            undo=one.shut_down,
        )


UNANSWERED = Expected(frozenset({"accepted"}), mute=True)  # what does not arrive wakes nobody, and nobody says so
EXPECT = {"garbage": UNANSWERED, "half": UNANSWERED}
OFF = dict.fromkeys(("silent", "unplugged", "reboot", "reboot_in_command"), "being off is a state, no fault")
WITHOUT = OFF | {"single_client": "nobody is connected", "wrong_password": "nobody answers a packet"}
CASES = [Case("wol", "wol", rig, WolEmulator.available_faults, {}, EXPECT, without=WITHOUT)]
