"""Multicast DNS on the loopback: a real announcer, what drivers make of it, and announcements that are none."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zeroconf import IPVersion, ServiceInfo
from zeroconf._protocol.incoming import DNSIncoming
from zeroconf.asyncio import AsyncZeroconf

from devices.discovery import Found
from devices.emulators.ups import UpsServer
from devices.mdns import Announced, Heard, announced
from devices.mqtt.driver import MqttSensor
from devices.rtsp.driver import RtspCamera
from devices.ups.driver import UpsSupply
from tests.devices.stage import nothing_left_behind
from tests.roomctl.cli.command import roomctl

SECONDS = 3.0  # as the command line searches


@asynccontextmanager
async def announcing(*services: Announced, server: str = "x.local.") -> AsyncIterator[None]:
    """They announce themselves on this machine, all from one computer."""
    ours = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    try:
        for told in await asyncio.gather(*(ours.async_register_service(_info(one, server)) for one in services)):
            await told
        yield
    finally:
        await ours.async_close()


def _info(one: Announced, server: str) -> ServiceInfo:
    kind, address = f"{one.kind}.local.", [socket.inet_aton(one.host)]
    name, words = f"{one.name}.{kind}", dict(one.text)
    return ServiceInfo(kind, name, one.port, properties=words, addresses=address, server=server)


CAMERA = Announced("_rtsp._tcp", "Caméra du fond", "127.0.0.1", 8554, {"path": "/live"})
BROKER = Announced("_mqtt._tcp", "Capteurs", "127.0.0.1", 1883)
SECURE = Announced("_secure-mqtt._tcp", "Capteurs", "127.0.0.1", 8884)


async def test_what_announces_itself_is_found_with_its_address_and_words() -> None:
    async with nothing_left_behind(), announcing(CAMERA, BROKER):
        assert await announced("_rtsp._tcp", "_mqtt._tcp", seconds=SECONDS) == Heard([BROKER, CAMERA])
        assert await announced("_nut._tcp", seconds=0.2) == Heard()


async def test_streams_and_brokers_become_settings() -> None:
    usual = Announced("_rtsp._tcp", "Table", "127.0.0.1", 554)
    no_path = Announced("_rtsp._tcp", "Liar", "127.0.0.1", 554, {"path": "a b@evil"})
    async with announcing(CAMERA, usual, no_path, BROKER, SECURE):
        cameras, brokers = await asyncio.gather(RtspCamera.discover(SECONDS), MqttSensor.discover(SECONDS))
    assert [(one.name, one.settings) for one in cameras] == [
        ("Caméra du fond", {"url": "rtsp://127.0.0.1:8554/live"}),
        ("Table", {"url": "rtsp://127.0.0.1/"}),
    ]
    assert [one.settings for one in brokers] == [
        {"host": "127.0.0.1"},
        {"host": "127.0.0.1", "port": 8884, "tls": True},
    ]
    assert brokers[1].model.endswith("--driver mqtt --set host=127.0.0.1 --set port=8884 --set tls=true")


async def test_supplies_of_a_computer_that_announces_itself_are_found_by_name(tmp_path: Path) -> None:
    async with UpsServer(tmp_path, "rack") as server, announcing(Announced("_nut._tcp", "rack", *server.address)):
        found = [
            one for one in await UpsSupply.discover(1.5 * SECONDS) if one.settings.get("port") == server.address[1]
        ]
    host, port = server.address
    assert [one.settings for one in found] == [{"ups": "rack", "host": host, "port": port}]


@pytest.mark.parametrize(("driver", "near"), [(RtspCamera, CAMERA), (MqttSensor, BROKER), (UpsSupply, BROKER)])
async def test_what_is_here_comes_before_what_others_announce_from_elsewhere(
    monkeypatch: pytest.MonkeyPatch, driver: type[RtspCamera | MqttSensor | UpsSupply], near: Announced
) -> None:
    far = [Announced(near.kind, f"far {number}", "203.0.113.7", 1000 + number) for number in range(300)]

    async def heard(*kinds: str, seconds: float) -> Heard:
        return Heard([near], far)

    async def supplies(host: str, port: int, seconds: float) -> list[Found]:
        return [Found("ups", f"rack {port}", settings={"ups": "rack", "port": port})]

    for place in ("devices.rtsp.driver", "devices.mqtt.search", "devices.ups.driver"):
        monkeypatch.setattr(f"{place}.announced", heard)
    monkeypatch.setattr(UpsSupply, "_supplies", supplies)
    found = await driver.discover(1.0)
    here = [bool(one.elsewhere) for one in found].index(True)
    assert here == len(found) - len(far) > 0
    assert not any(one.settings for one in found[here:])


async def test_the_installer_sees_it() -> None:
    async with announcing(CAMERA):
        ran = await roomctl("devices", "discover", "--driver", "rtsp", "--seconds", str(SECONDS), "--json")
    assert ran.status == 0, ran
    assert {"url": "rtsp://127.0.0.1:8554/live"} in [one["settings"] for one in ran.json]


async def test_the_installer_is_told_of_those_that_name_an_address_elsewhere_and_how_to_try_them() -> None:
    far = Announced("_rtsp._tcp", "Autre réseau", "203.0.113.7", 554)
    here = ("devices", "discover", "--driver", "rtsp", "--seconds", str(SECONDS))
    async with announcing(CAMERA), announcing(far, server="far.local."):
        ran, as_json = await asyncio.gather(roomctl(*here), roomctl(*here, "--json"))
    assert ran.status == as_json.status == 0
    assert "1 announcement names an address on none of this machine's networks" in ran.out
    assert "203.0.113.7:554 (rtsp)" in ran.out
    assert "roomctl devices probe --driver rtsp" in ran.out
    assert "rtsp://203.0.113.7" not in ran.out, "no settings to copy"
    assert [one["name"] for one in as_json.json if "203" in str(one)] == []
    assert "203.0.113.7:554 (rtsp)" in as_json.err


async def test_a_machine_that_cannot_listen_finds_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(**_: object) -> None:
        raise OSError("Address already in use")

    monkeypatch.setattr("zeroconf.asyncio.AsyncZeroconf", taken)
    assert await announced("_rtsp._tcp", seconds=0.1) == Heard()
    assert "cannot be searched" in caplog.text


async def test_what_listens_is_closed_where_our_networks_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    class Listening:
        def __init__(self, **_: object) -> None: ...

        async def async_close(self) -> None:
            closed.append(self)

    def unknown(interfaces: object) -> None:
        raise OSError("no interfaces")

    monkeypatch.setattr("zeroconf.asyncio.AsyncZeroconf", Listening)
    monkeypatch.setattr("devices.mdns.own_networks", unknown)
    with pytest.raises(OSError, match="no interfaces"):
        await announced("_rtsp._tcp", seconds=0.1)
    assert len(closed) == 1


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda more: b"\0\0\x84\0\0\0\0\1\0\0\0\0" + more))
def test_any_datagram_is_survived(datagram: bytes) -> None:
    """What the library reads from anybody; it never raises into its socket."""
    DNSIncoming(datagram).answers()
