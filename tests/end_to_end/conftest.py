"""One demo network for all end-to-end tests, on ports and in a folder of its own, and browsers to look at it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright

from tests.end_to_end.receiving import WATCH_CONNECTIONS

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--auto-select-desktop-capture-source=Entire screen",
    "--disable-background-networking",
    "--disable-component-update",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]


@dataclass
class Demo:
    """A running demo network."""

    port: int
    data: Path
    guest: str
    sign_in: str

    @property
    def server(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def faults(self) -> str:
        return f"http://127.0.0.1:{self.port + 3}/faults"

    def panel(self, room: str) -> str:
        return f"http://127.0.0.1:{self.port + 1}/rooms/{room}/panel"

    def display(self, room: str) -> str:
        return f"http://127.0.0.1:{self.port + 1}/rooms/{room}/display"

    def pid(self, process: str) -> int:
        return int(json.loads((self.data / "pids.json").read_text())[process])


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    data = tmp_path_factory.mktemp("demo")
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "demo", "--port", str(port), "--data", str(data),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    try:
        async with asyncio.timeout(90):
            while "Logs " not in said:
                line = await process.stdout.readline()
                assert line, f"the demo did not start: {said}"
                said += line.decode()
        guest = re.search(r"http\S+/join/\S+", said)
        sign_in = re.search(r"http\S+/it/\S+", said)
        assert guest and sign_in, said
        drain = asyncio.create_task(process.stdout.read())
        yield Demo(port, data, guest.group(), sign_in.group())
        drain.cancel()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            async with asyncio.timeout(20):
                await process.wait()
        _keep_logs(data)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A person's browser: its own cookies; every page remembers its peer connections; errors on a page fail the test."""
    context = await chromium.new_context(
        locale="fr-BE", viewport={"width": 1280, "height": 800}, permissions=["camera", "microphone"]
    )
    context.set_default_timeout(15_000)
    await context.add_init_script(WATCH_CONNECTIONS)
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context
    await context.close()
    assert errors == []


@pytest_asyncio.fixture(loop_scope="session")
async def it_context(chromium: Browser, demo: Demo) -> AsyncIterator[BrowserContext]:
    """The browser of someone of IT, signed in by a fresh one-time link."""
    context = await chromium.new_context(locale="fr-BE", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "signaling", "sign-in", "--config", str(demo.data / "signaling.toml"),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    page = await context.new_page()
    await page.goto(said.decode().strip())
    await page.close()
    yield context
    await context.close()


def _free_port() -> int:
    """A base port whose four ports are free."""
    for base in range(28000, 29000, 10):
        try:
            for offset, kind in (
                (0, socket.SOCK_STREAM),
                (1, socket.SOCK_STREAM),
                (2, socket.SOCK_DGRAM),
                (2, socket.SOCK_STREAM),
                (3, socket.SOCK_STREAM),
            ):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", base + offset))
        except OSError:
            continue
        return base
    raise RuntimeError("no free ports from 28000 to 29000")


def _keep_logs(data: Path) -> None:
    """Logs of a failed run are worth reading: keep them where CI keeps artifacts."""
    kept = Path(__file__).parents[1] / ".artifacts"
    kept.mkdir(exist_ok=True)
    for log in data.glob("*.log"):
        (kept / log.name).write_bytes(log.read_bytes())
