"""Mistakes in the configuration are named with their remedy; the demo key never leaves loopback."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from signaling.config import Config, ConfigError, is_loopback, load, own_secret, read_network, split_address, split_host


def write(folder: Path, text: str) -> Path:
    file = folder / "signaling.toml"
    file.write_text(text)
    return file


def test_defaults_and_paths_relative_to_the_file(tmp_path: Path) -> None:
    config = load(write(tmp_path, 'data = "here"\nnetwork = "network.json"\n'))
    assert config.data == tmp_path / "here"
    assert config.network == tmp_path / "network.json"
    assert config.media_url == "ws://127.0.0.1:7880"


@pytest.mark.parametrize(
    "exposed",
    [
        'bind = "0.0.0.0:7880"',
        'bind = "192.168.1.5:7880"',
        'public_url = "https://meet.example.org"',
        '[media]\nbind = ["0.0.0.0:7882"]',
        '[media]\nannounce = ["203.0.113.7"]',
    ],
)
def test_the_demo_key_works_on_loopback_only(tmp_path: Path, exposed: str) -> None:
    top, _, tables = exposed.partition("[")
    text = f'{top}\n[keys]\ndevkey = "secret"\n' + (f"[{tables}" if tables else "")
    with pytest.raises(ConfigError, match="loopback only"):
        load(write(tmp_path, text))
    load(write(tmp_path, '[keys]\ndevkey = "secret"\n'))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bind = 5", "bind"),
        ("binde = '127.0.0.1:1'", "binde"),
        ("bind = 'nowhere'", "no address"),
        ("public_url = 'meet.example.org'", "public_url must look like"),
        ("[keys]\nmine = 'short'", "32 characters"),
        ("[media]\nshards = 0", "shards"),
        ("[media]\nloudest_audio = 0", "media.loudest_audio"),
        ("[media]\nlast_video = 1001", "media.last_video"),
        ("heartbeat = 0.0", "heartbeat"),
        ("[tls]\ncertificate = 'a.pem'\nkey = 'b.pem'", "does not exist"),
        ("[api]\ntokens = ['short']", "32 characters"),
        ("[turn]\nurls = []\nsecret = 'a secret of coturn'", "turn.urls"),
        ("[turn]\nurls = ['stun:turn.example.org']\nsecret = 'a secret of coturn'", "turn.urls"),
        ("[turn]\nurls = ['turn:a b']\nsecret = 'a secret of coturn'", "turn.urls"),
        ("[turn]\nurls = ['turn:turn.example.org']\nsecret = 'short'", "turn.secret"),
        ("[turn]\nurls = ['turn:turn.example.org']\nsecret = 'a secret of coturn'\nttl = 5.0", "turn.ttl"),
        ("bind = ", "signaling.toml"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load(write(tmp_path, text))


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "nothing.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"centers": [], "rooms": [{"id": "a", "name": "A", "center": "x", "seats": 4}]}', "names center 'x'"),
        (
            '{"centers": [{"id": "x", "name": "X", "latitude": 1, "longitude": 2}, '
            '{"id": "x", "name": "Y", "latitude": 1, "longitude": 2}], "rooms": []}',
            "used twice",
        ),
        ("{", "network.json"),
    ],
)
def test_mistakes_in_the_network_file_are_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "network.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_network(file)


def test_the_own_secret_is_made_once_and_private(tmp_path: Path) -> None:
    config = Config(data=tmp_path / "data")
    secret = own_secret(config)
    assert len(secret) >= 48
    assert own_secret(config) == secret
    assert stat.S_IMODE((tmp_path / "data" / "server.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("left", ["", "abc"])
def test_what_a_full_disk_left_is_no_secret(tmp_path: Path, left: str) -> None:
    (tmp_path / "server.key").write_text(left)
    secret = own_secret(Config(data=tmp_path))
    assert len(secret) >= 48
    assert own_secret(Config(data=tmp_path)) == secret


@pytest.mark.parametrize(
    ("header", "host"),
    [("127.0.0.1:7880", "127.0.0.1"), ("[::1]:7880", "[::1]"), ("localhost", "localhost"), ("[::", "["), ("", "")],
)
def test_the_host_of_a_request(header: str, host: str) -> None:
    assert split_host(header) == host


def test_addresses() -> None:
    assert split_address("[::1]:80") == ("::1", 80)
    assert is_loopback("localhost")
    assert is_loopback("127.3.2.1")
    assert not is_loopback("meet.example.org")
