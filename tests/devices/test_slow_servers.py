"""Brokers and upsds that take up to 2.4 s for each answer, in virtual time: online, and asked each thing once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest

from devices import DeviceConfig, Timing
from devices.channel import Channel
from devices.ups.link import MOST, OWED, UpsdLink
from tests.devices import virtual
from tests.devices.stage import Stage, stage
from wire.devices import Connection, Role

SLOW = [0.0, 0.9, 2.3]


class Slow(asyncio.Protocol):
    """A server that answers each request after so many `seconds`."""

    seconds = 0.0
    asked: Counter[str]

    def __init__(self) -> None:
        self._rest = b""
        self._due = 0.0  # loop time of the last answer: they come in order

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def answer(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        self._due = max(self._due + 1e-6, loop.time() + self.seconds)
        loop.call_at(self._due, self.transport.write, data)


class Upsd(Slow):
    """Two supplies, and none of any other name."""

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self.asked[line.decode()] += 1
            what, _, ups, *_ = line.decode().split()
            if ups not in ("one", "two"):
                self.answer(b"ERR UNKNOWN-UPS\n")
            elif what == "GET":
                self.answer(f'VAR {ups} ups.status "OL"\n'.encode())
            else:
                said = "".join(f'VAR {ups} {name} "{value}"\n' for name, value in KNOWN[ups].items())
                self.answer(f"BEGIN LIST VAR {ups}\n{said}END LIST VAR {ups}\n".encode())


KNOWN = {
    "one": {"ups.status": "OL", "battery.charge": "100"},
    "two": {"ups.status": "OL", "battery.charge": "80"},
}


class Broker(Slow):
    """It keeps one value."""

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while len(self._rest) >= 2 and len(self._rest) >= 2 + self._rest[1]:
            packet, self._rest = self._rest[: 2 + self._rest[1]], self._rest[2 + self._rest[1] :]
            self.asked[NAMES.get(packet[0] >> 4, "?")] += 1
            match packet[0] >> 4:
                case 1:
                    self.answer(b"\x20\x02\x00\x00")
                case 8:
                    self.answer(b"\x90\x03" + packet[2:4] + b"\x00" + b"\x31\x08\x00\x03co2612")
                case 12:
                    self.answer(b"\xd0\x00")


NAMES = {1: "CONNECT", 8: "SUBSCRIBE", 12: "PINGREQ"}


def play(
    kind: type[Slow], seconds: float, configs: list[DeviceConfig], scene: Callable[[Stage], Coroutine[Any, Any, None]]
) -> Counter[str]:
    """`scene` with a slow server; what it was asked."""
    asked: Counter[str] = Counter()

    async def main(loop: virtual.VirtualLoop) -> None:
        at = {"seconds": seconds, "asked": asked}
        server = await loop.create_server(type("Server", (kind,), at), "10.0.0.9", 4000)
        async with stage(*configs, timing=Timing()) as room:
            await scene(room)
        server.close()

    virtual.run(main)
    return asked


ROLES = {"one": Role.UPS, "two": Role.NETWORK_SWITCH, "none": Role.AIR_SENSOR}  # a role is held by one device


def supply(name: str) -> DeviceConfig:
    return DeviceConfig(name, ROLES[name], "ups", "Onduleur", {"host": "10.0.0.9", "port": 4000, "ups": name})


def charge(room: Stage, name: str) -> object:
    charge = room.hub.snapshot()[name].properties.get("charge")
    return charge and charge.reported


@pytest.mark.parametrize("seconds", SLOW)
def test_supplies_of_a_slow_upsd_come_online_and_are_asked_once(seconds: float) -> None:
    """Each waits for its own answers alone, and the one that nobody knows harms none."""

    async def scene(room: Stage) -> None:
        await asyncio.sleep(3 * seconds + 0.1)
        assert (charge(room, "one"), charge(room, "two")) == (100.0, 80.0)
        assert room.hub.snapshot()["none"].fault is not None
        begun = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() < begun + 300:
            await asyncio.sleep(1)
            assert room.hub.snapshot()["one"].connection is Connection.ONLINE
            assert room.hub.snapshot()["two"].connection is Connection.ONLINE

    asked = play(Upsd, seconds, [supply("one"), supply("two"), supply("none")], scene)
    assert asked["LIST VAR one"] <= 1 + 1 + 300 / 45
    assert asked["GET VAR one ups.status"] <= 1 + 300 / 5


@pytest.mark.parametrize("seconds", SLOW)
def test_a_sensor_behind_a_slow_broker_comes_online_and_stays(seconds: float) -> None:
    settings = {"host": "10.0.0.9", "port": 4000, "sources": {"co2": {"topic": "co2", "value": "{{ value }}"}}}
    config = DeviceConfig("air", Role.AIR_SENSOR, "mqtt", "Capteur", settings)

    async def scene(room: Stage) -> None:
        await asyncio.sleep(4 * seconds + 1)
        for _ in range(300):
            await asyncio.sleep(1)
            assert room.device.connection is Connection.ONLINE

    asked = play(Broker, seconds, [config], scene)
    assert asked["CONNECT"] == asked["SUBSCRIBE"] == 1
    assert asked["PINGREQ"] <= 2 + 300 / 5


class _Silent:
    """A channel that leads nowhere."""

    def send(self, data: bytes) -> None:
        """Gone."""


async def test_of_questions_without_answer_so_many_are_remembered() -> None:
    link = UpsdLink()
    link._channel = cast(Channel, _Silent())
    asked = [asyncio.create_task(link.status(f"ups{number}")) for number in range(OWED + 3)]
    await asyncio.sleep(0)
    assert len(link._owed) == OWED
    link.received(f'VAR ups{OWED + 2} ups.status "OL"\n'.encode())
    assert await asked[-1] == "OL"
    assert not link._owed, "those before it have no answer any more"
    for one in asked[:-1]:
        one.cancel()
    await asyncio.gather(*asked, return_exceptions=True)


async def test_of_variables_so_many_are_read() -> None:
    link = UpsdLink()
    link._channel = cast(Channel, _Silent())
    asked = asyncio.create_task(link.variables("one"))
    await asyncio.sleep(0)
    link.received(b"BEGIN LIST VAR one\n")
    for number in range(MOST + 50):
        link.received(f'VAR one v{number} "1"\n'.encode())
    link.received(b"END LIST VAR one\n")
    assert len(await asked) == MOST
