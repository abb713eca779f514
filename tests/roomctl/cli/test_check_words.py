"""`roomctl check` says what to write, in words: whoever fits a room reads no patterns."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.emulators import PjlinkEmulator
from roomctl.cli import mistakes
from roomctl.config import read_config
from roomctl.keys import AgentKey
from tests.roomctl.cli.command import roomctl
from tests.roomctl.cli.test_devices import CLOSED, room_file, table
from tests.roomctl.test_config import GOOD


@pytest.fixture(autouse=True)
def agent_key(tmp_path: Path) -> None:
    """The key that the rooms' files name."""
    AgentKey.generate().write(tmp_path / "agent.key")


def device(driver: str, settings: str) -> str:
    who = f'[[devices]]\nid = "d"\nrole = "main_camera"\ndriver = "{driver}"\nname = "D"\n'
    return f"{who}[devices.settings]\n{settings}\n"


BY_NAME = 'host = "switch"\ncommunity = "public"\n'
SOURCES = 'host = "broker"\nsources = { co2 = { topic = "air/#" } }'


@pytest.mark.parametrize(
    ("driver", "settings", "key", "problem", "remedy"),
    [
        ("onvif", 'host = "http://127.0.0.1:80/onvif"', "host", "is 'http://", "Write a host name, like 'camera."),
        ("mqtt", 'host = "mqtt://b"\ndevice = "s"', "host", "is 'mqtt://b'", "Write a host name"),
        ("pjlink", 'host = "127.0.0.1:4352"', "host", "is '127.0.0.1:4352'", "alone: without http://, port, path"),
        ("visca", 'host = "h ost"', "host", "is 'h ost'", "or spaces."),
        (
            "snmp",
            'host = "[::1]"\ncommunity = "p"\nports = { 1 = { interface = 1 } }',
            "host",
            "is '[::1]'",
            "brackets",
        ),
        ("ups", 'host = ""\nups = "u"', "host", "is ''", "Write a host name"),
        ("wol", 'mac = "00:11:22:aa:bb:cc"\nhost = "u@h"\nprobe = 22', "host", "", "Write a host name"),
        ("visca", 'host = "c"\npresets = { table = "T" }', "presets.table", "is 'table'", "from '0' to '127'"),
        ("visca", 'host = "c"\nframing = { on = "81", off = "81 01 04 7D 03 FF" }', "framing.on", "is '81'", "manual"),
        ("snmp", BY_NAME + "ports = { seven = { interface = 7 } }", "ports.seven", "is 'seven'", "beside the port"),
        ("snmp", BY_NAME + "ports = {}", "ports", "may not be empty", ""),
        ("pulse", 'sink = "my sink"', "sink", "is 'my sink'", "pactl list short sinks"),
        ("mqtt", SOURCES, "sources.co2.topic", "is 'air/#'", "without + or #"),
        ("mqtt", 'host = "b"\ndevice = "s"\nprefix = "a/b"', "prefix", "is 'a/b'", "one level of a topic"),
        ("uvc", 'node = "/dev/video0"\npicture = { size = "big" }', "picture.size", "is 'big'", "like '1280x720'"),
        ("uvc", 'node = "/dev/video0"\npresets = { 300 = "x" }', "presets.300", "is '300'", "from '0' to '254'"),
        (
            "uvc",
            'node = "/dev/video0"\nframing = { unit = 1, selector = 1, on = "1", off = "00" }',
            *("framing.on", "is '1'", "bytes in hexadecimal"),
        ),
        ("onvif", 'host = "c"\ntls = true\nfingerprint = "3A"', "fingerprint", "is '3A'", "SHA-256"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_write(
    tmp_path: Path, driver: str, settings: str, key: str, problem: str, remedy: str
) -> None:
    _, found, _ = mistakes.read(Path(room_file(tmp_path, device(driver, settings))))
    (one,) = found
    assert one.key == f"devices[0].settings.{key}"
    assert problem in one.problem
    assert remedy in one.remedy
    assert "pattern" not in f"{one.problem} {one.remedy}"


async def test_a_device_named_by_hand_is_told_the_same() -> None:
    ran = await roomctl("devices", "probe", "--driver", "pjlink", "--set", "host=127.0.0.1:4352")
    assert ran.status == 2
    said = " ".join(ran.err.split())
    assert "settings.host: is '127.0.0.1:4352'. Write a host name" in said
    assert "pattern" not in said


FIRST = GOOD.partition("[answer]")[0].replace('data = "data"', 'data = "data"\n{}')


@pytest.mark.parametrize(
    ("text", "key", "line", "remedy"),
    [
        (GOOD.replace("[[devices]]", "[devices]"), "devices", 20, "Write [[devices]] with two brackets"),
        (GOOD.replace('{ host = "127.0.0.1" }', '"x"'), "devices[0].settings", 25, "Write a table, like settings = {"),
        (FIRST.format("answer = 5"), "answer", 3, "Write a table, like answer = {"),
        (FIRST.format('devices = ["x"]'), "devices[0]", 3, "Write a table, like devices = {"),
    ],
)
def test_a_table_that_is_none_is_told_how_to_be_one(
    tmp_path: Path, text: str, key: str, line: int, remedy: str
) -> None:
    path = tmp_path / "room.toml"
    path.write_text(text)
    found = mistakes.read(path).mistakes
    assert any(remedy in one.remedy for one in found), found
    if key:
        assert [(one.key, one.line) for one in found] == [(key, line)]


def test_a_mark_before_the_first_line_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "room.toml"
    path.write_text(GOOD, encoding="utf-8-sig")
    room, found, _ = mistakes.read(path)
    assert (room, found) == (read_config(path), [])


def test_a_file_in_another_encoding_is_told_which_to_use(tmp_path: Path) -> None:
    path = tmp_path / "room.toml"
    path.write_text(GOOD, encoding="utf-16")
    (one,) = mistakes.read(path).mistakes
    assert (one.code, one.problem) == ("config.no_toml", "is no text in UTF-8")


WRONG = {
    "setting": table("camera", "main_camera", "visca", CLOSED, 'hots = "x"'),
    "role": table("camera", "camera", "visca", CLOSED),
    "driver": table("camera", "main_camera", "teleport", CLOSED),
    "text": '[[devices]]\nid = "c"\nrole = "main_camera"\ndriver = "visca"\nname = "C"\nsettings = "x"\n',
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_devices_in_which_nothing_is_wrong_are_tried_though_another_is(tmp_path: Path, wrong: str) -> None:
    async with PjlinkEmulator(power="on") as pj:
        file = room_file(tmp_path, WRONG[wrong], table("projector", "front_display", "pjlink", pj.address))
        ran = await roomctl("check", "--config", file, "--json")
        assert ran.status == 2
        assert [(one["id"], one["connection"]) for one in ran.json["devices"]] == [("projector", "online")]
        assert ran.json["mistakes"]
        assert pj.commands == []


async def test_only_those_are_said_to_be_tried(tmp_path: Path) -> None:
    async with PjlinkEmulator(power="on") as pj:
        file = room_file(tmp_path, WRONG["driver"], table("projector", "front_display", "pjlink", pj.address))
        ran = await roomctl("check", "--config", file)
        assert ran.status == 2
        assert "devices in which nothing is wrong, 1 of them, are tried all the same" in " ".join(ran.out.split())
        assert "roomctl Emulator" in ran.out
