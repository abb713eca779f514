"""HTTP nobody's browser sends: refused without an internal error, and without its secrets in the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from signaling.__main__ import hide_malformed
from signaling.api.answers import problems
from signaling.auth import Auth
from signaling.pages import ServerPages
from signaling.store import Store, sqlite_url
from web import Pages


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """The pages of a demo server, and one address for IT."""
    store = await Store.open(sqlite_url(tmp_path / "test.sqlite"))
    auth = Auth(store, ["an operator's token of 32 characters"], secure=False)
    (tmp_path / "links.json").write_text('{"join": "the-link"}')
    pages = ServerPages(auth, Pages(), tmp_path / "links.json")

    async def who(request: web.Request) -> web.Response:
        return web.Response(text=await auth.operator(request))

    app = web.Application(middlewares=[pages.problems, problems])
    app.add_routes([*pages.routes(), web.get("/api/who", who)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()
    await store.close()


async def ask(port: int, request: bytes) -> str:
    """Send bytes, read to the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request + b"\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.decode()


@pytest.mark.parametrize("header", [b"Authorization: Bearer \xff\xfe", b"Cookie: roomctl_session=\xff\xfe"])
async def test_any_bytes_may_be_in_a_header(port: int, header: bytes) -> None:
    answer = await ask(port, b"GET /api/who HTTP/1.1\r\nHost: a\r\n" + header)
    assert "unauthenticated" in answer
    assert "401" in answer.partition("\r\n")[0]


@pytest.mark.parametrize(("host", "shown"), [(b"127.0.0.1:7880", True), (b"evil.example", False), (b"[::", False)])
async def test_the_demo_links_are_for_this_machine(port: int, host: bytes, shown: bool) -> None:
    assert ("the-link" in await ask(port, b"GET / HTTP/1.1\r\nHost: " + host)) == shown


async def test_the_log_keeps_no_secret_of_a_malformed_request(port: int, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("aiohttp.server")
    logger.addFilter(hide_malformed)
    try:
        with caplog.at_level(logging.INFO):
            answer = await ask(port, b"GET /it/s3cret\xff HTTP/1.1\r\nHost: a")
    finally:
        logger.removeFilter(hide_malformed)
    assert "400" in answer.partition("\r\n")[0]
    assert "no HTTP was refused: InvalidURLError" in caplog.text
    assert "s3cret" not in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_wrong_sign_in_link_is_not_taken_for_a_meetings(port: int) -> None:
    answer = await ask(port, b"GET /it/nobody-gave-this HTTP/1.1\r\nHost: a\r\nAccept-Language: en")
    assert "404" in answer.partition("\r\n")[0]
    assert "This access link is not known." in answer
