"""What sensors announce of themselves through a real mosquitto: motions that end, templates, who says that they are there."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from devices.emulators.cable import Cable
from devices.emulators.mqtt import MqttBroker
from devices.journal import BURST
from devices.mqtt.announcements import MOST, Sensor, Source, described
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


@pytest.mark.parametrize(("age", "shown"), [(600.0, False), (5.0, True), (7200.0, None)])
async def test_a_motion_that_the_broker_kept_is_over_when_it_was(
    broker: MqttBroker, age: float, shown: bool | None
) -> None:
    await announce(broker, "binary_sensor", "motion", dev_cla="motion", off_delay=90, val_tpl="{{ value_json.o }}")
    await publish(broker, "pir", json.dumps({"o": "ON", "last_seen": time.time() - age}).encode())
    async with stage(sensor(broker.address, "pir")) as room:
        await room.until(lambda device: "last_seen" in device.last_words)
        assert room.property("occupied").reported is shown


async def test_a_motion_that_is_over_does_not_come_back_with_the_broker(broker: MqttBroker) -> None:
    await announce(broker, "binary_sensor", "motion", dev_cla="motion", off_delay=0.5, val_tpl="{{ value_json.o }}")
    async with Cable(broker.address) as cable, stage(sensor(cable.address, "pir")) as room:
        await room.online()
        ahead = json.dumps({"o": "ON", "last_seen": time.time() + 3600}).encode()  # a clock that is wrong
        await publish(broker, "pir", ahead)
        await room.shows("occupied", True)
        await room.shows("occupied", False)
        await room.reboots(cable)
        await room.online()
        assert room.property("occupied").reported is False


async def test_announcements_that_change_without_end_do_not_fill_the_log(
    broker: MqttBroker, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage(sensor(broker.address, "pir")) as room:
        for number in range(2 * BURST):
            long = f"{number:02} {'x' * 100}\n{{{{ states() }}}}"
            cmps = {f"c{n}": {"p": "sensor", "dev_cla": "temperature", "val_tpl": f"{n} {long}"} for n in range(64)}
            said = json.dumps({"dev": {"ids": ["pir"]}, "stat_t": "pir", "cmps": cmps}).encode()
            await publish(broker, "homeassistant/device/pir/config", said)
            words = f"temperature: 0 {number:02}"
            await room.until(lambda device, words=words: words in str(device.fault))  # type: ignore[misc]
    lines = [one.getMessage() for one in caplog.records if "not read" in one.getMessage()]
    assert 0 < len(lines) <= BURST + 1
    assert all(len(line) < 300 and line.isprintable() for line in lines)


def test_a_device_has_so_many_sources_and_those_beyond_are_named() -> None:
    def one(number: int, *names: str) -> Sensor:
        return Sensor(frozenset({"d"}), sources=tuple(Source(name, f"t/{number}") for name in names))

    several = described("d", [one(number, "co2", "battery") for number in range(MOST)])
    assert len(several.sources) == MOST
    assert several.sources[-1] == Source("battery", f"t/{MOST // 2 - 1}")
    assert several.unread[:2] == (f"co2: t/{MOST // 2}", f"battery: t/{MOST // 2}")
    assert len(several.unread) <= MOST
    many = described("d", [one(number, "co2") for number in range(3 * MOST)])
    assert (len(many.sources), many.unread[0], len(many.unread)) == (MOST, f"co2: t/{MOST}", MOST)
    assert described("d", [one(number, "co2") for number in range(MOST)]).unread == ()


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
