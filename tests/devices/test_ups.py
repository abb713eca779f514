"""A power supply through a real upsd with dummy-ups."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import Shared
from devices.channel import Channel
from devices.emulators.cable import Cable
from devices.emulators.ups import UpsServer
from devices.ups import driver, lines, link
from devices.ups.driver import UpsSupply
from devices.ups.lines import Junk, Line
from tests.devices.cases.ups import supply
from tests.devices.stage import nothing_left_behind, stage
from wire.devices import Connection, Device


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[UpsServer]:
    async with nothing_left_behind(), UpsServer(tmp_path, "ups", "other", reboot=0.3) as one:
        yield one


def code(device: Device) -> str:
    return device.fault.code if device.fault else ""


async def test_a_power_cut_is_shown_with_what_the_battery_still_gives(server: UpsServer) -> None:
    async with stage(supply(server.address)) as room:
        device = await room.online()
        assert device.model == "Eaton 5P 850"
        shown = {name: room.property(name).reported for name in ("supply", "charge", "runtime", "load")}
        assert shown == {"supply": "line", "charge": 100.0, "runtime": 1800.0, "load": 23.0}

        server.fault("power")
        await room.shows("supply", "battery")
        device = await room.until(lambda device: code(device) == "device.on_battery")
        assert device.connection is Connection.ONLINE

        server.change("ups", ups_status="OB LB", battery_charge="8", battery_runtime="90")
        await room.until(lambda device: code(device) == "device.battery_low")
        assert (room.property("supply").reported, room.property("runtime").reported) == ("low", 90.0)

        server.fault("power", False)
        await room.until(lambda device: device.fault is None)
        assert room.property("supply").reported == "line"


async def test_a_worn_battery_is_told_while_the_power_is_there(server: UpsServer) -> None:
    async with stage(supply(server.address)) as room:
        await room.online()
        server.change("ups", ups_status="OL RB")
        await room.until(lambda device: code(device) == "device.replace_battery")


@pytest.mark.parametrize(
    ("status", "word", "notice"),
    [
        ("OL BYPASS", "bypass", "device.bypass"),
        ("BYPASS", "bypass", "device.bypass"),
        ("OL OVER", "overload", "device.overload"),
        ("OVER BYPASS", "overload", "device.overload"),
        ("OFF", "off", "device.supply_off"),
        ("OL OFF", "off", "device.supply_off"),
        ("OB OFF", "off", "device.supply_off"),
        ("OB LB OFF", "off", "device.supply_off"),
        ("ALARM OL", "line", "device.alarm"),
        ("ALARM OL RB", "line", "device.alarm"),
        ("ALARM", None, "device.alarm"),
        ("OB OVER DISCHRG", "battery", "device.on_battery"),
        ("OB LB OVER", "low", "device.battery_low"),
        ("FSD OL", "low", "device.battery_low"),
        ("OL CHRG", "line", None),
        ("HE OL TRIM", "line", None),
    ],
)
def test_every_state_that_leaves_people_without_power_or_protection_is_told(
    status: str, word: str | None, notice: str | None
) -> None:
    assert (lines.supply(status), lines.trouble(status), lines.tells(status)) == (word, notice, True)


def test_a_supply_that_said_nothing_yet_is_not_heard() -> None:
    assert not lines.tells("WAIT")
    assert not lines.tells("")


async def test_a_supply_that_is_off_bypassed_or_overloaded_is_there_and_says_so(server: UpsServer) -> None:
    async with stage(supply(server.address)) as room:
        await room.online()
        for status, word, notice in (("OFF", "off", "supply_off"), ("BYPASS", "bypass", "bypass"), ("OL", "line", "")):
            server.change("ups", ups_status=status)
            device = await room.shows("supply", word)
            assert (device.connection, code(device)) == (Connection.ONLINE, f"device.{notice}" if notice else "")
        server.change("ups", ups_status="ALARM OL")
        await room.until(lambda device: code(device) == "device.alarm")


async def test_a_name_the_server_does_not_know_is_said(server: UpsServer) -> None:
    async with stage(supply(server.address, "nobody")) as room:
        await room.until(lambda device: code(device) == "device.unknown_name")


async def test_supplies_of_one_server_share_one_connection(server: UpsServer) -> None:
    shared = Shared()
    async with (
        Cable(server.address) as cable,
        stage(supply(cable.address), shared=shared) as one,
        stage(supply(cable.address, "other"), shared=shared) as other,
    ):
        await one.online()
        await other.online()
        server.change("other", battery_charge="55")
        await other.shows("charge", 55.0)
        assert one.property("charge").reported == 100.0
        assert cable.connections == 1


class Unheard:
    """A channel to nobody."""

    def send(self, data: bytes) -> None:
        """Lost."""


async def test_a_list_whose_question_was_dropped_answers_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "OWED", 2)
    one = link.UpsdLink()
    one._channel = cast(Channel, Unheard())
    first = asyncio.create_task(one.variables("a"))
    await asyncio.sleep(0)
    one.received(b'BEGIN LIST VAR a\nVAR a ups.load "1"\n')
    second, third = asyncio.create_task(one.variables("b")), asyncio.create_task(one.variables("c"))
    await asyncio.sleep(0)
    one.received(b"END LIST VAR a\n")
    one.received(b'BEGIN LIST VAR b\nVAR b ups.load "2"\nEND LIST VAR b\n')
    assert await second == {"ups.load": "2"}
    third.cancel()
    first.cancel()


async def test_the_supplies_of_this_computer_are_found(server: UpsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "PORT", server.address[1])
    found = await UpsSupply.discover(2.0)
    assert [(one.name, one.settings) for one in found] == [("ups", {"ups": "ups"}), ("other", {"ups": "other"})]
    monkeypatch.setattr(driver, "PORT", 1)
    assert await UpsSupply.discover(0.5) == []


def test_lines_are_read_with_their_quotes() -> None:
    assert lines.read(rb'VAR ups a.b "say \"yes\" \\ no"') == Line(("VAR", "ups", "a.b", 'say "yes" \\ no'))
    assert lines.read(b"ERR DATA-STALE") == Line(("ERR", "DATA-STALE"))
    assert isinstance(lines.read(b"HTTP/1.1 400 Bad Request"), Junk)
    assert isinstance(lines.read(b"VAR a\x00b"), Junk)


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("OL", "line"),
        ("OL CHRG RB", "line"),
        ("OB DISCHRG", "battery"),
        ("OB LB", "low"),
        ("FSD OL", "low"),
        ("WAIT", None),
    ],
)
def test_what_a_status_means(status: str, shown: str | None) -> None:
    assert lines.supply(status) == shown


@given(st.lists(st.binary(max_size=40) | st.just(b'VAR u v "w"\n'), max_size=8))
def test_any_bytes_are_lines_or_junk(pieces: list[bytes]) -> None:
    reader = lines.LineReader()
    found = [one for piece in pieces for one in reader.feed(piece)]
    assert all(isinstance(one, Line) for one in found[:-1]), "nothing is read after junk"


@given(st.text(max_size=20))
def test_any_number_is_one_or_none(text: str) -> None:
    value = lines.number(text)
    assert value is None or 0 <= value < 1e7
