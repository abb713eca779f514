"""A computer that sleeps: the packet, its password, and whether it woke."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import DeviceSettingsError
from devices.emulators.wol import MAC, WolEmulator
from devices.registry import Registry
from devices.wol.packet import Magic, hardware, read
from tests.devices.cases.wol import computer
from tests.devices.stage import nothing_left_behind, stage
from wire.devices import Connection


@pytest.fixture
async def one() -> AsyncIterator[WolEmulator]:
    async with nothing_left_behind(), WolEmulator(boot=0.2) as emulator:
        yield emulator


async def test_it_is_believed_off_until_it_woke_and_says_that_it_is_on(one: WolEmulator) -> None:
    async with stage(computer(one)) as room:
        device = await room.until(lambda device: device.properties.get("power") is not None)
        assert (device.capabilities, device.fault) == (["wake"], None)
        assert (await room.do("wake")).outcome == "accepted"
        assert (room.property("power").reported, room.property("power").assumed) == (None, "off"), "woken is not on"
        await room.shows("power", "on")
        assert room.property("power").assumed is None
        await one.shut_down()
        await room.until(lambda device: device.properties["power"].assumed == "off")
        assert room.property("power").reported == "on", "the last it said"
        assert room.device.connection is Connection.ONLINE, "a computer that is off is no fault"


async def test_a_name_that_was_never_known_is_said_and_one_that_went_is_that_of_a_computer_that_is_off(
    one: WolEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = False

    def look_up(host: str, *args: Any, **more: Any) -> Any:
        if not known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (one.address[0], 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    async with stage(computer(one, host="pc.example.org")) as room:
        device = await room.until(lambda device: device.fault is not None)
        assert device.fault is not None
        assert (device.fault.code, device.connection) == ("device.no_such_name", Connection.ONLINE)
        assert "power" not in device.properties, "nobody knows"
        assert (await room.do("wake")).outcome == "accepted", "who is off may have no name"
        await one.until(lambda: one.up)
        known = True
        assert (await room.shows("power", "on")).fault is None
        known = False
        device = await room.until(lambda device: device.properties["power"].assumed == "off")
        assert (device.fault, device.connection) == (None, Connection.ONLINE)


async def test_without_a_port_to_ask_it_is_only_believed_to_be_on(one: WolEmulator) -> None:
    async with stage(computer(one, host=None, probe=None)) as room:
        await room.online()
        await room.do("wake")
        await one.until(lambda: one.packets > 0)
        assert (room.property("power").reported, room.property("power").assumed) == (None, "on")


async def test_a_port_that_is_refused_shows_that_somebody_is_up(one: WolEmulator) -> None:
    async with stage(computer(one, probe=1)) as room:
        await room.shows("power", "on")


@pytest.mark.parametrize("password", ["01:02:03:04:05:06", "01-02-03-04"])
async def test_the_password_wakes_and_a_wrong_one_does_not(password: str) -> None:
    async with nothing_left_behind(), WolEmulator(password=password) as one:
        async with stage(computer(one, password="ff:ff:ff:ff:ff:ff")) as room:
            await room.online()
            await room.do("wake")
            await one.until(lambda: one.requests >= 3)
            assert one.packets == 0
        async with stage(computer(one, password=password)) as room:
            await room.online()
            await room.do("wake")
            await one.until(lambda: one.packets == 3)


@pytest.mark.parametrize("fault", ["garbage", "half"])
async def test_a_broken_packet_wakes_nobody_and_nothing_is_shown_of_it(one: WolEmulator, fault: str) -> None:
    async with stage(computer(one)) as room:
        await room.until(lambda device: "power" in device.properties)
        one.fault(fault)
        assert (await room.do("wake")).outcome == "accepted"
        await one.until(lambda: one.requests >= 3)
        assert (one.packets, one.on) == (0, False)
        assert (room.property("power").reported, room.property("power").assumed) == (None, "off")
        one.fault(fault, False)
        await room.do("wake")
        await room.shows("power", "on")


async def test_one_that_comes_twice_wakes_it_once(one: WolEmulator) -> None:
    async with stage(computer(one)) as room:
        await room.online()
        one.fault("duplicate")
        await room.do("wake")
        await room.shows("power", "on")
        assert one.packets == 6
        assert one.commands.count("up") == 1


async def test_it_goes_out_from_our_address_on_the_network_of_the_room() -> None:
    async with nothing_left_behind(), WolEmulator(host="127.0.0.1") as one:
        async with stage(computer(one, source="127.0.0.5")) as room:
            await room.online()
            await room.do("wake")
            await one.until(lambda: one.packets > 0)
        async with stage(computer(one, source="192.0.2.200")) as room:
            device = await room.gone()
            assert device.fault is not None
            assert device.fault.code == "device.unreachable"


async def test_to_everybody_on_a_network_it_may_be_sent(one: WolEmulator) -> None:
    """The kernel refuses a broadcast without SO_BROADCAST."""
    async with stage(computer(one, broadcast="127.255.255.255", host=None, probe=None)) as room:
        await room.online()
        assert (await room.do("wake")).outcome == "accepted"


@pytest.mark.parametrize(
    "wrong",
    [{"mac": "aa:bb"}, {"broadcast": "everybody"}, {"password": "01:02:03"}, {"probe": None}, {"source": "eth0"}],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(DeviceSettingsError):
        Registry.installed().build([computer(WolEmulator(), **({"probe": 22} | wrong))])


@given(st.binary(min_size=6, max_size=6), st.sampled_from([b"", b"1234", b"123456"]), st.binary(max_size=20))
def test_a_packet_is_read_as_it_was_written_wherever_it_stands(mac: bytes, password: bytes, before: bytes) -> None:
    found = read(before.replace(b"\xff", b"") + Magic(mac, password).encode())
    assert found is not None
    if b"\xff" not in mac:
        assert found == Magic(mac, password)


@given(st.binary(max_size=150))
def test_any_bytes_are_a_packet_or_none(data: bytes) -> None:
    read(data)


def capture(payload: bytes) -> bytes:
    """A capture file with one UDP datagram to port 9 over raw IPv4 (LINKTYPE_RAW)."""
    udp = struct.pack("!HHHH", 40000, 9, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, b"\x0a\0\0\x01", b"\x0a\0\0\xff") + udp
    return (
        struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101) + struct.pack("<IIII", 0, 0, len(ip), len(ip)) + ip
    )


async def test_another_program_reads_the_same_in_it(tmp_path: Path) -> None:
    file = tmp_path / "wake.pcap"
    file.write_bytes(capture(Magic(hardware(MAC), hardware("01:02:03:04:05:06")).encode()))
    fields = ("-T", "fields", "-e", "wol.mac", "-e", "_ws.col.Info")
    process = await asyncio.create_subprocess_exec(
        "tshark", "-r", str(file), *fields, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    said, _ = await process.communicate()
    macs, _, words = said.decode().strip().partition("\t")
    assert macs.split(",") == [MAC] * 16
    assert words.endswith("password 01:02:03:04:05:06"), words
