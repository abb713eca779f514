"""What a whole server tells Prometheus, read by Prometheus' own tool."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, STDOUT

import aiohttp

from relay.metrics import exposition
from tests.relay.test_metrics import STATS
from tests.signaling.test_media_api import BEARER, url

__all__ = ["url"]


async def complaints(metrics: bytes) -> str:
    """What `promtool check metrics` finds wrong."""
    process = await asyncio.create_subprocess_exec(
        "promtool", "check", "metrics", stdin=PIPE, stdout=PIPE, stderr=STDOUT
    )
    async with asyncio.timeout(20):
        said, _ = await process.communicate(metrics)
    assert (process.returncode == 0) == (said == b""), said
    return said.decode()


async def test_promtool_has_nothing_to_say(url: str) -> None:
    metrics = url.replace("/api/v1/media", "/metrics")
    async with aiohttp.ClientSession(headers=BEARER) as http, http.get(metrics) as answer:
        text = await answer.read()
    assert b'roomctl_relay_transports{phase="new"} 1.0' in text, text.decode()
    assert await complaints(text) == ""
    assert await complaints(exposition(STATS)) == "", "nor of every kind that there is"


async def test_promtool_would_say_something() -> None:
    assert "counter metrics should have" in await complaints(b"# HELP a_b B.\n# TYPE a_b counter\na_b 1\n")
