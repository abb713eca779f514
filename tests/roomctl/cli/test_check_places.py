"""`roomctl check`: two devices at one place, however it is written, and files that settings name."""

from __future__ import annotations

import errno
import ssl
from pathlib import Path
from typing import Any

import pytest

from roomctl.cli import mistakes
from roomctl.config import read_config
from roomctl.keys import AgentKey
from tests.devices.certificates import certificate
from tests.devices.usbtree import UsbTree
from tests.roomctl.cli.test_devices import room_file


@pytest.fixture(autouse=True)
def agent_key(tmp_path: Path) -> None:
    """The key that the rooms' files name."""
    AgentKey.generate().write(tmp_path / "agent.key")


def found(folder: Path, *tables: str) -> list[tuple[str, str]]:
    """Key and code of each mistake."""
    _, said, _ = mistakes.read(Path(room_file(folder, *tables)))
    return [(one.key, one.code) for one in said]


def device(number: int, driver: str, settings: str) -> str:
    """One with an id and role of its own."""
    roles = ("main_camera", "front_display", "ups", "mute_button")
    return (
        f'[[devices]]\nid = "d{number}"\nrole = "{roles[number]}"\ndriver = "{driver}"\nname = "D{number}"\n'
        f"settings = {{ {settings} }}\n"
    )


RTSP = 'url = "rtsp://Camera.lan/a"'
SHARED = [
    (("rtsp", RTSP), ("rtsp", 'url = "rtsp://camera.lan:554/a"'), "url"),
    (("rtsp", RTSP), ("rtsp", 'url = "rtsp://camera.lan./a"'), "url"),
    (("rtsp", 'url = "rtsp://camera.lan"'), ("rtsp", 'url = "rtsp://camera.lan:554/"'), "url"),
    (("rtsp", RTSP), ("pjlink", 'host = "camera.lan", port = 554'), "host"),
    (("ups", 'ups = "rack", host = "rack.lan"'), ("pjlink", 'host = "rack.lan", port = 3493'), "host"),
    (("ups", 'ups = "rack", host = "rack.lan"'), ("ups", 'ups = "rack", host = "rack.lan", port = 3493'), "ups"),
    (("uvc", 'node = "/dev/one"'), ("hid", 'node = "/dev/../dev/one"'), "node"),
    (("cec", 'node = "/dev/one"'), ("hid", 'node = "/dev/one"'), "node"),
    (("pjlink", 'host = "localhost"'), ("visca", 'host = "127.0.0.1", port = 4352, transport = "tcp"'), "host"),
    (("pjlink", 'host = "::1"'), ("visca", 'host = "localhost", port = 4352, transport = "tcp"'), "host"),
    (("ups", 'ups = "rack"'), ("pjlink", 'host = "localhost", port = 3493'), "host"),
]
APART = [
    (("rtsp", RTSP), ("rtsp", 'url = "rtsp://camera.lan/b"')),
    (("rtsp", RTSP), ("rtsp", 'url = "rtsp://camera.lan/A"')),
    (("rtsp", RTSP), ("onvif", 'host = "camera.lan"')),
    (("ups", 'ups = "a", host = "rack.lan"'), ("ups", 'ups = "b", host = "rack.lan"')),
    (("pjlink", 'host = "127.0.0.1"'), ("visca", 'host = "127.0.0.2", port = 4352, transport = "tcp"')),
    (("uvc", 'usb = "1-2"'), ("hid", 'usb = "1-2"')),
]


def test_a_node_and_a_link_to_it_are_one_place(tmp_path: Path) -> None:
    node, link = tmp_path / "video0", tmp_path / "by-id"
    node.touch()
    link.symlink_to(node)
    said = found(tmp_path, device(0, "uvc", f'node = "{node}"'), device(1, "uvc", f'node = "{link}"'))
    assert ("devices[1].settings.node (d1)", "config.address_twice") in said


BY_NODE, BY_USB, BY_SERIAL = 'node = "{root}/dev/{node}"', 'usb = "1-3.2"', 'serial = "C1"'


@pytest.mark.parametrize(
    ("one", "other", "at"),
    [(BY_NODE, BY_USB, "usb"), (BY_USB, BY_NODE, "node"), (BY_SERIAL, BY_USB, "usb"), (BY_NODE, BY_SERIAL, "serial")],
)
@pytest.mark.parametrize(("driver", "kind", "node"), [("uvc", "video", "video4"), ("hid", "hidraw", "hidraw2")])
def test_a_node_and_the_usb_device_that_has_it_are_one_place(
    tmp_path: Path, one: str, other: str, at: str, driver: str, kind: str, node: str
) -> None:
    tree = UsbTree(tmp_path / "machine")
    tree.add("1-3.2", kind, node, serial="C1")
    tree.add("1-3.3", kind, "elsewhere", serial="C2")
    first, second, apart = (
        device(number, driver, f'{said.format(root=tree.root, node=node)}, root = "{tree.root}"')
        for number, said in enumerate((one, other, 'usb = "1-3.3"'))
    )
    assert found(tmp_path, first, second, apart) == [(f"devices[1].settings.{at} (d1)", "config.address_twice")]
    assert found(tmp_path, first, apart) == []


