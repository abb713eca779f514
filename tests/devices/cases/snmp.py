"""A switch with net-snmp's agent: the way to it cut (v2c), and the agent itself (v3)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from devices import DeviceConfig
from devices.emulators.cable import Cable
from devices.emulators.faults import FAULTS
from devices.emulators.snmp import COMMUNITY, PASSWORD, PRIVACY, USER, SnmpSwitchEmulator, sets
from tests.devices.cases.case import DATAGRAMS, DELAY, GONE, REBOOT, Case, Rig
from wire.devices import Role

V3 = {"user": USER, "password": PASSWORD, "privacy": PRIVACY}
PORTS = {"1": {"interface": 1}, "3": {"interface": 3, "power": "1.3"}}


def switch(address: tuple[str, int], **settings: Any) -> DeviceConfig:
    host, port = address
    login = {} if "user" in settings or "community" in settings else {"community": COMMUNITY}
    whole = {"host": host, "port": port, "ports": PORTS, "off": 0.3} | login | settings
    return DeviceConfig("sw", Role.NETWORK_SWITCH, "snmp", "Commutateur", whole)


def rig(part: str) -> Callable[[Path], AbstractAsyncContextManager[Rig]]:
    @asynccontextmanager
    async def rigged(folder: Path) -> AsyncIterator[Rig]:
        async with (
            SnmpSwitchEmulator(folder, reboot=REBOOT) as server,
            Cable(
                server.address, kind="udp", delay=DELAY, reboot=REBOOT, on_reboot=server.forget, commands=sets
            ) as cable,
        ):
            config = switch(cable.address) if part == "cable" else switch(server.address, **V3)
            yield Rig(
                *(cable if part == "cable" else server, config, "set_port", {"port": 3, "on": True}, "port_3", "up"),
                other=({"port": 3, "on": False}, "down"),
                real=lambda: "up" if server.ports["3"]["power"] == 1 else "down",
            )

    return rigged


CABLE, SERVER = (*Cable.available_faults, "reboot_in_command"), SnmpSwitchEmulator.available_faults
UNHEARD = {"garbage": GONE, "half": GONE}  # pysnmp throws away what it cannot read


def without(faults: tuple[str, ...], other: str) -> dict[str, str]:
    missing = {name: f"see {other}" for name in (*FAULTS, "wrong_password") if name not in faults}
    return missing | {"single_client": "UDP has no connections"}


CASES = [
    Case("snmp", "snmp", rig("cable"), CABLE, DATAGRAMS, UNHEARD, without(CABLE, "snmp-agent")),
    Case("snmp-agent", "snmp", rig("agent"), SERVER, DATAGRAMS, UNHEARD, without(SERVER, "snmp")),
]
