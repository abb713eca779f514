"""`roomctl check` on follow rules, keys and shared addresses: all of them at once, whatever else is wrong."""

from __future__ import annotations

import errno
import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from devices.config import CODES
from roomctl.cli import mistakes
from roomctl.cli.fields import Mistake
from roomctl.errors import ConfigError
from roomctl.keys import AgentKey
from tests.roomctl.cli.command import roomctl
from tests.roomctl.test_config import GOOD

ROOM = (
    GOOD
    + """
[[devices]]
id = "projector"
role = "front_display"
driver = "pjlink"
name = "Projector"
settings = { host = "10.0.0.6", inputs = { hdmi = "31", wireless = "33" } }
[[devices]]
id = "switch"
role = "network_switch"
driver = "snmp"
name = "Switch"
settings = { host = "10.0.0.7", community = "public", ports = { 3 = { interface = 3 } } }
[[devices]]
id = "computer"
role = "room_computer"
driver = "wol"
name = "Computer"
settings = { mac = "00:11:22:33:44:55" }
"""
)
OFF = '{ role = "front_display", property = "power", value = "off" }'
STANDBY = '{ scene = "standby" }'


def rule(when: str = OFF, then: str = STANDBY) -> str:
    return f"[[follow]]\nwhen = {when}\nthen = {then}\n"


def display(condition: str) -> str:
    return '{ role = "front_display", ' + condition + " }"


def asks(role: str, op: str, args: str = "") -> str:
    return "{ command = { " + f'role = "{role}", op = "{op}", args = {{ {args} }}' + " } }"


def found_in(folder: Path, text: str) -> list[Mistake]:
    """The mistakes of a room whose key is there."""
    if not (folder / "agent.key").exists():
        AgentKey.generate().write(folder / "agent.key")
    path = folder / "room.toml"
    path.write_text(text)
    return mistakes.read(path)[1]


def test_a_room_without_mistakes_has_none(tmp_path: Path) -> None:
    rules = (
        rule(),
        rule(display('property = "input", value = "hdmi"')),
        rule(display('property = "input", value = "11"'), asks("front_display", "select_input", 'input = "wireless"')),
        rule('{ role = "network_switch", property = "port_3", value = "down" }', asks("room_computer", "wake")),
        rule('{ role = "room_computer", property = "power", value = "on" }', asks("main_camera", "move", "pan = 0.5")),
        rule(display('property = "lamp_hours", above = 2000'), '{ notice = "device.lamp" }'),
    )
    assert found_in(tmp_path, ROOM + "".join(rules)) == []


@pytest.mark.parametrize(
    ("text", "key", "code", "remedy"),
    [
        (rule(display('property = "pwer", value = "off"')), "when.property", "rule_property", "Did you mean 'power'?"),
        (rule(display('property = "power", value = "of"')), "when.value", "rule_value", "Did you mean 'off'?"),
        (rule(display('property = "power", value = false')), "when.value", "rule_value", "It is one of: on, off"),
        (rule(display('property = "mute", value = "on"')), "when.value", "rule_value", "Write true or false"),
        (rule(display('property = "lamp_hours", value = "9"')), "when.value", "rule_value", "Write a number"),
        (rule(display('property = "errors", value = 1')), "when.value", "rule_value", "Write text in quotes"),
        (rule(display('property = "input", value = "hmdi"')), "when.value", "rule_value", "Did you mean 'hdmi'?"),
        (rule(display('property = "power", above = 3')), "when.above", "rule_value", "Give value instead"),
        (
            rule('{ role = "room_computer", property = "power", value = "off" }'),
            "when.value",
            "rule_value",
            "one of: on",
        ),
        (
            rule('{ role = "network_switch", property = "port_4", value = "up" }'),
            *("when.property", "rule_property", "They name: 3."),
        ),
        (
            rule(then=asks("front_display", "set_power", 'on = "perhaps"')),
            *("then.command.args.on", "wrong", "Write true or false"),
        ),
        (rule(then=asks("front_display", "set_power")), "then.command.args.on", "missing", "Add on = true or false"),
        (
            rule(then=asks("front_display", "set_power", "onn = true, on = true")),
            *("then.command.args.onn", "unknown", "Did you mean 'on'?"),
        ),
        (
            rule(then=asks("front_display", "set_volume", "volume = 0.5")),
            "then.command.op",
            "rule_operation",
            "It can:",
        ),
        (rule(then=asks("front_display", "set_pwer", "on = true")), "then.command.op", "wrong", "mean 'set_power'?"),
        (
            rule(then=asks("front_display", "select_input", 'input = "hmdi"')),
            *("then.command.args.input", "rule_operation", "Did you mean 'hdmi'?"),
        ),
        (
            rule(then=asks("network_switch", "cycle_port", "port = 4")),
            *("then.command.args.port", "rule_operation", "They name: 3."),
        ),
        (rule('{ role = "second_display", property = "power", value = "off" }'), "when.role", "role_missing", "mean"),
        (rule('{ role = "front_dispaly", property = "power", value = "off" }'), "when.role", "wrong", "front_display"),
        (rule(then=asks("room_mic", "set_mute", "on = true")), "then.command.role", "role_missing", "The room has:"),
        (
            rule(then='{ command = { role = "front_dispaly", op = "wake" } }'),
            *("then.command.role", "wrong", "Did you mean 'front_display'?"),
        ),
        (
            rule(
                then='{ command = { role = "front_display", op = "set_power", arg = { on = true }, args = { on = true } } }'
            ),
            *("then.command.arg", "unknown", "Did you mean 'args'?"),
        ),
        (rule(then='{ notice = "device.lampe" }'), "then.notice", "wrong", "Did you mean 'device.lamp'?"),
        (rule(display('property = "power"')), "when", "wrong", "Keep one of them"),
        (rule(then="{}"), "then", "wrong", "Keep one of them"),
    ],
)
def test_each_way_a_rule_is_wrong(tmp_path: Path, text: str, key: str, code: str, remedy: str) -> None:
    found = found_in(tmp_path, ROOM + text)
    assert [(one.key, one.code) for one in found] == [(f"follow[0].{key}", f"config.{code}")]
    assert remedy in found[0].remedy
    assert found[0].code in CODES
    lines = (ROOM + text).splitlines()
    assert lines[found[0].line - 1].startswith(key.partition(".")[0])


