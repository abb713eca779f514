"""The sensors behind one broker that the installer names, by what they announced (Home Assistant's discovery topics)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated

import msgspec

from devices.discovery import Found
from devices.hosts import Host
from devices.mdns import announced
from devices.mqtt.announcements import Prefix, Sensor, described, names
from devices.mqtt.broker import Address, BrokerLink

SECURE = "_secure-mqtt._tcp"
KINDS = ("_mqtt._tcp", SECURE)


class MqttPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The broker, as in the settings of a sensor."""

    host: Host
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    username: str = ""
    password: str = ""
    tls: bool = False
    ca: str | None = None
    prefix: Prefix = "homeassistant"

    @property
    def address(self) -> Address:
        """Where it is and who we are there."""
        port = self.port or (8883 if self.tls else 1883)
        return Address(self.host, port, self.username, self.password, self.tls, self.ca)


async def brokers(seconds: float) -> list[Found]:
    """Those that announce themselves: nobody connects to them before the installer names one."""
    heard = await announced(*KINDS, seconds=seconds)
    found = []
    for one in heard.near:
        tls, usual = one.kind == SECURE, MqttPlace(one.host, tls=one.kind == SECURE).address.port
        settings = (
            {"host": one.host} | ({"port": one.port} if one.port != usual else {}) | ({"tls": True} if tls else {})
        )
        given = " ".join(f"--set {key}={str(value).lower()}" for key, value in settings.items())
        about = f"broker; its sensors: roomctl devices discover --driver mqtt {given}"
        found.append(Found("mqtt", one.name, about, settings, f"{one.name} {one.host}:{one.port}"))
    return found + heard.left_out("mqtt")


async def search(place: MqttPlace, seconds: float) -> list[Found]:
    """What announced itself there and has something to tell; raises a DeviceError. Passwords are not repeated."""
    announced: list[Sensor] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), BrokerLink.open(place.address) as link:
            await link.collect(place.prefix)
            try:
                await link.ping()
            finally:
                announced = list(link.announced.values())
    settings = {name: value for name, value in msgspec.to_builtins(place).items() if name != "password"}
    found = []
    for device in names(announced):
        sensor = described(device, announced)
        if sensor.sources or sensor.unread:
            about = "; ".join(part for part in (sensor.model, *(f"not read: {one}" for one in sensor.unread)) if part)
            found.append(Found("mqtt", sensor.name or device, about, {**settings, "device": device}, device))
    return found
