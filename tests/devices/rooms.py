"""Rooms in virtual time: what stands in them, who uses it, who breaks it, and who touches it by hand.

A device of each kind of connection: VISCA over UDP with and without header and over TCP, PJLink of both classes over TCP,
and the kernel's nodes: a camera (V4L2), a television (CEC), a mute key (hidraw). Drivers whose other side is a program
(mosquitto, upsd, snmpd, PulseAudio, an RTSP server), HTTP (ONVIF) or a bare socket (Wake-on-LAN) cannot wait for this time.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devices import DeviceConfig
from devices.emulators import PjlinkEmulator, ViscaEmulator
from devices.emulators.cec import CecEmulator
from devices.emulators.faults import Emulator
from devices.emulators.hid import HidEmulator
from devices.emulators.uvc import SELECTOR, UNIT, UvcEmulator
from wire.devices import Role, Value

FRAMING = {"unit": UNIT, "selector": SELECTOR, "on": "01", "off": "00"}
INPUTS = {"hdmi1": "31", "hdmi2": "32"}
MOVE: dict[str, Value] = {"pan": 1.0}


@dataclass(frozen=True)
class Asked:
    """A command, and the property that it wants to be `value` from then on ("" for a momentary one)."""

    op: str
    args: dict[str, Value]
    name: str = ""
    value: Value = None


@dataclass
class Stood:
    """A device that stands in a room: `real` is what its emulator is, `by_hand` makes it so without asking us."""

    config: DeviceConfig
    emulator: Emulator
    asks: Callable[[random.Random], list[Asked]]
    real: Callable[[str], Value]
    by_hand: Callable[[str, Value], None] | None = None
    moves: Callable[[], bool] = lambda: False
    wishes: dict[str, Value] = field(default_factory=dict)  # that are to last, by property
    touched: set[str] = field(default_factory=set)  # properties whose wish somebody at the device took back


def _power(dice: random.Random) -> Asked:
    on = dice.random() < 0.7
    return Asked("set_power", {"on": on}, "power", "on" if on else "off")


def visca(number: int, reboot: float) -> Stood:
    """A camera over UDP, with or without header, or over TCP."""
    host, port = f"127.0.1.{number}", 52381
    transport, header = (("udp", True), ("udp", False), ("tcp", False))[number % 3]
    one = ViscaEmulator(host, port, transport=transport, header=header, reboot=reboot, seed=number)
    at: dict[str, Any] = {"host": host, "port": port, "transport": transport, "header": header}

    def by_hand(_: str, value: Value) -> None:
        one.power = value == "on"

    return Stood(
        DeviceConfig("camera", Role.MAIN_CAMERA, "visca", "Camera", at),
        one,
        lambda dice: [_power(dice), Asked("move", MOVE)],
        lambda _: "on" if one.power else "off",
        by_hand,
        lambda: one.moving,
    )


def uvc(number: int, reboot: float, folder: Path) -> Stood:
    """A USB camera that follows people."""
    one = UvcEmulator(folder / f"{number}.v", speeds="right", reboot=reboot)
    settings: dict[str, Any] = {"node": one.address, "framing": FRAMING}

    def asks(dice: random.Random) -> list[Asked]:
        on = dice.random() < 0.5
        return [Asked("set_framing", {"on": on}, "framing", on), Asked("move", MOVE)]

    def by_hand(_: str, value: Value) -> None:
        one.framing = int(bool(value))

    return Stood(
        DeviceConfig("camera", Role.MAIN_CAMERA, "uvc", "Camera", settings),
        one,
        asks,
        lambda _: bool(one.framing),
        by_hand,
        lambda: one.moving,
    )


def pjlink(number: int, reboot: float, patience: float) -> Stood:
    """A projector with a password, class 1 or 2, that holds an idle connection for `patience` seconds."""
    host = f"127.0.1.{number}"
    one = PjlinkEmulator(
        *(host, 4352),
        level=1 + number % 2,
        reboot=reboot,
        seed=number,
        password="secret",
        power="on",
        idle_close=patience,
    )

    def asks(dice: random.Random) -> list[Asked]:
        wanted = dice.choice(sorted(INPUTS))
        return [_power(dice), Asked("select_input", {"input": wanted}, "input", wanted)]

    def real(name: str) -> Value:
        return one.power if name == "power" else {code: known for known, code in INPUTS.items()}[one.input]

    def by_hand(_: str, value: Value) -> None:
        one._switch(on=value == "on")

    at = {"host": host, "password": "secret"}
    return Stood(DeviceConfig("display", Role.FRONT_DISPLAY, "pjlink", "Display", at), one, asks, real, by_hand)


def television(number: int, reboot: float, folder: Path) -> Stood:
    """A television on an HDMI line."""
    one = CecEmulator(folder / f"{number}.c", power="on", warmup=8.0, reboot=reboot)

    def by_hand(_: str, value: Value) -> None:
        if value != one.power:
            one.remote()

    return Stood(
        DeviceConfig("screen", Role.SECOND_DISPLAY, "cec", "Screen", {"node": one.address}),
        one,
        lambda dice: [_power(dice)],
        lambda _: one.power,
        by_hand,
    )


def mute_key(number: int, reboot: float, folder: Path) -> Stood:
    """A speakerphone's mute light."""
    one = HidEmulator(folder / f"{number}.h", reboot=reboot)

    def asks(dice: random.Random) -> list[Asked]:
        on = dice.random() < 0.5
        return [Asked("set_mute", {"on": on}, "mute", on)]

    return Stood(
        DeviceConfig("key", Role.MUTE_BUTTON, "hid", "Key", {"node": one.address}), one, asks, lambda _: one.light
    )


def equipment(number: int, reboot: float, patience: float, folder: Path) -> list[Stood]:
    """What stands in room `number`; its emulators come back `reboot` seconds after they lost their power."""
    camera = uvc(number, reboot, folder) if number % 4 == 0 else visca(number, reboot)
    return [
        *(camera, pjlink(number, reboot, patience)),
        *(television(number, reboot, folder), mute_key(number, reboot, folder)),
    ]
