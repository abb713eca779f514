"""Every page of the server: clean for axe in both themes and languages, nothing wider than the screen, all by keyboard."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page

from tests.web import scenes
from tests.web.axe import violations
from tests.web.stage import Stage

pytestmark = pytest.mark.browser

PAGES = ("/", "/bare", "/over", "/dashboard", "/dashboard/rooms/tou-escaut", "/join/secret", "/join/old")
SIZES = {"phone": (390, 844), "tablet": (1024, 768), "desktop": (1280, 800), "4k": (3840, 2160)}


@pytest_asyncio.fixture
async def address() -> AsyncIterator[str]:
    """All scenes, served."""
    stage = Stage()
    scenes.furnish(stage)
    runner = web.AppRunner(stage.app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def _open(browser: Browser, url: str, size: str, scheme: str, locale: str) -> tuple[Page, list[str]]:
    width, height = SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        locale=locale,
        reduced_motion="reduce",
        bypass_csp=True,
    )
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(url)
    await page.locator("h1").first.wait_for(timeout=8000)
    return page, errors


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("scheme", "locale"), [("light", "fr-BE"), ("dark", "en-GB")])
async def test_axe_finds_nothing(browser: Browser, address: str, path: str, scheme: str, locale: str) -> None:
    page, errors = await _open(browser, address + path, "desktop", scheme, locale)
    assert await violations(page) == []
    assert errors == []
    assert await page.get_attribute("html", "lang") == locale[:2]


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_is_wider_than_the_screen(browser: Browser, address: str, path: str) -> None:
    for size in SIZES:
        page, _ = await _open(browser, address + path, size, "light", "fr-BE")
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, size
        await page.context.close()


@pytest.mark.parametrize("path", ["/", "/dashboard", "/join/secret"])
async def test_every_control_is_reached_by_keyboard_and_shows_it(browser: Browser, address: str, path: str) -> None:
    page, _ = await _open(browser, address + path, "desktop", "light", "fr-BE")
    controls = await page.evaluate(
        "[...document.querySelectorAll('a[href], button, input, select, summary')]"
        ".filter((e) => e.checkVisibility() && !e.disabled).length"
    )
    seen: set[str] = set()
    for _ in range(controls + 5):
        await page.keyboard.press("Tab")
        where = await page.evaluate(
            """() => {
              const e = document.activeElement;
              if (!e || e === document.body) return '';
              const outline = getComputedStyle(e).outlineStyle !== 'none';
              const all = [...document.querySelectorAll('*')];
              return `${all.indexOf(e)} ${outline}`;
            }"""
        )
        if where:
            assert where.endswith("true"), "focus cannot be seen"
            seen.add(where)
    assert len(seen) == controls


async def test_the_language_changes_in_place_and_is_kept(browser: Browser, address: str) -> None:
    page, _ = await _open(browser, address + "/dashboard", "desktop", "light", "fr-BE")
    await page.get_by_role("searchbox").fill("halle")
    await page.get_by_role("button", name="English").click()
    await page.get_by_role("heading", name="All rooms").wait_for()
    assert await page.get_by_role("searchbox").input_value() == "halle"
    await page.reload()
    await page.get_by_role("heading", name="All rooms").wait_for()


async def test_old_pages_say_so(browser: Browser, address: str) -> None:
    """A dashboard that cannot reach its server must not go on looking ready."""
    page, _ = await _open(browser, address + "/dashboard", "desktop", "light", "fr-BE")
    await page.get_by_role("heading", name="6 salles à traiter").wait_for()
    await page.clock.install(time=time.time())
    await page.context.set_offline(True)
    await page.evaluate("window.dispatchEvent(new Event('offline'))")
    async with asyncio.timeout(20):
        while await page.locator(".rt.unknown").count() < 31:
            await page.clock.run_for(5000)
    assert await page.locator(".rt.ready").count() == 0
    await page.get_by_role("heading", name="État des salles inconnu").wait_for()
