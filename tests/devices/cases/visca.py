"""VISCA over its three transports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from devices.emulators import ViscaEmulator
from devices.emulators.faults import FAULTS
from tests.devices.cases.case import DATAGRAMS, DELAY, FAILS, GONE, REBOOT, STREAM, Case, Expected, Rig
from tests.devices.stage import camera


def rig(transport: str, *, header: bool) -> Callable[[Path], AbstractAsyncContextManager[Rig]]:
    @asynccontextmanager
    async def rigged(folder: Path) -> AsyncIterator[Rig]:
        async with ViscaEmulator(
            transport=transport, header=header, delay=DELAY, reboot=REBOOT, recall_time=0.05
        ) as emulator:
            config = camera(emulator.address, transport=transport, header=header)
            yield Rig(
                *(emulator, config, "set_power", {"on": True}, "power", "on"),
                other=({"on": False}, "off"),
                real=lambda: "on" if emulator.power else "off",
            )

    return rigged


OWN = ("buffer_full", "lost_stop", "refused_stop", "no_socket", "no_completion", "unknown", "pretends")
EXPECT = {"buffer_full": Expected(FAILS), "unknown": Expected(frozenset({"unsupported"}))}
WITHOUT = {"wrong_password": "VISCA has no password", "single_client": "UDP has no connections"}

CASES = [
    Case("visca-udp", "visca", rig("udp", header=True), (*FAULTS, *OWN), DATAGRAMS, EXPECT, WITHOUT),
    Case("visca-udp-bare", "visca", rig("udp", header=False), (*FAULTS, *OWN), DATAGRAMS, EXPECT, WITHOUT),
    Case(
        "visca-tcp",
        "visca",
        rig("tcp", header=False),
        (*FAULTS, *OWN, "single_client"),
        STREAM,
        {**EXPECT, "drop": GONE},
        {"wrong_password": WITHOUT["wrong_password"]},
    ),
]
