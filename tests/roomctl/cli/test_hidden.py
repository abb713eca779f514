"""A report to send away holds no secret of the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from devices.emulators import PjlinkEmulator
from devices.marks import SECRET, marked
from devices.registry import Registry
from roomctl.cli.hidden import LEFT_OUT, open_settings, without
from tests.roomctl.cli.command import at, roomctl

OPEN = {"key", "authentication", "tokens"}  # names of settings of ours that look secret and are none


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
    assert secrets == {"long one"}


@pytest.mark.parametrize("driver", Registry.installed().ids)
def test_our_drivers_mark_what_is_named_like_a_secret(driver: str) -> None:
    known = Registry.installed().driver(driver)
    assert known is not None
    names = {one.encode_name: one for one in msgspec.structs.fields(known.manifest.settings)}
    alike = {name for name in names if open_settings({name: "x"}, None)[1]} - OPEN
    assert {at[0] for at, _ in marked(dict.fromkeys(names, "x"), known.manifest.settings, SECRET)} == alike


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
