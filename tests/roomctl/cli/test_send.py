"""`roomctl devices send`: what a device that lies, or cannot, is answered with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from devices.emulators import PjlinkEmulator, ViscaEmulator
from roomctl.cli.show import devices_table
from tests.roomctl.cli.command import at, roomctl
from tests.roomctl.cli.test_show import printed
from wire.devices import Connection, Device, Role

ANSWERS = {"POWR": "0", "INPT": "31", "AVMT": "30", "ERST": "000000", "LAMP": "10 0", "CLSS": "1", "INST": "31 32"}


@asynccontextmanager
async def liar() -> AsyncIterator[tuple[str, int]]:
    """A projector that takes whatever it is told, and stays off."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"PJLINK 0\r")
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                name, parameter = (line := (await reader.readuntil(b"\r")).decode())[2:6], line[7:].strip()
                said = ANSWERS.get(name, "ERR1") if parameter == "?" else "OK"
                writer.write(f"%1{name}={said}\r".encode())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()


async def test_a_device_that_lies_is_named_at_once_with_what_it_did_not_do() -> None:
    async with liar() as address:
        ran = await roomctl("devices", "send", "set_power", "on=true", *at("pjlink", address), "--wait", "50")
    assert ran.status == 1
    assert "said yes, but did not do it (power)" in ran.out
    assert "Ask again" in ran.out
    assert ran.out.endswith("It does not report it.\n")


async def test_json_says_whether_the_device_reports_it() -> None:
    async with PjlinkEmulator(power="on") as pj:
        one = at("pjlink", pj.address)
        ran = await roomctl("devices", "send", "set_mute", "on=true", *one, "--wait", "5", "--json")
        assert ran.json["reported"] is True
        ran = await roomctl("devices", "send", "set_mute", "on=false", *one, "--json")
        assert ran.json["reported"] is None
        ran = await roomctl("devices", "send", "set_mute", "on=true", *one, "--wait", "5")
        assert ran.out.endswith("It reports it.\n")


async def test_who_asks_for_what_a_device_cannot_is_told_what_it_can() -> None:
    async with ViscaEmulator() as camera:
        ran = await roomctl("devices", "send", "set_mute", "on=true", *at("visca", camera.address))
    assert ran.status == 4
    assert "It can: set_power, move, stop, recall_preset, store_preset." in ran.out


def test_a_sensor_that_said_nothing_yet_is_not_shown_as_nothing() -> None:
    silent = Device("air", Role.AIR_SENSOR, "mqtt", "Air", Connection.ONLINE)
    assert "nothing yet" in printed(devices_table([silent]), 160)
