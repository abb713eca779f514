"""What a room says of an MQTT sensor."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from devices.hosts import Host
from devices.marks import READS, SECRET
from devices.mqtt.announcements import Availability, Prefix, Sensor, Source
from devices.mqtt.broker import Address
from devices.mqtt.templates import path_of

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Topic = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=512,
        pattern="^[^+#]+$",
        description="one topic, like 'zigbee2mqtt/sensor', without + or #",
    ),
]
Seconds = Annotated[float, msgspec.Meta(ge=1, le=604800)]
Property = Literal["occupied", "people", "co2", "temperature", "humidity", "battery"]


class SourceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`value`: where the value is, as in `{{ value_json.co2 }}`. `on` and `off`: the words of an occupancy sensor.

    `off_delay`: seconds after which a motion is over, of a sensor that says nothing when it is.
    """

    topic: Topic
    value: Annotated[str, msgspec.Meta(max_length=200)] = "{{ value }}"
    on: Annotated[str, msgspec.Meta(max_length=64)] = "ON"
    off: Annotated[str, msgspec.Meta(max_length=64)] = "OFF"
    ttl: Seconds | None = None
    off_delay: Seconds | None = None


class MqttSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`device`: identifier or name under which the sensor announces itself below `prefix`; or `sources` by hand.

    `ttl`: seconds after which a value is no longer known, where neither the sensor nor a source says it. `availability`
    is a topic that says `online` or `offline`, for `sources`. `ca`: PEM file of who signed the broker's certificate.
    """

    host: Host
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None  # 1883, with tls 8883
    username: Annotated[str, msgspec.Meta(max_length=256, extra_json_schema=SECRET)] = ""
    password: Annotated[str, msgspec.Meta(max_length=256, extra_json_schema=SECRET)] = ""
    tls: bool = False
    ca: Annotated[str, msgspec.Meta(max_length=4096, extra_json_schema=READS)] | None = None
    device: Text | None = None
    prefix: Prefix = "homeassistant"
    sources: dict[Property, SourceSettings] = {}
    availability: Topic | None = None
    ttl: Seconds = 1800.0

    @property
    def broker(self) -> Address:
        """Where its broker is, and who we are there."""
        port = self.port or (8883 if self.tls else 1883)
        return Address(self.host, port, self.username, self.password, self.tls, self.ca)

    @property
    def by_hand(self) -> Sensor:
        """The sources that are given here."""
        sources = tuple(
            Source(
                *(name, one.topic, path_of(one.value) or (), one.ttl),
                on=one.on,
                off=one.off,
                template=one.value if path_of(one.value) is None else "",
                off_delay=one.off_delay,
            )
            for name, one in self.sources.items()
        )
        return Sensor(sources=sources, availability=(Availability(self.availability),) if self.availability else ())
