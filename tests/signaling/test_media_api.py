"""What operators may ask about media, on a whole server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from relay.config import Media
from relay.messages import OpenTransport
from signaling.app import Server
from signaling.config import Api, Config

TOKEN = "an operator's token of 32 characters"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    config = Config(data=tmp_path, media=Media(bind=["127.0.0.1:0"]), api=Api([TOKEN]))
    async with Server.open(config) as server:
        server._relay.submit(OpenTransport("PA_1/pub", "demo", "ufrag", "0123456789012345678901"))
        runner = web.AppRunner(server.app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1/media"
        await runner.cleanup()


async def test_statistics_of_a_room_and_of_none(url: str) -> None:
    async with aiohttp.ClientSession(headers=BEARER) as http:
        async with http.get(f"{url}/stats?room=demo") as answer:
            [report] = await answer.json()
        assert (report["type"], report["id"], report["dtlsState"]) == ("transport", "T:PA_1/pub", "new")
        async with http.get(f"{url}/stats?room=other") as answer:
            assert await answer.json() == []


async def test_a_capture_comes_as_a_file(url: str) -> None:
    async with aiohttp.ClientSession(headers=BEARER) as http:
        async with http.get(f"{url}/flight?transport=PA_1/pub") as answer:
            assert answer.headers["Content-Disposition"] == 'attachment; filename="PA_1-pub.pcapng"'
            assert (await answer.read()).startswith(b"\x0a\x0d\x0d\x0a")
        for query, status in (("", 400), ("?transport=nobody", 404), (f"?transport={'x' * 300}", 400)):
            async with http.get(f"{url}/flight{query}") as answer:
                assert answer.status == status
                assert (await answer.json())["message"]


@pytest.mark.parametrize("path", ["/stats", "/flight?transport=PA_1/pub"])
async def test_only_operators(url: str, path: str) -> None:
    async with aiohttp.ClientSession() as http, http.get(url + path) as answer:
        assert answer.status == 401
