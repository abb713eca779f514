"""One emulator at a time for hands: how each is made, and the settings with which a driver reaches it."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from devices.emulators.cec import CecEmulator
from devices.emulators.faults import Emulator
from devices.emulators.hid import HidEmulator
from devices.emulators.mqtt import MqttBroker, MqttSensorEmulator
from devices.emulators.onvif import OnvifEmulator
from devices.emulators.pjlink import PjlinkEmulator
from devices.emulators.pulse import PulseServer
from devices.emulators.rtsp import RtspServer
from devices.emulators.snmp import COMMUNITY, SnmpSwitchEmulator
from devices.emulators.ups import UpsServer
from devices.emulators.uvc import UvcEmulator
from devices.emulators.visca import ViscaEmulator
from devices.emulators.wol import MAC, WolEmulator
from devices.registry import Registry


@dataclass(frozen=True)
class Stand:
    """An emulator that runs: the settings for its driver, and an operation worth trying, "" for what only reports."""

    emulator: Emulator
    settings: dict[str, Any] = field(default_factory=dict)
    trial: str = ""


@dataclass(frozen=True)
class Wish:
    """How to set it up: `port` 0 for any, `password` "" for none; `folder` for sockets and files."""

    folder: Path
    port: int = 0
    password: str = ""


Opener = Callable[[Wish], AbstractAsyncContextManager[Stand]]


@asynccontextmanager
async def _network(make: Callable[[Wish], Emulator], trial: str, wish: Wish) -> AsyncIterator[Stand]:
    async with make(wish) as one:
        host, port = one.address  # type: ignore[attr-defined]
        login = {"password": wish.password} if wish.password else {}
        login |= {"username": name} if wish.password and (name := getattr(one, "name", "")) else {}
        yield Stand(one, {"host": host, "port": port} | login, trial)


@asynccontextmanager
async def _node(make: type[CecEmulator] | type[HidEmulator] | type[UvcEmulator], trial: str, wish: Wish) -> Any:
    async with make(wish.folder / "node") as one:
        yield Stand(one, {"node": one.address}, trial)


@asynccontextmanager
async def _rtsp(wish: Wish) -> AsyncIterator[Stand]:
    async with RtspServer(port=wish.port, name="room" if wish.password else "", password=wish.password) as one:
        login = {"username": "room", "password": wish.password} if wish.password else {}
        yield Stand(one, {"url": one.url} | login)


@asynccontextmanager
async def _mqtt(wish: Wish) -> AsyncIterator[Stand]:
    async with (
        MqttBroker(wish.folder, port=wish.port, password=wish.password) as broker,
        MqttSensorEmulator(broker, "sensor", retain=True) as one,
    ):
        host, port = broker.address
        login = {"username": "room", "password": wish.password} if wish.password else {}
        yield Stand(one, {"host": host, "port": port, "device": "sensor"} | login)


@asynccontextmanager
async def _pulse(wish: Wish) -> AsyncIterator[Stand]:
    async with PulseServer(wish.folder) as server, server.add("sink", "speaker") as one:
        yield Stand(one, {"server": server.address, "sink": "speaker"}, "set_volume volume=0.4")


@asynccontextmanager
async def _snmp(wish: Wish) -> AsyncIterator[Stand]:
    async with SnmpSwitchEmulator(wish.folder, port=wish.port) as one:
        host, port = one.address
        ports = {"1": {"interface": 1}, "3": {"interface": 3, "power": "1.3"}}
        yield Stand(one, {"host": host, "port": port, "community": COMMUNITY, "ports": ports}, "cycle_port port=3")


@asynccontextmanager
async def _ups(wish: Wish) -> AsyncIterator[Stand]:
    async with UpsServer(wish.folder, "ups", port=wish.port) as one:
        host, port = one.address
        yield Stand(one, {"host": host, "port": port, "ups": "ups"})


@asynccontextmanager
async def _wol(wish: Wish) -> AsyncIterator[Stand]:
    async with WolEmulator() as one:
        host, port = one.address
        yield Stand(one, {"mac": MAC, "broadcast": host, "port": port, "host": host, "probe": one.port}, "wake")


def _pjlink(wish: Wish) -> Emulator:
    return PjlinkEmulator(port=wish.port, password=wish.password, search=4352)


def _onvif(wish: Wish) -> Emulator:
    return OnvifEmulator(port=wish.port, password=wish.password, search=("239.255.255.250", 3702))


def _visca(transport: str, wish: Wish) -> Emulator:
    return ViscaEmulator(port=wish.port, transport=transport)


STANDS: dict[str, Opener] = {
    "cec": partial(_node, CecEmulator, "set_power on=true"),
    "hid": partial(_node, HidEmulator, "set_mute on=true"),
    "mqtt": _mqtt,
    "onvif": partial(_network, _onvif, "move pan=0.3"),
    "pjlink": partial(_network, _pjlink, "set_power on=true"),
    "pulse": _pulse,
    "rtsp": _rtsp,
    "snmp": _snmp,
    "ups": _ups,
    "uvc": partial(_node, UvcEmulator, "move pan=0.3"),
    "visca": partial(_network, partial(_visca, "udp"), "move pan=0.3"),
    "wol": _wol,
}


def stand(driver: str) -> Opener | None:
    """How the emulator of a driver is set up: ours, or that of a package's manifest, which listens at `port`."""
    if known := STANDS.get(driver):
        return known
    if (found := Registry.installed().driver(driver)) is None:
        return None
    module, _, name = found.manifest.emulator.partition(":")
    kind = getattr(importlib.import_module(module), name)
    return partial(_network, lambda wish: kind(port=wish.port), "")
