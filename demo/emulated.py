"""Makes the emulator of each device of a demo room from the room's own configuration of it, and starts them all.

Servers that are no part of roomctl (mosquitto, upsd, snmpd) may be missing on a machine: their devices are then not
emulated, `missing` says why, and the rooms show them as unreachable.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.acts import Act, acts_of
from demo.files import EmulatedRoom, EquipmentFile
from demo.fittings import MQTT, PASSWORD, PRESETS, SNMP, UPS, VISCA_UDP
from devices import DeviceConfig
from devices.emulators import PjlinkEmulator, PulseServer, ViscaEmulator
from devices.emulators.cec import CecEmulator
from devices.emulators.faults import Emulator
from devices.emulators.hid import HidEmulator
from devices.emulators.mqtt import MqttBroker, MqttSensorEmulator
from devices.emulators.onvif import OnvifEmulator, Position
from devices.emulators.snmp import SnmpSwitchEmulator
from devices.emulators.ups import UpsServer
from devices.emulators.uvc import UvcEmulator
from devices.errors import DeviceError

log = logging.getLogger(__name__)

TELEVISION_WARMUP = 3.0  # seconds
PLACES = {"0": Position(), "1": Position(0.4, 0.1, 0.5), "2": Position(-0.6, 0.0, 0.3)}


@dataclass
class Emulated:
    """A device: its emulator, what can be done with it by hand, and the package that is missing where there is none."""

    name: str
    role: str
    driver: str
    emulator: Emulator
    acts: Mapping[str, Act] = field(default_factory=dict)
    missing: str = ""


class Equipment:
    """Every emulated device of the demo. `rooms`: by room and id; `everywhere`: servers that all rooms rest on."""

    def __init__(self, file: EquipmentFile) -> None:
        self._folder = file.folder
        self.sound = PulseServer(file.pulse)
        self.broker = MqttBroker(file.folder / "mqtt", port=MQTT, password=PASSWORD)
        self.broker.address = (file.broker, MQTT)
        self.everywhere = {
            "broker": Emulated("Mosquitto", "broker", "mqtt", self.broker),
            "sound": Emulated("PulseAudio", "sound_server", "pulse", self.sound),
        }
        self.rooms = {room.id: (room, self._room(room)) for room in file.rooms}

    def _room(self, room: EmulatedRoom) -> dict[str, Emulated]:
        made = ((config, self._made(room, config)) for config in room.devices)
        return {
            config.id: Emulated(config.name, config.role, config.driver, emulator, acts_of(emulator))
            for config, emulator in made
        }

    def _made(self, room: EmulatedRoom, config: DeviceConfig) -> Emulator:
        make: dict[str, Callable[[EmulatedRoom, dict[str, Any]], Emulator]] = {
            "visca": _visca,
            "pjlink": _pjlink,
            "onvif": _onvif,
            "cec": _television,
            "uvc": lambda room, settings: UvcEmulator(Path(settings["node"]), speeds="right"),
            "hid": lambda room, settings: HidEmulator(Path(settings["node"])),
            "pulse": self._pulse,
            "mqtt": self._sensor,
            "ups": self._supply,
            "snmp": self._switch,
        }
        return make[config.driver](room, config.settings)

    def _pulse(self, room: EmulatedRoom, settings: dict[str, Any]) -> Emulator:
        sink = settings.get("sink")
        return self.sound.add("sink", sink, sink) if sink else self.sound.add("source", settings["source"])

    def _sensor(self, room: EmulatedRoom, settings: dict[str, Any]) -> Emulator:
        inside = room.people
        values: dict[str, bool | int | float]
        if "sources" in settings:
            values = {"occupied": inside > 0, "people": inside, "battery": 87}
        else:
            values = {"co2": 430 + 90 * inside, "temperature": 20.5 + 0.2 * inside, "humidity": 46, "battery": 92}
        return MqttSensorEmulator(self.broker, settings["device"], values)

    def _supply(self, room: EmulatedRoom, settings: dict[str, Any]) -> Emulator:
        server = UpsServer(self._folder / room.id / "ups", settings["ups"], port=UPS)
        server.address = (settings["host"], UPS)
        return server

    def _switch(self, room: EmulatedRoom, settings: dict[str, Any]) -> Emulator:
        switch = SnmpSwitchEmulator(self._folder / room.id / "switch", port=SNMP)
        switch.address = (settings["host"], SNMP)
        return switch

    # --- life ---------------------------------------------------------------------------------------------------

    @property
    def all(self) -> list[Emulated]:
        """Every device."""
        return [device for _, devices in self.rooms.values() for device in devices.values()]

    async def start(self) -> None:
        """Plug everything in; what cannot be emulated here says why."""
        for node in ("nodes", "mqtt"):
            (self._folder / node).mkdir(parents=True, exist_ok=True, mode=0o700)
        await self.sound.start()
        try:
            await self.broker.start()
        except RuntimeError as error:
            log.warning("sensors are not emulated: %s", error)
            for device in (*self.all, self.everywhere["broker"]):
                if device.driver == "mqtt":
                    device.missing = "mosquitto"
        async with asyncio.TaskGroup() as starting:
            for device in self.all:
                if not device.missing:
                    starting.create_task(self._start(device))

    async def _start(self, device: Emulated) -> None:
        try:
            await device.emulator.start()
        except (RuntimeError, DeviceError) as error:
            device.missing = {"ups": "nut-server", "snmp": "snmpd", "mqtt": "mosquitto"}.get(device.driver, "")
            log.warning("%s is not emulated: %s", device.name, error)
            if not device.missing:
                raise

    async def stop(self) -> None:
        """Unplug everything."""
        await asyncio.gather(*(device.emulator.stop() for device in self.all if not device.missing))
        await self.broker.stop()
        await self.sound.stop()


def _visca(room: EmulatedRoom, settings: dict[str, Any]) -> Emulator:
    transport = settings.get("transport", "udp")
    return ViscaEmulator(settings["host"], settings.get("port", VISCA_UDP), transport=transport)


def _pjlink(room: EmulatedRoom, settings: dict[str, Any]) -> Emulator:
    return PjlinkEmulator(settings["host"], settings.get("port", 4352), password=settings["password"])


def _onvif(room: EmulatedRoom, settings: dict[str, Any]) -> Emulator:
    camera = OnvifEmulator(port=settings["port"], password=settings["password"])
    camera.address = (settings["host"], settings["port"])
    camera.stored = {number: (name, PLACES[number]) for number, name in PRESETS.items()}
    return camera


def _television(room: EmulatedRoom, settings: dict[str, Any]) -> Emulator:
    asleep = sum(room.id.encode()) % 2 == 0  # every other one takes its EDID away in standby
    return CecEmulator(Path(settings["node"]), edid_asleep=asleep, warmup=TELEVISION_WARMUP)