def test_all_rules_are_judged_while_other_things_are_wrong(tmp_path: Path) -> None:
    """A device's settings, the server's address, the source and three rules, one of them in two ways."""
    text = (
        ROOM.replace('host = "10.0.0.6"', 'hots = "10.0.0.6"')
        .replace("https://", "htps://")
        .replace('mode = "agent"', 'mode = "agent"\nsource = "camera"')
        .replace('role = "room_computer"', 'role = "room_komputer"')
        .replace('mac = "00:11', 'mcc = "00:11')
    )
    text += rule(display('property = "pwer", value = "off"'), asks("front_display", "set_volume", "volume = 1"))
    text += rule(display('property = "power", value = "of"'), '{ scene = "stanby" }')
    text += rule('{ role = "main_camera", property = "power", value = "off", fro = 5 }')
    text += rule('{ role = "room_computer", property = "power", value = "on" }')
    assert {(one.key, one.code.removeprefix("config.")) for one in found_in(tmp_path, text)} == {
        ("server.url", "wrong"),
        ("media.source", "wrong"),
        ("devices[1].settings.host", "missing"),
        ("devices[1].settings.hots", "unknown"),
        ("devices[3].role", "wrong"),
        ("devices[3].settings.mac", "missing"),
        ("devices[3].settings.mcc", "unknown"),
        ("follow[0].when.property", "rule_property"),
        ("follow[0].then.command.op", "rule_operation"),
        ("follow[1].when.value", "rule_value"),
        ("follow[1].then.scene", "wrong"),
        ("follow[2].when.fro", "unknown"),
    }


