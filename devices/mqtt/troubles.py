"""What is wrong with a sensor that is there."""

from __future__ import annotations

from collections.abc import Mapping, Set

from devices.mqtt.announcements import Sensor
from devices.mqtt.readings import Lease
from devices.state import printable
from wire.problems import Notice

LOW_BATTERY = 10  # percent


def notice(sensor: Sensor, unreadable: Set[str], leases: Mapping[str, Lease]) -> Notice | None:
    """The worst: `unreadable` topics, a battery that is low, announcements that we do not read."""
    if unreadable & {source.topic for source in sensor.sources}:
        return Notice("device.garbage")
    battery = leases.get("battery")
    if battery is not None and battery.value <= LOW_BATTERY:
        return Notice("device.battery")
    return unread(sensor)


def unread(sensor: Sensor) -> Notice | None:
    """It measures what we cannot read, for its template."""
    return Notice("device.unread", {"sensors": printable("; ".join(sensor.unread))}) if sensor.unread else None
