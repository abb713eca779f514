"""The pages about devices: clean for axe, by keyboard, nothing squeezed, cut or too small, also when much is broken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from tests.web import panel_scenes as scenes
from tests.web.axe import violations
from tests.web.stage import Stage
from tests.web.test_faults import put
from wire.devices import DeviceResult
from wire.problems import Code
from wire.topic import Topic
from wire.views import ActionResult, PanelView

pytestmark = pytest.mark.browser

PHONE, TABLET, SMALL, USUAL = (390, 844), (768, 1024), (1024, 600), (1280, 800)
THEMES = [("light", "fr-BE"), ("dark", "en-GB")]
TOO_SMALL = """(least) => [...document.querySelectorAll('button, summary, select, dialog button')]
  .filter((e) => e.checkVisibility() && !e.closest('[popover]:not(:popover-open)'))
  .map((e) => ({ what: e.innerText || e.ariaLabel || e.className, box: e.getBoundingClientRect() }))
  .filter(({ box }) => box.width < least - 0.5 || box.height < least - 0.5).map(({ what }) => what)"""
CUT = """() => [...document.querySelectorAll('dialog, .side, .cols > section, main')]
  .filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1).map((e) => e.className || e.tagName)"""


class Room:
    """A panel that is played, what was asked of it, and its address."""

    def __init__(self, stage: Stage) -> None:
        self.asked: list[dict[str, Any]] = []
        self.devices: list[DeviceResult] = []  # what comes of every command
        self.topic = Topic("panel", scenes.idle(scenes.now()))
        stage.page("/rooms/x/panel", "panel")
        stage.topic("/rooms/x/live/panel", self.topic, self._answer)
        self.address = ""

    def _answer(self, action: dict[str, Any]) -> ActionResult:
        self.asked.append(action)
        return ActionResult(action["id"], devices=self.devices)

    def show(self, view: PanelView, *, faulty: bool = False) -> None:
        now = scenes.now()
        devices = scenes.faulty(now) if faulty else scenes.board(now)
        self.topic.update(msgspec.structs.replace(scenes.unsure(view) if faulty else view, devices=devices))


@pytest_asyncio.fixture
async def room() -> AsyncIterator[Room]:
    """Panel and faults page, served."""
    stage = Stage()
    one = Room(stage)
    put(stage)
    runner = web.AppRunner(stage.app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield one
    await runner.cleanup()


async def _open(
    browser: Browser, url: str, size: tuple[int, int] = USUAL, scheme: str = "light", locale: str = "fr-BE"
) -> Page:
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        locale=locale,
        reduced_motion="reduce",
        bypass_csp=True,
    )
    page = await context.new_page()
    page.set_default_timeout(8000)
    await page.goto(url)
    await page.locator("h1").first.wait_for()
    return page


async def _sheet(page: Page, device: str) -> None:
    """What the key of a device opens."""
    await page.locator(".dev", has=page.get_by_text(device, exact=True)).get_by_role("button").click()
    await expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.parametrize(("scheme", "locale"), THEMES)
async def test_axe_finds_nothing_on_the_panel_of_a_board_room(
    browser: Browser, room: Room, scheme: str, locale: str
) -> None:
    now = scenes.now()
    room.show(scenes.idle(now))
    page = await _open(browser, f"{room.address}/rooms/x/panel", USUAL, scheme, locale)
    for device in ("Caméra", "Projecteur") if locale.startswith("fr") else ("Camera", "Projector"):
        await _sheet(page, device)
        assert await violations(page) == [], device
        await page.keyboard.press("Escape")
    for view in (scenes.idle(now), scenes.in_meeting(now)):
        room.show(view, faulty=True)
        await expect(page.locator(".dev.degraded").nth(4)).to_be_visible()
        assert await violations(page) == []


@pytest.mark.parametrize(("scheme", "locale"), THEMES)
async def test_axe_finds_nothing_on_the_faults_page(browser: Browser, room: Room, scheme: str, locale: str) -> None:
    page = await _open(browser, f"{room.address}/faults", USUAL, scheme, locale)
    await page.locator(".usual").get_by_role("button").first.click()
    await expect(page.locator(".broken")).to_be_visible()
    await page.locator("summary").last.click()
    assert await violations(page) == []


@pytest.mark.parametrize("size", [PHONE, TABLET, SMALL, USUAL])
async def test_a_room_full_of_faults_is_neither_squeezed_nor_cut(
    browser: Browser, room: Room, size: tuple[int, int]
) -> None:
    now = scenes.now()
    room.show(scenes.idle(now), faulty=True)
    page = await _open(browser, f"{room.address}/rooms/x/panel", size)
    for view in (scenes.idle(now), scenes.in_meeting(now)):
        room.show(view, faulty=True)
        await expect(page.locator(".dev.degraded").nth(4)).to_be_attached()
        assert await page.evaluate(TOO_SMALL, 56) == []
        assert await page.evaluate(CUT) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (USUAL, "light"), (USUAL, "dark")])
async def test_a_camera_with_zoom_alone_has_keys_for_zoom_alone(
    browser: Browser, room: Room, size: tuple[int, int], scheme: str, tmp_path: Path
) -> None:
    view = scenes.in_meeting(scenes.now())
    camera = msgspec.structs.replace(view.devices["camera"], axes=["zoom"])
    room.topic.update(msgspec.structs.replace(view, devices=view.devices | {"camera": camera}))
    page = await _open(browser, f"{room.address}/rooms/x/panel", size, scheme)
    pad = page.locator(".pad5")
    await expect(pad.get_by_role("button")).to_have_count(2)
    names = [await key.get_attribute("aria-label") for key in await pad.get_by_role("button").all()]
    assert names == ["Élargir", "Rapprocher"]
    assert await page.evaluate(TOO_SMALL, 56) == []
    assert await page.evaluate(CUT) == []
    assert await violations(page) == []
    await page.screenshot(path=tmp_path / "zoom.png", full_page=True)


@pytest.mark.parametrize("size", [PHONE, SMALL])
@pytest.mark.parametrize("device", ["Caméra", "Projecteur"])
async def test_what_a_device_can_do_fits_on_its_sheet(
    browser: Browser, room: Room, size: tuple[int, int], device: str
) -> None:
    room.show(scenes.idle(scenes.now()))
    page = await _open(browser, f"{room.address}/rooms/x/panel", size)
    await _sheet(page, device)
    assert await page.evaluate(CUT) == []
    assert await page.evaluate(TOO_SMALL, 56) == []


@pytest.mark.parametrize("size", [PHONE, USUAL])
async def test_everything_on_the_faults_page_can_be_touched(
    browser: Browser, room: Room, size: tuple[int, int]
) -> None:
    page = await _open(browser, f"{room.address}/faults", size)
    await page.locator(".usual").get_by_role("button").first.click()
    await page.locator("summary").last.click()
    assert await page.evaluate(TOO_SMALL, 44) == []
    assert await page.evaluate(CUT) == []


async def test_a_large_screen_shows_the_panel_larger(browser: Browser, room: Room) -> None:
    """A wall panel of 4K is read from as far as a tablet's size says, not four times nearer."""
    page = await _open(browser, f"{room.address}/rooms/x/panel", (3840, 2160))
    key = await page.get_by_role("button", name="Aide").bounding_box()
    assert key is not None
    assert key["height"] / 2160 > 0.1
    assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")


