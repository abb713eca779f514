"""What goes on in the demo's rooms while nobody does anything: sensors speak, air gets stale, batteries empty and fill."""

from __future__ import annotations

import asyncio

from demo.acts import charge_of, set_charge
from demo.emulated import Emulated, Equipment
from devices.emulators.mqtt import MqttSensorEmulator
from devices.emulators.ups import UpsServer

PERIOD = 20.0  # seconds between two words of a sensor
FRESH, PER_PERSON = 430.0, 90.0  # ppm of CO2 in an empty room, and for each person in it, after a while
COOL, WARMTH = 20.5, 0.2  # degrees Celsius, likewise
INERTIA = 0.1  # part of the way to where it tends in one period
EMPTIES, FILLS = 4, 3  # percent of a UPS's battery in one period


async def live(equipment: Equipment) -> None:
    """Never returns. Rooms take turns, so that the broker is not asked by all at once."""
    rooms = [list(devices.values()) for _, devices in equipment.rooms.values()]
    while True:
        for devices in rooms:
            breathe([device for device in devices if not device.missing])
            await asyncio.sleep(PERIOD / len(rooms))


def breathe(devices: list[Emulated]) -> None:
    """One period in one room."""
    sensors = [one.emulator for one in devices if isinstance(one.emulator, MqttSensorEmulator)]
    people = next((float(sensor.values["people"]) for sensor in sensors if "people" in sensor.values), 0.0)
    for sensor in sensors:
        if "co2" in sensor.values:
            sensor.values["co2"] = round(_toward(float(sensor.values["co2"]), FRESH + PER_PERSON * people))
            sensor.values["temperature"] = round(
                _toward(float(sensor.values["temperature"]), COOL + WARMTH * people), 2
            )
        sensor.say()
    for device in devices:
        if isinstance(device.emulator, UpsServer):
            supply(device.emulator)


def supply(server: UpsServer) -> None:
    """Empties while the mains are cut, fills when they are back."""
    charge = charge_of(server)
    later = max(2, charge - EMPTIES) if "power" in server.faults else min(100, charge + FILLS)
    if later != charge:
        set_charge(server, later)


def _toward(value: float, end: float) -> float:
    return value + (end - value) * INERTIA
