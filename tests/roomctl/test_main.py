"""`python -m roomctl --config FILE` as a process."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from pathlib import Path

import aiohttp

from roomctl.keys import AgentKey
from tests.roomctl.linkserver import LinkServer
from tests.roomctl.test_config import GOOD
from wire.link import Phase, Report


async def test_runs_one_room_and_ends_when_asked(server: LinkServer, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = GOOD.partition("[[devices]]")[0].replace("https://rooms.example.org", server.url)
    (tmp_path / "room.toml").write_text(f"{text}\n[pages]\nport = {port}\n")
    AgentKey.generate().write(tmp_path / "agent.key")
    command = (sys.executable, "-m", "roomctl", "--config", str(tmp_path / "room.toml"))
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        report = await server.said(lambda message: isinstance(message, Report), seconds=20.0)
        assert isinstance(report, Report)
        assert report.phase is Phase.IDLE
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/healthz") as answer:
            assert (await answer.json())["rooms"]["lln-lauzelle"]["link"] is True
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), 10)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == 0, errors
    assert b"Traceback" not in errors


async def test_a_taken_port_is_said_plainly(server: LinkServer, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "room.toml").write_text(f"{GOOD.partition('[[devices]]')[0]}\n[pages]\nport = {port}\n")
        AgentKey.generate().write(tmp_path / "agent.key")
        command = (sys.executable, "-m", "roomctl", "--config", str(tmp_path / "room.toml"))
        process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
        _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert str(port).encode() in errors
    assert b"Traceback" not in errors
