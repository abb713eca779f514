"""What people do, in the words they read: buttons are found by the catalog's sentences, as a person finds them."""

from __future__ import annotations

import re

from playwright.async_api import BrowserContext, Locator, Page, expect

from tests.end_to_end.conftest import Demo
from web.catalogs import load_all

_FRENCH = load_all()["fr"]


def words(key: str, **args: str | int) -> str:
    """A sentence of the French catalog."""
    return _FRENCH.text(key, args)


def button(page: Page, key: str, **args: str | int) -> Locator:
    """The button that says a sentence of the catalog, alone or first among other words."""
    return page.get_by_role("button", name=re.compile("^" + re.escape(words(key, **args)))).first


async def open_panel(context: BrowserContext, demo: Demo, room: str) -> Page:
    """A room's tablet."""
    page = await context.new_page()
    await page.goto(demo.panel(room))
    return page


async def call(panel: Page, center: str, room: str) -> None:
    """Center, room, start."""
    await button(panel, "panel.call").click()
    await panel.get_by_role("button", name=re.compile(rf"\b{re.escape(center)}")).click()
    await panel.get_by_role("checkbox", name=re.compile(f"^{re.escape(room)} ")).check()
    await button(panel, "panel.call_one", room=room).click()


async def join(context: BrowserContext, link: str, name: str) -> Page:
    """A remote colleague opens a link, says who they are, enters."""
    page = await context.new_page()
    await page.goto(link)
    await page.get_by_label(words("join.name")).fill(name)
    await button(page, "join.enter").click()
    await expect(button(page, "meeting.leave")).to_be_visible()
    return page
