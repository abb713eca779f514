"""Drivers that packages bring harm only their own devices: a room's file is read whatever they do when they are looked at."""

from __future__ import annotations

import importlib
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from roomctl.agent import RoomAgent
from roomctl.cli import mistakes
from roomctl.cli.main import main
from roomctl.cli.status import Status
from roomctl.config import read_config
from roomctl.errors import ConfigError
from roomctl.keys import AgentKey
from roomctl.run import run_file
from tests.devices import wheels
from tests.roomctl.test_config import GOOD

UNREADABLE = """
from __future__ import annotations
from typing import TYPE_CHECKING
import msgspec
from devices.driver import Driver, Manifest

if TYPE_CHECKING:
    from pathlib import Path

class Unnamed(msgspec.Struct):
    token: Path

class Unsupported(msgspec.Struct):
    token: list[int] | tuple[int, ...]

class NoName(Driver[Unnamed]):
    manifest = Manifest("noname", "1", "No name", Unnamed, ("usb",), "unreadable:NoName")

class NoType(Driver[Unsupported]):
    manifest = Manifest("notype", "1", "No type", Unsupported, ("usb",), "unreadable:NoType")

class Pictures(Driver[msgspec.Struct]):
    manifest = Manifest("pictures", "1", "Pictures", msgspec.Struct, ("usb",), "unreadable:Pictures")

    @classmethod
    def capabilities(cls):
        return ["video"]
"""
BLOCKING = "import threading\nGATE = threading.Event()\nGATE.wait()\nDriver = None\n"
DRIVERS = {"noname": "unreadable:NoName", "notype": "unreadable:NoType", "blocking": "blocking:Driver"}


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of a room with a camera and a device of each such driver, whose packages are installed."""
    sources = {"unreadable.py": UNREADABLE, "blocking.py": BLOCKING}
    site = wheels.install(tmp_path, "strangers", sources, {**DRIVERS, "pictures": "unreadable:Pictures"})
    monkeypatch.syspath_prepend(str(site))
    importlib.import_module("unreadable")
    monkeypatch.setattr("devices.registry.LOADING", 0.5)
    AgentKey.generate().write(tmp_path / "agent.key")
    file, roles = tmp_path / "room.toml", ("front_display", "ups", "mute_button")
    tables = [
        f'[[devices]]\nid = "{driver}"\nrole = "{role}"\ndriver = "{driver}"\nname = "D"\nsettings = {{ token = "x" }}\n'
        for driver, role in zip(DRIVERS, roles, strict=True)
    ]
    file.write_text(GOOD + "".join(tables))
    yield file
    if (blocking := sys.modules.get("blocking")) is not None:
        blocking.GATE.set()
    for thread in threading.enumerate():
        if thread.name.startswith("driver "):
            thread.join(5)
    for name in ("unreadable", "blocking"):
        sys.modules.pop(name, None)


def loads(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The packages' drivers that could not be loaded, each time that was tried."""
    said = [one.getMessage() for one in caplog.records if "cannot be used" in one.getMessage()]
    return [driver for one in said for driver in DRIVERS if one.startswith(f"driver {driver} ")]


def test_a_room_starts_whatever_its_packages_do(room: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert [one.driver for one in read_config(room).devices] == ["visca", *DRIVERS]
    assert loads(caplog) == ["blocking"], "what blocks is waited for once"


def test_the_picture_of_a_room_is_not_a_packages(room: Path) -> None:
    """It runs on a loop of its own."""
    room.write_text(GOOD.replace("visca", "pictures").replace("[media]", '[media]\nsource = "camera"'))
    with pytest.raises(ConfigError, match=r"driver pictures\) gives the agent no pictures"):
        read_config(room)


def test_check_names_each_of_them(room: Path, caplog: pytest.LogCaptureFixture) -> None:
    config, found, _ = mistakes.read(room)
    assert config is None
    assert [(one.key, one.code) for one in found] == [
        (f"devices[{number}].driver ({driver})", "config.driver_unusable") for number, driver in enumerate(DRIVERS, 1)
    ]
    assert loads(caplog) == ["blocking"], "what blocks is waited for once"


CLOSED = GOOD.replace("visca", "cec").replace('{ host = "127.0.0.1" }', '{ node = "/nowhere/cec" }')
COMMANDS = [
    ("check", "--config", "{file}"),
    ("devices", "probe", "--config", "{file}"),
    ("devices", "send", "set_power", "on=true", "--config", "{file}"),
    ("devices", "watch", "--seconds", "0.1", "--config", "{file}"),
    ("devices", "selftest", "--seconds", "0", "--config", "{file}"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=[" ".join(command[:2]) for command in COMMANDS])
def test_a_command_waits_once_for_a_package_that_blocks(
    room: Path, command: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    room.write_text(CLOSED)
    assert main([word.format(file=room) for word in command]) in (Status.UNREACHABLE, Status.FAILED)
    assert loads(caplog) == ["blocking"]


def test_a_room_waits_once_for_a_package_that_blocks_when_it_starts(
    room: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    agents = []

    async def started(agent: RoomAgent) -> None:
        agents.append(agent)

    monkeypatch.setattr("roomctl.run._run", started)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    room.write_text(f"{CLOSED}[pages]\nport = {port}\n")
    assert run_file(room) == 0
    assert list(agents[0].known.devices) == ["camera"]
    assert loads(caplog) == ["blocking"]
