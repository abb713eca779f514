"""What an operator reads who enrols a room's key before the server ever ran, or under a wrong name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from signaling.__main__ import main
from signaling.store import Store, sqlite_url
from wire.places import Center, Network, Room

CONFIG = """bind = "127.0.0.1:7899"
public_url = "http://127.0.0.1:7899"
data = "data"
network = "network.json"

[media]
bind = ["127.0.0.1:7898"]
"""
NETWORK = Network(
    centers=[Center("lln", "Louvain-la-Neuve", 50.668, 4.614)], rooms=[Room("lln-lauzelle", "Lauzelle", "lln", 12)]
)


async def _run_once(data: Path) -> None:
    """What a server's start leaves behind."""
    store = await Store.open(sqlite_url(data / "roomctl.sqlite"))
    try:
        await store.put_network(NETWORK)
    finally:
        await store.close()


def test_a_key_is_enrolled_once_the_server_knows_its_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "signaling.toml").write_text(CONFIG)
    (tmp_path / "network.json").write_text('{"centers": [], "rooms": []}')
    (tmp_path / "data").mkdir()
    enroll = ["enroll", "--config", str(tmp_path / "signaling.toml"), "--key", "AAAA", "--room"]
    assert main([*enroll, "lln-lauzelle"]) == 2
    assert "start it once" in capsys.readouterr().err
    asyncio.run(_run_once(tmp_path / "data"))
    assert main([*enroll, "lln-lauzel"]) == 2
    assert "Correct the name" in capsys.readouterr().err
    assert main([*enroll, "lln-lauzelle"]) == 0