@pytest.mark.parametrize("content", [None, "no key at all\n"])
async def test_a_missing_key_is_named_with_its_line_and_the_command_that_makes_it(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "room.toml"
    path.write_text(GOOD.partition("[[devices]]")[0])
    if content is not None:
        (tmp_path / "agent.key").write_text(content)
    ran = await roomctl("check", "--config", str(path))
    assert ran.status == 2
    line = path.read_text().splitlines().index('key_file = "agent.key"') + 1
    assert ran.out.startswith(f"{path}:{line}: server.key_file ")
    assert f"keygen --key {tmp_path / 'agent.key'}" in ran.out
    assert "[config.key_missing]" in ran.out
    assert "0 devices: 1 to mend" in ran.out


async def test_a_key_of_another_user_is_not_called_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, key = tmp_path / "room.toml", tmp_path / "agent.key"
    path.write_text(GOOD.partition("[[devices]]")[0])
    AgentKey.generate().write(key)
    read = Path.read_bytes

    def denied(one: Path) -> bytes:  # as for a user who is not root, whoever runs the tests
        if one.name == key.name:
            raise PermissionError(errno.EACCES, "Permission denied", str(one))
        return read(one)

    monkeypatch.setattr(Path, "read_bytes", denied)
    (found,) = mistakes.read(path)[1]
    assert (found.key, found.code) == ("server.key_file", "config.key_denied")
    assert f"it belongs to {pwd.getpwuid(os.getuid()).pw_name} (mode 600)" in found.problem
    assert f"chown USER {key}" in found.remedy
    assert "keygen" not in found.remedy, "a new key would have to be enrolled"
    with pytest.raises(ConfigError, match="may not be read by") as refused:
        AgentKey.read(key)
    assert refused.value.code == "config.key_denied"


def device(id: str, role: str, driver: str, settings: str) -> str:
    return (
        f'[[devices]]\nid = "{id}"\nrole = "{role}"\ndriver = "{driver}"\nname = "{id}"\nsettings = {{ {settings} }}\n'
    )


SWITCH = 'host = "sw", community = "c", ports = { 1 = { interface = 1 } }'
SAME: list[tuple[str, str, str, str]] = [
    ("onvif", 'host = "10.0.0.8"', 'host = "10.0.0.8", port = 80', "host"),
    ("visca", 'host = "cam"', 'host = "CAM", port = 52381', "host"),
    ("rtsp", 'url = "rtsp://10.0.0.8/live"', 'url = "rtsp://10.0.0.8/live"', "url"),
    ("cec", "", 'node = "/dev//cec0"', "node"),
    ("hid", 'usb = "1-3.2"', 'usb = "1-3.2", serial = "A1"', "usb"),
    ("uvc", 'node = "/dev/v4l/by-path/a"', 'node = "/dev/v4l/by-path/a"', "node"),
    ("snmp", SWITCH, SWITCH + ", port = 161", "host"),
    ("pulse", 'sink = "alsa.usb"', 'sink = "alsa.usb"', "sink"),
    ("ups", 'ups = "rack"', 'ups = "rack", host = "127.0.0.1"', "ups"),
    ("wol", 'mac = "00:11:22:33:44:aa"', 'mac = "00-11-22-33-44-AA"', "mac"),
]


@pytest.mark.parametrize(("driver", "one", "other", "at"), SAME, ids=[row[0] for row in SAME])
def test_two_devices_at_one_address_are_named_at_the_second(
    tmp_path: Path, driver: str, one: str, other: str, at: str
) -> None:
    both = device("a", "content_input", driver, one) + device("b", "second_display", driver, other)
    (found,) = found_in(tmp_path, GOOD + both)
    assert found.key == f"devices[2].settings{f'.{at}' if at else ''} (b)"
    assert "address of device 'a'" in found.problem
    assert found.code == "config.address_twice"


DIFFERENT: list[tuple[str, str, str]] = [
    ("onvif", 'host = "10.0.0.8"', 'host = "10.0.0.8", port = 8080'),
    ("rtsp", 'url = "rtsp://10.0.0.8/a"', 'url = "rtsp://10.0.0.8/b"'),
    ("cec", "", 'node = "/dev/cec1"'),
    ("hid", 'usb = "1-3.2"', 'usb = "1-3.3"'),
    ("pulse", 'kind = "sink", serial = "A1"', 'kind = "source", serial = "A1"'),
    ("ups", 'ups = "rack"', 'ups = "desk"'),
]


@pytest.mark.parametrize(("driver", "one", "other"), DIFFERENT, ids=[row[0] for row in DIFFERENT])
def test_two_devices_at_two_addresses_are_no_mistake(tmp_path: Path, driver: str, one: str, other: str) -> None:
    both = device("a", "content_input", driver, one) + device("b", "second_display", driver, other)
    assert found_in(tmp_path, GOOD + both) == []


def test_a_driver_nearly_called_so_is_suggested(tmp_path: Path) -> None:
    (found,) = found_in(tmp_path, GOOD.replace('"visca"', '"viska"'))
    assert found.code == "config.driver_unknown"
    assert found.remedy.startswith("Did you mean 'visca'?")


def test_names_of_properties_are_those_that_drivers_report() -> None:
    """Every name of the table belongs to some driver here, and no driver declares one that its capabilities have."""
    from devices.properties import KINDS, properties_of
    from devices.registry import BUILT_IN, Registry

    known = Registry.installed()
    names: set[str] = set()
    for id in BUILT_IN:
        driver: Any = known.driver(id)
        own = properties_of(driver.capabilities())
        assert not own.keys() & driver.reports.keys(), id
        names |= own.keys() | driver.reports.keys()
    assert names >= KINDS.keys()
