"""Configuration, keys and the command line: clear words for every mistake."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from roomctl.cli.main import main
from roomctl.config import read_config
from roomctl.dial import link_url
from roomctl.errors import ConfigError
from roomctl.keys import AgentKey

GOOD = """
data = "data"
[room]
id = "lln-lauzelle"
name = "Lauzelle"
seats = 12
equipment = "board"
[center]
id = "lln"
name = "Louvain-la-Neuve"
latitude = 50.668
longitude = 4.614
[server]
url = "https://rooms.example.org"
key_file = "agent.key"
[media]
mode = "agent"
[answer]
auto = true
[[devices]]
id = "camera"
role = "main_camera"
driver = "visca"
name = "Camera"
settings = { host = "127.0.0.1" }
"""


def test_reads_a_room(tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    file.write_text(GOOD)
    config = read_config(file)
    assert config.room.center == "lln"
    assert config.server.key_file == str(tmp_path / "agent.key")
    assert config.data == str(tmp_path / "data")
    assert config.pages.bind == "127.0.0.1"
    assert (config.answer.auto, config.answer.after) == (True, 5.0)
    assert config.devices[0].settings == {"host": "127.0.0.1"}


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("seats = 12", 'seats = "many"', "room.seats"),
        ("seats = 12", "seats = 0", "room.seats"),
        ('id = "lln-lauzelle"', 'id = "Lauzelle!"', "room.id"),
        ('url = "https://rooms.example.org"', 'url = "rooms"', "server.url"),
        ('mode = "agent"', 'mode = "both"', "media.mode"),
        ('role = "main_camera"', 'role = "camera"', "devices"),
        ("[answer]", "[anwser]", "anwser"),
        ("seats = 12", "seat = 12", "room.seat"),
        ('data = "data"', "", "data"),
        ("[server]", "[server", "the file"),
    ],
)
def test_says_file_key_and_remedy(tmp_path: Path, old: str, new: str, key: str) -> None:
    file = tmp_path / "room.toml"
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigError) as error:
        read_config(file)
    assert error.value.key.startswith(key)
    assert str(file) in str(error.value)


def test_a_missing_file_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(tmp_path / "nothing.toml")]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_a_missing_key_names_the_command_that_makes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "room.toml"
    file.write_text(GOOD.partition("[[devices]]")[0])
    assert main(["--config", str(file)]) == 1
    assert "python -m roomctl keygen" in capsys.readouterr().err


def test_makes_a_key_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "keys" / "agent.key"
    assert main(["keygen", "--key", str(path)]) == 0
    public = capsys.readouterr().out.strip()
    assert len(base64.b64decode(public)) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert main(["keygen", "--key", str(path)]) == 0
    assert capsys.readouterr().out.strip() == public
    with pytest.raises(FileExistsError):
        AgentKey.generate().write(path)


@pytest.mark.parametrize("content", [b"", b"garbage", b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"])
def test_a_key_file_that_is_none_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "agent.key"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="keygen"):
        AgentKey.read(path)


@pytest.mark.parametrize(
    ("server", "link"),
    [
        ("http://127.0.0.1:7880", "ws://127.0.0.1:7880/link"),
        ("https://rooms.example.org/", "wss://rooms.example.org/link"),
        ("wss://rooms.example.org/roomctl", "wss://rooms.example.org/roomctl/link"),
    ],
)
def test_the_link_lives_at_the_server(server: str, link: str) -> None:
    assert link_url(server) == link


CAMERA = 'mode = "agent"\nsource = "camera"'
RTSP = 'driver = "rtsp"\nname = "Camera"\nsettings = { url = "rtsp://10.0.0.9/live" }'
VISCA = 'driver = "visca"\nname = "Camera"\nsettings = { host = "127.0.0.1" }'


def test_a_room_may_send_the_picture_of_its_camera(tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    file.write_text(GOOD.replace('mode = "agent"', CAMERA).replace(VISCA, RTSP))
    assert read_config(file).media.source == "camera"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("[answer]", "[answer]", "camera (driver visca) gives the agent no pictures"),
        ('role = "main_camera"', 'role = "room_computer"', "no device of the room is its main_camera"),
        ('mode = "agent"\n', 'mode = "display"\n', "the display page speaks"),
    ],
)
def test_a_picture_that_the_room_cannot_send_is_said(tmp_path: Path, old: str, new: str, problem: str) -> None:
    file = tmp_path / "room.toml"
    file.write_text(GOOD.replace('mode = "agent"', CAMERA).replace(old, new))
    with pytest.raises(ConfigError) as caught:
        read_config(file)
    assert caught.value.key == "media.source"
    assert problem in caught.value.problem
    assert "remove source" in caught.value.remedy