async def test_the_camera_is_moved_by_keyboard_and_stops_when_the_key_is_let_go(browser: Browser, room: Room) -> None:
    room.show(scenes.in_meeting(scenes.now()))
    page = await _open(browser, f"{room.address}/rooms/x/panel")
    pad = page.get_by_role("group", name="Déplacer la caméra")
    await expect(pad).to_be_visible()
    seen: list[str] = []
    for _ in range(60):
        await page.keyboard.press("Tab")
        name, visible = await page.evaluate(
            """() => {
              const e = document.activeElement;
              return [e.ariaLabel ?? e.innerText, getComputedStyle(e).outlineStyle !== 'none'];
            }"""
        )
        assert visible, f"focus cannot be seen on {name}"
        seen.append(name)
        if name == "Vers la gauche":
            break
    assert seen[-1] == "Vers la gauche", seen
    await page.keyboard.down("Enter")
    await _until(room, "move", 2)
    await page.keyboard.up("Enter")
    await _until(room, "stop", 1)
    await page.keyboard.down(" ")
    await _until(room, "move", 3)
    await page.keyboard.press("Tab")  # leaving the key is letting go
    await _until(room, "stop", 2)


async def test_an_unplugged_microphone_is_not_called_heard(browser: Browser, room: Room) -> None:
    room.show(scenes.in_meeting(scenes.now()), faulty=True)
    page = await _open(browser, f"{room.address}/rooms/x/panel")
    await expect(page.locator(".seen-t")).to_contain_text("Image et son incertains")
    await expect(page.locator(".seen")).to_contain_text("Touchez Aide")


async def test_a_position_that_the_camera_could_not_take_is_told_on_the_sheet(browser: Browser, room: Room) -> None:
    room.show(scenes.idle(scenes.now()))
    room.devices = [DeviceResult("camera", "recall_preset", "failed", Code.DEVICE_UNREACHABLE)]
    page = await _open(browser, f"{room.address}/rooms/x/panel")
    await _sheet(page, "Caméra")
    preset = page.get_by_role("dialog").get_by_role("button", name="Orateur")
    await preset.click()
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("L’appareil ne répond pas")
    await expect(preset).to_have_attribute("aria-pressed", "false")


async def test_of_a_displays_inputs_one_is_pressed_while_another_was_asked_for(browser: Browser, room: Room) -> None:
    room.show(scenes.idle(scenes.now()))
    page = await _open(browser, f"{room.address}/rooms/x/panel")
    await _sheet(page, "Projecteur")
    devices = scenes.board(scenes.now())
    projector = devices["projector"]
    computer, table = projector.inputs
    wish = msgspec.structs.replace(projector.properties["input"], desired=table)
    asked = msgspec.structs.replace(projector, properties={**projector.properties, "input": wish})
    room.topic.update(msgspec.structs.replace(scenes.idle(scenes.now()), devices=devices | {"projector": asked}))
    keys = page.get_by_role("dialog").get_by_role("group")
    await expect(keys.get_by_role("button", name=table)).to_have_attribute("aria-pressed", "true")
    await expect(keys.get_by_role("button", name=computer)).to_have_attribute("aria-pressed", "false")


async def _until(room: Room, op: str, times: int) -> None:
    async with asyncio.timeout(5):
        while sum(one.get("command", {}).get("op") == op for one in room.asked) < times:
            await asyncio.sleep(0.02)
