"""The faults page takes requests of its own page only."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from demo.faults import FaultsPage

WANTED = {"room": "red-lesse", "device": "camera", "fault": "unplugged", "on": True}


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Origin": "http://evil.example"}, "bad_origin"),
        ({"Origin": "http://evil.example", "Host": "evil.example"}, "bad_origin"),
        ({}, "room_unknown"),
    ],
)
async def test_other_sites_break_nothing(headers: dict[str, str], code: str) -> None:
    app = web.Application()
    app.add_routes(FaultsPage({}, {}, "http://127.0.0.1:1", "http://127.0.0.1:2").routes())
    async with TestClient(TestServer(app)) as client, client.post("/faults", json=WANTED, headers=headers) as answer:
        assert answer.status == 400
        assert (await answer.json())["code"] == code


async def test_what_is_no_request_is_refused() -> None:
    app = web.Application()
    app.add_routes(FaultsPage({}, {}, "http://127.0.0.1:1", "http://127.0.0.1:2").routes())
    async with TestClient(TestServer(app)) as client, client.post("/faults", data=b'{"room": "\xff"}') as answer:
        assert (await answer.json())["code"] == "bad_request"