@pytest.mark.parametrize(("one", "other", "at"), SHARED)
def test_one_place_is_not_for_two(tmp_path: Path, one: tuple[str, str], other: tuple[str, str], at: str) -> None:
    said = found(tmp_path, device(0, *one), device(1, *other))
    assert [code for _, code in said] == ["config.address_twice"]
    assert said[0][0].startswith("devices[1].settings")
    assert at in said[0][0]


@pytest.mark.parametrize(("one", "other"), APART)
def test_what_shares_no_more_than_the_machine_is_well(
    tmp_path: Path, one: tuple[str, str], other: tuple[str, str]
) -> None:
    assert found(tmp_path, device(0, *one), device(1, *other)) == []


def test_a_supply_and_a_stranger_are_told_of_a_third(tmp_path: Path) -> None:
    """Two supplies share their upsd, and neither its port with a projector."""
    supplies = [device(0, "ups", 'ups = "a", host = "rack.lan"'), device(2, "ups", 'ups = "b", host = "rack.lan"')]
    said = found(tmp_path, *supplies, device(1, "pjlink", 'host = "rack.lan", port = 3493'))
    assert [code for _, code in said] == ["config.address_twice"]


CAMERA = 'host = "camera.lan", tls = true, '


def test_a_certificate_has_to_be_there(tmp_path: Path) -> None:
    missing = device(0, "onvif", CAMERA + 'ca = "ca.pem"')
    assert found(tmp_path, missing) == [("devices[0].settings.ca", "config.file_missing")]
    (tmp_path / "ca.pem").write_text("no certificate")
    assert found(tmp_path, missing) == [("devices[0].settings.ca", "config.file_missing")]
    signed, _ = certificate(tmp_path)
    signed.rename(tmp_path / "ca.pem")
    assert found(tmp_path, missing) == []


def test_the_mistake_says_which_file_and_what_to_do(tmp_path: Path) -> None:
    broker = device(0, "mqtt", 'host = "b.lan", tls = true, device = "x", ca = "no"')
    _, (one,), _ = mistakes.read(Path(room_file(tmp_path, broker)))
    assert str(tmp_path / "no") in one.problem
    assert "PEM" in one.remedy
    assert one.line > 0


def test_positions_are_kept_where_one_may_write(tmp_path: Path) -> None:
    assert found(tmp_path, device(0, "onvif", 'host = "camera.lan", memory = "kept/positions.json"')) == []
    (tmp_path / "file").write_text("")
    for bad in ("file/positions.json", "."):
        said = found(tmp_path, device(0, "uvc", f'usb = "1-2", memory = "{bad}"'))
        assert said == [("devices[0].settings.memory", "config.file_missing")]


LONG = "x" * 300


@pytest.mark.parametrize("name", [LONG, "file/ca.pem", ".", "gone/ca.pem", "zero\\u0000"])
def test_what_nobody_could_read_is_a_mistake(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    camera = device(0, "onvif", CAMERA + f'ca = "{name}"')
    assert found(tmp_path, camera) == [("devices[0].settings.ca", "config.file_missing")]


@pytest.mark.parametrize("name", [f"{LONG}.json", f"{LONG}/positions.json", "zero\\u0000"])
def test_what_nobody_could_write_is_a_mistake(tmp_path: Path, name: str) -> None:
    said = found(tmp_path, device(0, "uvc", f'usb = "1-2", memory = "{name}"'))
    assert said == [("devices[0].settings.memory", "config.file_missing")]


def test_rights_that_only_the_agents_user_has_are_no_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who checks a file may be another than who runs the room."""
    signed, _ = certificate(tmp_path)
    closed, stat, load = tmp_path / "closed", Path.stat, ssl.create_default_context

    def looked_at(path: Path, **more: Any) -> Any:
        if closed in path.parents:
            raise PermissionError(errno.EACCES, "Permission denied")
        return stat(path, **more)

    def loaded(*, cafile: Path) -> ssl.SSLContext:
        if closed in cafile.parents:
            raise PermissionError(errno.EACCES, "Permission denied")
        return load(cafile=cafile)

    monkeypatch.setattr(Path, "stat", looked_at)
    monkeypatch.setattr("roomctl.cli.files.ssl.create_default_context", loaded)
    monkeypatch.setattr("os.access", lambda *_, **__: False)
    camera = device(0, "onvif", CAMERA + 'ca = "closed/ca.pem", memory = "closed/positions.json"')
    assert found(tmp_path, camera) == []
    assert found(tmp_path, device(0, "onvif", CAMERA + f'ca = "{signed.name}", memory = "positions.json"')) == []


def test_the_files_of_devices_are_found_from_the_folder_of_the_rooms_file(tmp_path: Path) -> None:
    path = Path(room_file(tmp_path, device(0, "onvif", CAMERA + 'ca = "ca.pem", memory = "/var/lib/positions.json"')))
    (one,) = read_config(path).devices
    assert (one.settings["ca"], one.settings["memory"]) == (str(tmp_path / "ca.pem"), "/var/lib/positions.json")
