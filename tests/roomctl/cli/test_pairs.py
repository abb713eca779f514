"""`KEY=VALUE` on the command line: by the type of the key, from a file or the standard input, completed."""

from __future__ import annotations

import io
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from devices.emulators import PjlinkEmulator
from devices.pjlink.settings import PjlinkSettings
from roomctl.cli.main import roomctl as command
from roomctl.cli.pairs import pairs
from tests.roomctl.cli.command import roomctl
from tests.roomctl.test_config import GOOD

ROOM = (
    GOOD.partition("[[devices]]")[0]
    + """[[devices]]
id = "projector"
role = "front_display"
driver = "pjlink"
name = "Projector"
[devices.settings]
host = 6
"""
)


def test_a_value_is_what_its_key_takes() -> None:
    words = ["password=1234", "port=4352", "warmup=7", "inputs={pc = '31'}", 'host="10.0.0.6"']
    said = {"password": "1234", "port": 4352, "warmup": 7, "inputs": {"pc": "31"}, "host": "10.0.0.6"}
    assert pairs(words, PjlinkSettings) == said
    assert pairs(["password=true", "port=x"], PjlinkSettings) == {"password": "true", "port": "x"}
    assert pairs(["volume=1", "nobody=2"]) == {"volume": 1, "nobody": 2}


def test_a_secret_comes_from_a_file_or_the_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text("123 @4\nnot this\n")
    assert pairs([f"password=@{file}"], PjlinkSettings) == {"password": "123 @4"}
    monkeypatch.setattr("sys.stdin", io.StringIO("5678\n"))
    assert pairs(["password=@-"], PjlinkSettings) == {"password": "5678"}
    with pytest.raises(click.BadParameter, match="password=@nowhere: the file cannot be read"):
        pairs(["password=@nowhere"])


async def test_a_password_of_digits_is_taken(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("1234")
    async with PjlinkEmulator(password="1234") as pj:
        host, port = pj.address
        for given in ("1234", f"@{tmp_path / 'secret'}"):
            at = ("--set", f"host={host}", "--set", f"port={port}", "--set", f"password={given}")
            ran = await roomctl("devices", "probe", "--driver", "pjlink", *at)
            assert ran.status == 0, ran


def completed(*words: str) -> list[str]:
    *before, last = words
    shell = ShellComplete(command, {}, "roomctl", "_ROOMCTL_COMPLETE")
    return [one.value for one in shell.get_completions(list(before), last)]


def test_settings_and_arguments_are_completed() -> None:
    assert completed("devices", "probe", "--driver", "pjlink", "--set", "pa") == ["password="]
    assert completed("devices", "probe", "--driver", "mqtt", "--set", "t") == ["tls=true", "tls=false", "ttl="]
    assert "community=" in completed("devices", "discover", "--driver", "snmp", "--set", "")
    assert completed("devices", "send", "set_mute", "") == ["on=true", "on=false"]
    assert completed("devices", "send", "move", "z") == ["zoom="]
    assert completed("devices", "probe", "--set", "") == []


async def test_a_wrong_file_points_to_what_names_every_mistake(tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    for text in ("[room]\nid = 4\n", ROOM):
        file.write_text(text)
        ran = await roomctl("devices", "probe", "--config", str(file))
        assert ran.status == 2
        said = " ".join(ran.err.split())
        assert f"`roomctl check --config {file}` names every mistake" in said
        assert "has to be text, and is a whole number" in said
        assert "Expected" not in said


async def test_a_text_that_does_not_fit_is_named_with_what_it_means(tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    file.write_text(ROOM.replace("host = 6", 'host = "x"\ninputs = { pc = "31", table = "hdmi" }'))
    ran = await roomctl("check", "--offline", "--config", str(file))
    assert ran.status == 2
    assert "settings.inputs.table is 'hdmi'. Write the kind of input (1 RGB" in ran.out
    assert "pattern" not in ran.out
