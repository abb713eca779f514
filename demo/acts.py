"""What people do in a room with their hands and feet: press a mute key, use a remote control, come and go.

An act is no fault: the device does what it is there for, and the room has to follow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from devices.emulators.cec import CecEmulator
from devices.emulators.faults import Emulator
from devices.emulators.hid import HidEmulator
from devices.emulators.mqtt import MqttSensorEmulator
from devices.emulators.onvif import OnvifEmulator
from devices.emulators.pjlink import PjlinkEmulator
from devices.emulators.pulse import PulseNode
from devices.emulators.ups import UpsServer
from devices.emulators.uvc import UvcEmulator
from devices.emulators.visca import ViscaEmulator
from wire.devices import Value

Act = Callable[[], Awaitable[None] | None]
MOST_PEOPLE = 60  # who fit into a room
HELD = 1.5  # seconds that somebody holds a volume key
QUIET, LOUD = 0.3, 0.9  # of the knob


def acts_of(emulator: Emulator) -> Mapping[str, Act]:
    """What can be done with one device, by name."""
    match emulator:
        case HidEmulator():
            return {
                "press": emulator.press,
                "hook": emulator.hook,
                "volume_up": lambda: emulator.turn(up=True),
                "volume_down": lambda: emulator.turn(up=False),
                "volume_hold": lambda: hold(emulator),
            }
        case CecEmulator():
            return {"remote": emulator.remote}
        case PjlinkEmulator():
            return {"remote": lambda: _power_key(emulator)}
        case MqttSensorEmulator() if "people" in emulator.values:
            return {"enter": lambda: _come(emulator, 1), "leave": lambda: _come(emulator, -1)}
        case PulseNode() if emulator.kind == "sink":
            return {"quieter": lambda: emulator.turn(QUIET), "louder": lambda: emulator.turn(LOUD)}
        case UpsServer():
            return {"drain": lambda: drain(emulator)}
    return {}


def shown_by(emulator: Emulator) -> dict[str, Value]:
    """What one would see, standing before the device."""
    match emulator:
        case HidEmulator():
            return {"light": emulator.light, "off_hook": emulator.off_hook}
        case CecEmulator() | PjlinkEmulator():
            return {"power": emulator.power}
        case ViscaEmulator():
            return {"power": "on" if emulator.power else "off", "moving": emulator.moving}
        case OnvifEmulator() | UvcEmulator():
            return {"moving": emulator.moving}
        case MqttSensorEmulator() if "people" in emulator.values:
            return {"people": emulator.values["people"]}
        case UpsServer():
            return {"charge": charge_of(emulator)}
    return {}


async def hold(speakerphone: HidEmulator, seconds: float = HELD) -> None:
    """The key for less, held."""
    speakerphone.hold(up=False)
    try:
        await asyncio.sleep(seconds)
    finally:
        speakerphone.hold(up=None)


def _power_key(projector: PjlinkEmulator) -> None:
    """The one key that switches on and off; it is deaf while it warms up or cools down."""
    projector.answer(f"%1POWR {int(projector.power == 'off')}")


def _come(sensor: MqttSensorEmulator, more: int) -> None:
    """Somebody comes in, or goes."""
    people = min(MOST_PEOPLE, max(0, int(sensor.values["people"]) + more))
    sensor.measure(people=people, occupied=people > 0)


def charge_of(server: UpsServer) -> int:
    """Percent left in its battery."""
    (supply,) = server.supplies.values()
    return int(supply["battery.charge"])


def drain(server: UpsServer, charge: int = 8) -> None:
    """The mains are cut, and the battery is nearly empty."""
    if "power" not in server.faults:
        server.fault("power")
    set_charge(server, charge)


def set_charge(server: UpsServer, charge: int) -> None:
    """Its battery now holds so many percent, and it says so."""
    cut = "power" in server.faults
    status = ("OB DISCHRG" + (" LB" if charge < 20 else "")) if cut else ("OL CHRG" if charge < 100 else "OL")
    (name,) = server.supplies
    server.change(name, ups_status=status, battery_charge=str(charge), battery_runtime=str(charge * 18))
