"""`roomctl check` says what to write, in words: whoever fits a room reads no patterns."""

from __future__ import annotations

from pathlib import Path

import pytest

from roomctl.cli import mistakes
from roomctl.keys import AgentKey
from tests.roomctl.cli.command import roomctl
from tests.roomctl.cli.test_devices import room_file


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
    _, found = mistakes.read(Path(room_file(tmp_path, device(driver, settings))))
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
