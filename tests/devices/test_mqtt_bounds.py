"""What anybody who may speak to the broker can cost: packets, payloads, announcements and topics have an end."""

from __future__ import annotations

import json

import pytest

from devices.errors import Garbage
from devices.mqtt import broker as brokers
from devices.mqtt import packets, readings
from devices.mqtt.announcements import LONGEST, LONGEST_TOPIC, Source, read
from devices.mqtt.broker import BrokerLink
from devices.mqtt.packets import Malformed, Published, Reader
from devices.mqtt.readings import Unreadable


def announcement(number: int, size: int = 0, topic: str = "t/co2") -> Published:
    said = {"state_topic": topic, "device_class": "carbon_dioxide", "device": {"identifiers": str(number)}, "x": ""}
    said["x"] = "x" * (size - len(json.dumps(said))) if size else ""
    return Published(f"homeassistant/sensor/{number}/config", json.dumps(said).encode(), True)


def test_a_packet_that_is_too_long_ends_the_connection_before_it_has_come() -> None:
    def begins(length: int) -> bytes:
        head, left = bytearray(b"\x30"), length
        while True:
            left, digit = divmod(left, 128)
            head.append(digit | (0x80 if left else 0))
            if not left:
                return bytes(head)

    assert Reader().feed(begins(packets.LONGEST)) == []
    (said,) = Reader().feed(begins(packets.LONGEST + 1))
    assert isinstance(said, Malformed)


def test_a_payload_that_is_too_long_is_not_read() -> None:
    source = Source("co2", "t")
    assert readings.read(source, b" " * (readings.LONGEST - 3) + b"612") == 612
    with pytest.raises(Unreadable):
        readings.read(source, b" " * (readings.LONGEST - 2) + b"612")


def test_an_announcement_that_is_too_long_is_none() -> None:
    for size, there in ((LONGEST, True), (LONGEST + 1, False)):
        one = announcement(1, size)
        assert len(one.payload) == size
        assert (read(one.topic, one.payload) is not None) is there


def test_a_topic_that_is_too_long_is_not_followed() -> None:
    for size, there in ((LONGEST_TOPIC, True), (LONGEST_TOPIC + 1, False)):
        one = announcement(1, topic="t" * size)
        said = read(one.topic, one.payload)
        assert (said is not None) is there
        assert said is None or said.sources[0].topic == "t" * size


async def heard(*messages: Published) -> BrokerLink:
    """By a link that collects."""
    link = BrokerLink()
    link._prefixes.add("homeassistant")
    for message in messages:
        link._published(message)
    return link


async def test_so_many_announcements_of_one_broker_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert brokers.ANNOUNCED == 8192
    monkeypatch.setattr(brokers, "ANNOUNCED", 64)
    link = await heard(*map(announcement, range(100)))
    assert len(link.announced) == 64
    link._published(Published(announcement(3).topic, b"", True))
    link._published(announcement(99))
    assert len(link.announced) == 64, "one that is withdrawn makes place"
    assert announcement(99).topic in link.announced


async def test_so_many_bytes_of_announcements_are_kept() -> None:
    link = await heard(*(announcement(number, LONGEST) for number in range(600)))
    assert brokers.ANNOUNCED_BYTES - 2 * LONGEST < link._kept <= brokers.ANNOUNCED_BYTES
    for _ in range(3):
        link._published(announcement(0, LONGEST))
    assert link._kept == sum(len(one) + LONGEST for one in link.announced), "counted once each"


async def test_what_is_no_mqtt_ends_the_connection() -> None:
    link = BrokerLink()
    link.received(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(Garbage):
        link.check()


NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("stamp", "age"),
    [
        (NOW - 5, 5.0),
        (int(NOW - 5) * 1000, 5.0),  # Zigbee2MQTT with `last_seen: epoch`
        ((NOW - 5) * 1000, 5.0),
        ("2023-11-14T22:13:15Z", 5.0),
        ((NOW + 3600) * 1000, 0.0),  # a clock that is wrong
        (True, None),
        ("yesterday", None),
    ],
)
@pytest.mark.parametrize("key", readings.STAMPS)
def test_a_time_is_in_seconds_milliseconds_or_words(key: str, stamp: object, age: float | None) -> None:
    assert readings.age(json.dumps({key: stamp}).encode(), NOW) == age


BY_PATH = Source("occupied", "t", ("occupancy",))


@pytest.mark.parametrize(
    ("source", "payload", "value"),
    [
        (BY_PATH, b'{"occupancy": true}', True),
        (BY_PATH, b'{"occupancy": false}', False),
        (BY_PATH, b'{"occupancy": "OFF"}', False),
        (Source("occupied", "t"), b"true", True),
        (Source("occupied", "t", template="{{ value_json.o }}"), b'{"o": false}', False),
        (Source("occupied", "t", ("o",), on="false", off="true"), b'{"o": true}', False),  # a contact
    ],
)
def test_true_and_false_are_on_and_off_where_nothing_else_is_named(source: Source, payload: bytes, value: bool) -> None:
    assert readings.read(source, payload) is value


@pytest.mark.parametrize("payload", [b"true", b'"yes"', b"1", b"[]"])
def test_words_that_are_named_are_the_only_ones(payload: bytes) -> None:
    with pytest.raises(Unreadable):
        readings.read(Source("occupied", "t", ("o",), on="here", off="gone"), b'{"o": %s}' % payload)
    if payload != b"true":
        with pytest.raises(Unreadable):
            readings.read(BY_PATH, b'{"occupancy": %s}' % payload)
