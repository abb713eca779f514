"""What sensors announce of themselves through a real mosquitto: motions that end, templates, who says that they are there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from devices.emulators.mqtt import MqttBroker
from devices.mqtt.packets import Published
from devices.mqtt.search import MqttPlace, search
from tests.devices.stage import nothing_left_behind, stage
from tests.devices.test_mqtt import fault, sensor
from wire.devices import Connection


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[MqttBroker]:
    async with nothing_left_behind(), MqttBroker(tmp_path, reboot=0.3) as one:
        yield one


async def announce(broker: MqttBroker, component: str, object: str, **said: Any) -> None:
    """A sensor announces itself, and the broker keeps it."""
    payload = json.dumps({"dev": {"ids": ["pir"]}, "stat_t": "pir", **said}).encode()
    await publish(broker, f"homeassistant/{component}/pir/{object}/config", payload)


async def publish(broker: MqttBroker, topic: str, payload: bytes, *, retained: bool = True) -> None:
    async with broker.link() as link:
        link.publish(Published(topic, payload, retained=retained))
        await link.ping()


async def test_a_motion_is_over_when_its_sensor_said_that_it_would_be(broker: MqttBroker) -> None:
    await announce(broker, "binary_sensor", "motion", dev_cla="motion", off_delay=0.5)
    async with stage(sensor(broker.address, "pir")) as room:
        await room.online()
        await publish(broker, "pir", b"ON", retained=False)
        await room.shows("occupied", True)
        await room.shows("occupied", False)
        await publish(broker, "pir", b"ON", retained=False)
        await room.shows("occupied", True)


async def test_a_template_that_is_not_read_is_named(broker: MqttBroker, caplog: pytest.LogCaptureFixture) -> None:
    await announce(broker, "binary_sensor", "motion", dev_cla="motion", val_tpl="{{ value.split(',')[0] }}")
    config = sensor(broker.address, "pir")
    async with stage(config) as room:
        device = await room.until(fault("device.unread"))
        assert device.fault is not None
        assert device.fault.args["sensors"] == "occupied: {{ value.split(',')[0] }}"
        assert "value.split" in caplog.text
        found = await search(MqttPlace(*broker.address), 2.0)
        assert [(one.identity, one.model) for one in found] == [
            ("pir", "not read: occupied: {{ value.split(',')[0] }}")
        ]
        await announce(broker, "sensor", "co2", dev_cla="carbon_dioxide", val_tpl="{{ value_json.c | default(400) }}")
        assert (await room.online()).capabilities == ["environment"]
        await publish(broker, "pir", b"{}", retained=False)
        await room.shows("co2", 400)
        assert (await room.until(fault("device.unread"))).connection is Connection.ONLINE


async def test_all_that_say_whether_a_sensor_is_there_have_to_say_so(broker: MqttBroker) -> None:
    both = [{"t": "bridge"}, {"t": "pir/there"}]
    await announce(broker, "binary_sensor", "motion", dev_cla="motion", avty=both, avty_mode="all")
    await publish(broker, "bridge", b"online")
    async with stage(sensor(broker.address, "pir")) as room:
        await room.until(fault("device.offline"))  # of one of them nothing is known
        await publish(broker, "pir/there", b"online")
        await room.online()
        await publish(broker, "bridge", b"offline")
        await room.until(fault("device.offline"))
        await announce(broker, "binary_sensor", "motion", dev_cla="motion", avty=both, avty_mode="any")
        await room.online()


async def test_a_sensor_that_nobody_says_is_there_is_not(broker: MqttBroker) -> None:
    await announce(broker, "binary_sensor", "motion", dev_cla="motion", avty_t="pir/there")
    async with stage(sensor(broker.address, "pir")) as room:
        await room.until(fault("device.offline"))
        await publish(broker, "pir/there", b"online")
        await room.online()
