"""A browser, and a stage served on a free port, for tests that drive built pages (`npm run build` in web/ first)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.web.stage import Stage

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--disable-background-networking"]
STAND_IN = Path(__file__).parent / "livekit_stand_in.js"

Open = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    """A stage to put pages and topics on; it is served when a page is opened."""
    yield Stage()


@pytest_asyncio.fixture
async def open_page(browser: Browser, stage: Stage) -> AsyncIterator[Open]:
    """Opens an address of the stage; the page must end without an error in its script."""
    runner = web.AppRunner(stage.app, shutdown_timeout=0.1)
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    async def opened(path: str, width: int = 1280, height: int = 800, scheme: str = "light") -> Page:
        if not runner.addresses:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
        context = await browser.new_context(
            viewport={"width": width, "height": height}, locale="fr-BE",
            color_scheme="dark" if scheme == "dark" else "light",
        )  # fmt: skip
        contexts.append(context)
        await context.route("**/livekit-client*.js", lambda route: route.fulfill(path=STAND_IN))
        page = await context.new_page()
        page.set_default_timeout(8000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(f"http://127.0.0.1:{runner.addresses[0][1]}{path}")
        return page

    yield opened
    for context in contexts:
        await context.close()
    await runner.cleanup()
    assert errors == []


async def until(page: Page, expression: str, seconds: float = 8) -> None:
    """Wait until JavaScript is true; the pages' policy forbids the eval of Playwright's own `wait_for_function`."""
    async with asyncio.timeout(seconds):
        while not await page.evaluate(expression):
            await asyncio.sleep(0.05)
