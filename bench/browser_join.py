"""Join to first picture in a browser: from `connect` to the first decoded frame, as livekit-client in Chromium sees it.

The page and the library are loaded before; then one `Room` after another joins, in a tab that is open. The server and the
publisher are those of `bench.join`.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from playwright.async_api import async_playwright

from bench.join import FRAMES, HEIGHT, WIDTH, publisher, server, token
from bench.rows import Row

JOINS = 50
GOALS = {"p50": 200.0, "p95": 300.0}
"""ms."""
PATIENCE = 15_000
"""ms one join may take."""
LIBRARY = Path(__file__).parents[1] / "web/node_modules/livekit-client/dist/livekit-client.umd.js"
FLAGS = ["--no-sandbox", "--allow-loopback-in-peer-connection", "--disable-background-networking"]
PAGE = '<!doctype html><title>bench</title><script src="/livekit-client.js"></script>'

# The decoder's first output, not the first picture painted: a frame processor takes it.
_JOIN = """async ([url, token]) => {
  const room = new LivekitClient.Room({ adaptiveStream: false });
  let shown;
  const first = new Promise((resolve) => { shown = resolve; });
  room.on('trackSubscribed', async (track) => {
    if (track.kind !== 'video') return;
    const reader = new MediaStreamTrackProcessor({ track: track.mediaStreamTrack }).readable.getReader();
    const { value } = await reader.read();
    shown(performance.now());
    value.close();
    await reader.cancel();
  });
  const began = performance.now();
  await room.connect(url, token);
  const taken = await first - began;
  await room.disconnect();
  return taken;
}"""


async def measure(joins: int = JOINS) -> list[Row]:
    """Join again and again; p50 and p95 in ms."""
    with tempfile.TemporaryDirectory() as folder:
        async with server(Path(folder)) as url, publisher(url), _pages() as pages, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            version = browser.version
            try:
                page = await browser.new_page()
                page.set_default_timeout(PATIENCE)
                await page.goto(pages)
                taken = [await page.evaluate(_JOIN, [url, token(f"viewer-{number}")]) for number in range(joins + 1)]
            finally:
                await browser.close()
    return rows(taken[1:], version)


def rows(taken: list[float], version: str) -> list[Row]:
    """What the times of all joins come to; the first, which warms up, left out."""
    first, median, third = statistics.quantiles(taken, n=4)
    values = {"p50": median, "p95": statistics.quantiles(taken, n=20)[18]}
    return [
        Row(
            name=f"join_to_first_frame_chromium_{name}",
            value=round(value, 1),
            unit="ms",
            limit=None,
            ratio=None,
            goal=GOALS[name],
            spread=round((third - first) / median, 3),
            conditions={
                "client": f"livekit-client in Chromium {version}",
                "video": f"{WIDTH}x{HEIGHT} at {FRAMES}/s",
                "joins": str(len(taken)),
                "slowest": f"{max(taken):.0f} ms",
            },
        )
        for name, value in values.items()
    ]


@asynccontextmanager
async def _pages() -> AsyncIterator[str]:
    """The page with the library, served on loopback; its URL."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def library(request: web.Request) -> web.FileResponse:
        return web.FileResponse(LIBRARY)

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/livekit-client.js", library)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()
