"""Sensors through a real mosquitto: announced, there or not, believed for as long as may be."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import DeviceConfig, DeviceSettingsError, Shared
from devices.emulators.cable import Cable
from devices.emulators.mqtt import MqttBroker, MqttSensorEmulator
from devices.mqtt import announcements, packets, readings
from devices.mqtt.announcements import Availability, Source
from devices.mqtt.packets import Published
from devices.registry import Registry
from tests.devices.certificates import certificate
from tests.devices.stage import nothing_left_behind, stage
from wire.devices import Connection, Role


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[MqttBroker]:
    async with nothing_left_behind(), MqttBroker(tmp_path, reboot=0.3) as one:
        yield one


def sensor(address: tuple[str, int], device: str | None = "dock", **settings: Any) -> DeviceConfig:
    host, port = address
    settings |= {"device": device} if device else {}
    return DeviceConfig("air", Role.AIR_SENSOR, "mqtt", "Capteur", {"host": host, "port": port, **settings})


def fault(code: str) -> Any:
    return lambda device: device.fault is not None and device.fault.code == code


async def test_an_announced_sensor_shows_what_it_measures(broker: MqttBroker) -> None:
    async with MqttSensorEmulator(broker, "dock") as one, stage(sensor(broker.address)) as room:
        device = await room.online()
        assert device.model == "roomctl emulated"
        assert set(device.capabilities) == {"occupancy", "environment", "battery"}
        one.measure(co2=1250, occupied=False, temperature=22.75)
        await room.shows("co2", 1250)
        assert room.property("occupied").reported is False
        assert room.property("temperature").reported == pytest.approx(22.8)
        assert room.property("battery").reported == 87


async def test_a_sensor_that_announces_itself_later_is_found_and_its_absence_said(broker: MqttBroker) -> None:
    async with MqttSensorEmulator(broker, "other"), stage(sensor(broker.address)) as room:
        device = await room.until(fault("device.not_announced"))
        assert device.last_words == "announced: other"
        async with MqttSensorEmulator(broker, "dock", retain=True):
            await room.online()
            await room.shows("co2", 612)


async def test_nonsense_that_the_broker_kept_is_said_at_once(broker: MqttBroker) -> None:
    async with MqttSensorEmulator(broker, "dock", retain=True) as one:
        one.fault("garbage")
        one.say()
        async with stage(sensor(broker.address)) as room:
            device = await room.until(fault("device.garbage"))
            assert device.connection is Connection.ONLINE
            one.fault("garbage", False)
            one.say()
            await room.until(lambda device: device.fault is None)


async def test_whether_it_is_there_is_apart_from_what_it_said(broker: MqttBroker) -> None:
    async with MqttSensorEmulator(broker, "dock") as one, stage(sensor(broker.address)) as room:
        await room.online()
        one.say()
        await room.shows("co2", 612)
        one.fault("unplugged")
        device = await room.until(fault("device.offline"))
        assert device.connection is Connection.UNREACHABLE
        assert device.properties["co2"].reported == 612
        one.fault("unplugged", False)
        assert (await room.online()).fault is None


async def test_a_value_past_its_time_is_unknown_and_a_kept_one_does_not_come_back(broker: MqttBroker) -> None:
    config = sensor(broker.address)
    async with MqttSensorEmulator(broker, "dock", retain=True, expire_after=1) as one, stage(config) as room:
        await room.shows("co2", 612)
        await room.shows("co2", None)
        assert (await room.online()).fault is None, "it is there; it only said nothing new"
        one.measure(co2=700)
        await room.shows("co2", 700)
        cut = room.property("co2").observed_at
        assert cut is not None


async def test_reconnecting_does_not_make_a_kept_value_younger(broker: MqttBroker) -> None:
    async with (
        MqttSensorEmulator(broker, "dock", retain=True, expire_after=1),
        Cable(broker.address) as cable,
        stage(sensor(cable.address)) as room,
    ):
        await room.shows("co2", 612)
        await room.shows("co2", None)
        await room.reboots(cable)
        await room.online()
        heard = room.device.last_words
        assert "612" in heard
        assert room.property("co2").reported is None


@pytest.mark.parametrize(("age", "shown"), [(5.0, 612), (7200.0, None)])
async def test_a_kept_value_is_as_old_as_the_sensor_says(broker: MqttBroker, age: float, shown: int | None) -> None:
    async with MqttSensorEmulator(broker, "dock", retain=True, availability=False) as one:
        one.stamp = time.time() - age
        one.say()
        async with stage(sensor(broker.address, ttl=600)) as room:
            await room.until(lambda device: "612" in device.last_words)
            assert room.property("co2").reported == shown


@pytest.mark.parametrize(("age", "ahead", "shown"), [(5.0, 7200.0, None), (7200.0, -7200.0, 612)])
async def test_its_age_is_by_the_rooms_clock(broker: MqttBroker, age: float, ahead: float, shown: int | None) -> None:
    async with MqttSensorEmulator(broker, "dock", retain=True, availability=False) as one:
        one.stamp = time.time() - age
        one.say()
        async with stage(sensor(broker.address, ttl=600)) as room:
            room.jumped = ahead
            await room.until(lambda device: "612" in device.last_words)
            assert room.property("co2").reported == shown


async def test_a_kept_value_of_unknown_age_from_nobody_known_to_be_there_is_not_believed(broker: MqttBroker) -> None:
    async with (
        MqttSensorEmulator(broker, "dock", retain=True, availability=False) as one,
        stage(sensor(broker.address)) as room,
    ):
        await room.until(lambda device: "612" in device.last_words)
        assert room.property("co2").reported is None
        one.measure(co2=613)
        await room.shows("co2", 613)


async def test_nonsense_is_said_and_not_shown(broker: MqttBroker) -> None:
    async with MqttSensorEmulator(broker, "dock") as one, stage(sensor(broker.address)) as room:
        await room.online()
        one.measure(co2=700)
        await room.shows("co2", 700)
        one.measure(co2=-3)
        await room.until(fault("device.garbage"))
        assert room.property("co2").reported == 700
        one.measure(co2=701)
        await room.until(lambda device: device.fault is None)


async def test_a_weak_battery_is_told(broker: MqttBroker) -> None:
    async with MqttSensorEmulator(broker, "dock") as one, stage(sensor(broker.address)) as room:
        await room.online()
        one.measure(battery=6)
        device = await room.until(fault("device.battery"))
        assert device.connection is Connection.ONLINE
        one.measure(battery=100)
        await room.until(lambda device: device.fault is None)


async def test_topics_given_by_hand(broker: MqttBroker) -> None:
    sources = {
        "people": {"topic": "count/1", "value": "{{ value_json.n }}"},
        "occupied": {"topic": "pir/1", "on": "1", "off": "0"},
    }
    config = sensor(broker.address, None, sources=sources)
    async with broker.link() as link, stage(config) as room:
        assert (await room.online()).capabilities == ["occupancy"]
        link.publish(Published("count/1", b'{"n": 7}'))
        link.publish(Published("pir/1", b"1"))
        await room.shows("people", 7)
        await room.shows("occupied", True)


async def test_sensors_of_many_rooms_share_one_connection(broker: MqttBroker) -> None:
    shared = Shared()
    async with (
        MqttSensorEmulator(broker, "a") as a,
        MqttSensorEmulator(broker, "b") as b,
        Cable(broker.address) as cable,
        stage(sensor(cable.address, "a"), shared=shared) as one,
        stage(sensor(cable.address, "b"), shared=shared) as other,
    ):
        await one.online()
        await other.online()
        a.measure(co2=1000)
        b.measure(co2=2000)
        await one.shows("co2", 1000)
        await other.shows("co2", 2000)
        assert cable.connections == 1


async def test_a_wrong_password_is_said(tmp_path: Path) -> None:
    async with nothing_left_behind(), MqttBroker(tmp_path, password="secret") as broker:
        async with stage(sensor(broker.address, username="room", password="wrong")) as room:
            await room.until(fault("device.password"))
        async with stage(sensor(broker.address)) as room:
            await room.until(fault("device.password"))


async def test_a_password_changed_back_while_the_broker_starts_is_the_next_one_it_wants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"username": "room", "password": "secret"}
    async with (
        nothing_left_behind(),
        MqttBroker(tmp_path, password="secret", reboot=0.05) as one,
        MqttSensorEmulator(one, "dock", retain=True) as dock,
        stage(sensor(one.address, **settings)) as room,
    ):
        log_in = dock.open

        async def later() -> None:
            monkeypatch.undo()
            one.fault("wrong_password", False)  # the server runs, its sensors are on their way
            await log_in()

        monkeypatch.setattr(dock, "open", later)
        await room.online()
        one.fault("wrong_password")
        await room.gone()
        await one.settled()
        async with stage(sensor(one.address, **settings)) as later_room:  # that was never refused, and so need not wait
            await later_room.online()


async def test_a_sensor_plugged_in_while_its_broker_is_off_logs_in_with_it(broker: MqttBroker) -> None:
    async with MqttSensorEmulator(broker, "dock") as one, stage(sensor(broker.address)) as room:
        await room.online()
        one.fault("unplugged")
        await room.gone()
        broker.fault("unplugged")
        await broker.settled()
        one.fault("unplugged", False)
        await one.settled()
        broker.fault("unplugged", False)
        await room.online()


async def test_tls_with_a_certificate_we_trust_and_one_we_do_not(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    async with (
        nothing_left_behind(),
        MqttBroker(tmp_path / "broker", certificate=cert, key=key) as broker,
        MqttSensorEmulator(broker, "dock", retain=True),
    ):
        async with stage(sensor(broker.address, tls=True, ca=str(cert))) as room:
            await room.shows("co2", 612)
        async with stage(sensor(broker.address, tls=True)) as room:
            await room.until(fault("device.certificate"))


def test_settings_that_name_no_sensor_or_a_template_we_do_not_read_are_refused() -> None:
    for config in (
        sensor(("x", 1), None),
        sensor(("x", 1), None, sources={"co2": {"topic": "a", "value": "{{ states('x') }}"}}),
        sensor(("x", 1), None, sources={"co2": {"topic": "a/#"}}),
    ):
        with pytest.raises(DeviceSettingsError):
            Registry.installed().build([config])


ANNOUNCED = b"""{"~": "z/1", "stat_t": "~/state", "dev_cla": "temperature", "unit_of_meas": "\xc2\xb0F", "exp_aft": 60,
 "val_tpl": "{{ value_json['air'].t | round(1) }}", "avty": [{"t": "z/bridge", "val_tpl": "{{ value_json.state }}"}],
 "avty_mode": "all", "dev": {"ids": ["0x1"], "name": "Salle", "mf": "Aqara", "mdl": "T1"}}"""


def test_an_announcement_is_read_with_its_abbreviations() -> None:
    one = announcements.read("homeassistant/sensor/0x1/t/config", ANNOUNCED)
    assert one is not None
    assert (one.name, one.model, one.ids, one.every) == ("Salle", "Aqara T1", frozenset({"0x1"}), True)
    assert one.sources == (Source("temperature", "z/1/state", ("air", "t"), 60.0, fahrenheit=True),)
    assert one.availability == (Availability("z/bridge", path=("state",)),)
    assert readings.read(one.sources[0], b'{"air": {"t": 68}}') == 20.0


def test_a_device_announces_all_its_components_at_once() -> None:
    payload = b"""{"dev": {"ids": "d1"}, "state_topic": "s", "cmps": {
      "a": {"p": "sensor", "device_class": "humidity", "value_template": "{{ value_json.h }}"},
      "b": {"p": "binary_sensor", "device_class": "occupancy", "state_topic": "o"},
      "c": {"p": "light"}}}"""
    one = announcements.read("homeassistant/device/d1/config", payload)
    assert one is not None
    assert {(source.name, source.topic) for source in one.sources} == {("humidity", "s"), ("occupied", "o")}


@given(st.binary(max_size=300))
def test_any_announcement_and_any_payload_is_read_without_fail(data: bytes) -> None:
    announcements.read("homeassistant/sensor/x/config", data)
    readings.age(data, 0.0)
    for name in ("co2", "occupied"):
        try:
            readings.read(Source(name, "t", ("a",)), data)
            readings.read(Source(name, "t"), data)
        except readings.Unreadable:
            pass


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(
                    ["dev", "ids", "avty", "t", "stat_t", "dev_cla", "cmps", "p", "val_tpl", "~", "exp_aft"]
                ),
                x,
            )
        ),
    )
)
def test_any_json_is_an_announcement_or_none(said: Any) -> None:
    for component in ("sensor", "device"):
        announcements.read(f"homeassistant/{component}/x/config", json.dumps(said).encode())


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes_are_packets_or_malformed(pieces: list[bytes]) -> None:
    reader = packets.Reader()
    found = [packet for piece in pieces for packet in reader.feed(piece)]
    assert all(not isinstance(packet, packets.Malformed) for packet in found[:-1]), "nothing is read after it"


@given(
    st.text(min_size=1, max_size=40).filter(lambda t: not set("+#\0") & set(t)),
    st.binary(max_size=400),
    st.booleans(),
    st.integers(1, 50),
)
def test_a_message_is_read_as_it_was_written_however_it_is_cut(
    topic: str, payload: bytes, kept: bool, size: int
) -> None:
    message = Published(topic, payload, kept)
    data = packets.publish(message) + b"\xd0\x00"
    reader = packets.Reader()
    found = [one for at in range(0, len(data), size) for one in reader.feed(data[at : at + size])]
    assert found == [message, packets.Pong()]
