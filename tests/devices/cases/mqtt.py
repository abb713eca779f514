"""A sensor behind a real broker: the broker's way cut, the broker itself, the sensor itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from devices import DeviceConfig
from devices.emulators.cable import Cable
from devices.emulators.faults import FAULTS
from devices.emulators.mqtt import MqttBroker, MqttSensorEmulator
from tests.devices.cases.case import DELAY, FAILS, GONE, REBOOT, STREAM, WORKS, Case, Expected, Rig
from wire.devices import Role


def rig(part: str) -> Callable[[Path], AbstractAsyncContextManager[Rig]]:
    @asynccontextmanager
    async def rigged(folder: Path) -> AsyncIterator[Rig]:
        password = "secret" if part == "broker" else ""
        async with (
            MqttBroker(folder, password=password, reboot=REBOOT) as broker,
            Cable(broker.address, delay=DELAY, reboot=REBOOT) as cable,
            MqttSensorEmulator(broker, "dock", retain=True, reboot=REBOOT) as sensor,
        ):
            host, port = cable.address if part == "cable" else broker.address
            settings = {"host": host, "port": port, "device": "dock"}
            settings |= {"username": "room", "password": password} if password else {}
            config = DeviceConfig("air", Role.AIR_SENSOR, "mqtt", "Capteur", settings)
            emulator = {"cable": cable, "broker": broker, "sensor": sensor}[part]
            yield Rig(emulator, config, None, {}, "co2", 612, stir=sensor.say)

    return rigged


NOT_ASKED = {"reboot_in_command": "a sensor takes no command"}
CABLE = Cable.available_faults
BROKER = MqttBroker.available_faults
SENSOR = MqttSensorEmulator.available_faults
OFFLINE = Expected(FAILS, "device.offline", held=True)


def without(faults: tuple[str, ...], why: str) -> dict[str, str]:
    return {name: why for name in (*FAULTS, "single_client", "wrong_password") if name not in faults} | NOT_ASKED


CASES = [
    Case("mqtt", "mqtt", rig("cable"), CABLE, STREAM, {"drop": GONE}, without(CABLE, "see mqtt-broker")),
    Case("mqtt-broker", "mqtt", rig("broker"), BROKER, STREAM, {}, without(BROKER, "see mqtt")),
    Case(
        "mqtt-sensor",
        "mqtt",
        rig("sensor"),
        SENSOR,
        STREAM,
        {
            "unplugged": OFFLINE,
            "reboot": OFFLINE,
            "stuck": Expected(WORKS, mute=True),
            "garbage": Expected(FAILS, "device.garbage", online=True),
        },
        without(SENSOR, "see mqtt"),
    ),
]
