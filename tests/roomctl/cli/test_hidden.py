"""A report to send away holds no secret of the settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from devices.emulators import PjlinkEmulator
from devices.marks import SECRET, marked
from devices.registry import Registry
from roomctl.cli.hidden import LEFT_OUT, open_settings, without
from tests.devices import wheels
from tests.roomctl.cli.command import at, roomctl

OPEN = {("hid", "key"), ("pjlink", "authentication"), ("snmp", "authentication")}
"""Settings of ours that are named like a secret and are none."""


class Door(msgspec.Struct):
    """Of a package that marks what is secret."""

    word: Annotated[str, msgspec.Meta(extra_json_schema=SECRET)]
    pin: int = 0


class Lock(msgspec.Struct):
    """Within tables and lists too."""

    doors: dict[str, Door] = {}
    others: list[Door] = []
    spare: Door | None = None


class Careless(msgspec.Struct):
    """Of a package that marks nothing."""

    host: str
    PIN: int = 0
    auth: dict[str, str] = {}
    passphrase: str = ""


class Unreadable(msgspec.Struct):
    """Of a package whose types are not there when they are looked up."""

    host: str
    token: "Gone"  # type: ignore[name-defined]  # noqa: F821, UP037


def test_what_a_schema_marks_is_left_out_however_deep() -> None:
    door = {"word": "sesame", "pin": 4}
    settings = {"doors": {"front": door}, "others": [door], "spare": door}
    shown, secrets = open_settings(settings, Lock)
    hidden = {"word": LEFT_OUT, "pin": 4}
    assert (shown, secrets) == ({"doors": {"front": hidden}, "others": [hidden], "spare": hidden}, {"sesame"})


def test_of_a_driver_that_marks_none_what_is_named_so_is_left_out() -> None:
    given = {"host": "10.0.0.5", "PIN": 1234, "auth": {"a": "b"}, "passphrase": "long one"}
    shown, secrets = open_settings(given, Careless)
    assert shown == {"host": "10.0.0.5", "PIN": LEFT_OUT, "auth": LEFT_OUT, "passphrase": LEFT_OUT}
    assert secrets == {"1234", "b", "long one"}
    assert without("PIN 1234 is set", secrets) == f"PIN {LEFT_OUT} is set", "a number is repeated as text"


def test_of_a_driver_whose_schema_cannot_be_read_what_is_named_so_is_left_out() -> None:
    shown, secrets = open_settings({"host": "10.0.0.5", "token": "long one"}, Unreadable)
    assert (shown, secrets) == ({"host": "10.0.0.5", "token": LEFT_OUT}, {"long one"})


@pytest.mark.parametrize("driver", Registry.installed().ids)
def test_our_drivers_mark_what_is_named_like_a_secret(driver: str) -> None:
    known = Registry.installed().driver(driver)
    assert known is not None
    names = {one.encode_name: one for one in msgspec.structs.fields(known.manifest.settings)}
    alike = {name for name in names if open_settings({name: "x"}, None)[1]}
    secret = {at[0] for at, _ in marked(dict.fromkeys(names, "x"), known.manifest.settings, SECRET)}
    assert secret == {name for name in alike if (driver, name) not in OPEN}
    for name in names:
        left_out = open_settings({name: "press"}, known.manifest.settings, ours=True)
        assert left_out == (({name: LEFT_OUT}, {"press"}) if name in secret else ({name: "press"}, set()))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://10.0.0.5/live?token=abc", "rtsp://10.0.0.5/live"),
        ("rtsp://10.0.0.5/user=admin&password=abc", "rtsp://10.0.0.5/user"),
    ],
)
def test_an_address_may_carry_a_secret(url: str, shown: str) -> None:
    assert open_settings({"url": url}, None) == ({"url": shown}, set())


def test_a_secret_that_the_device_repeats_is_left_out() -> None:
    assert without("user hunter22 unknown", {"hunter22", "x"}) == f"user {LEFT_OUT} unknown"


async def test_the_report_holds_no_secret(tmp_path: Path) -> None:
    output, secret = tmp_path / "report.txt", "Emulator"  # which it says of itself, too
    async with PjlinkEmulator(password=secret, power="on") as pj:
        one = at("pjlink", pj.address, password=secret)
        ran = await roomctl("devices", "selftest", *one, "--seconds", "0.1", "--json", "--output", str(output))
    assert ran.json["devices"][0]["settings"]["password"] == LEFT_OUT
    assert ran.json["devices"][0]["device"]["model"] == f"roomctl {LEFT_OUT}"
    assert secret not in ran.out + output.read_text()


async def test_the_report_shows_what_is_named_like_a_secret_of_ours_and_is_none() -> None:
    one = ("--driver", "hid", "--set", "node=/dev/nowhere", "--set", "key=press")
    ran = await roomctl("devices", "selftest", *one, "--seconds", "0", "--json")
    assert ran.json["devices"][0]["settings"] == {"node": "/dev/nowhere", "key": "press"}


DOOR = """
import asyncio
import msgspec
from devices.driver import Driver, Manifest

class Careless(msgspec.Struct, frozen=True):
    host: str
    pin: int

class Door(Driver[Careless]):
    manifest = Manifest("door", "1", "Door", Careless, ("tcp",), "door:Door")

    async def run(self, context):
        context.connected(model=f"Door with {self.settings.pin}")
        await asyncio.Event().wait()

    async def poll(self, *, whole):
        pass
"""


async def test_the_report_shows_no_number_that_a_package_calls_a_secret(tmp_path: Path) -> None:
    site = wheels.install(tmp_path, "door", {"door.py": DOOR}, {"door": "door:Door"})
    paths = os.pathsep.join((str(site), *filter(None, (os.environ.get("PYTHONPATH"),))))
    one = ("--driver", "door", "--set", "host=door.lan", "--set", "pin=1234")
    ran = await roomctl("devices", "selftest", *one, "--seconds", "0", "--json", environment={"PYTHONPATH": paths})
    assert ran.json["devices"][0]["settings"] == {"host": "door.lan", "pin": LEFT_OUT}
    assert ran.json["devices"][0]["device"]["model"] == f"Door with {LEFT_OUT}"
    assert "1234" not in ran.out
