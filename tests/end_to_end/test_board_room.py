"""Each device of a board room is driven from its panel while faults are put on it, and hands touch the devices."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect

from tests.end_to_end.conftest import Demo
from tests.end_to_end.equipment import act, broken, fault, shows
from tests.end_to_end.people import button, call, open_panel, words

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser, pytest.mark.timeout(120)]

BOARD = "lln-lauzelle"  # in the demo's meeting
NOTICED = 12_000  # ms within which trouble shows, and its end
WARM = 30_000  # ms for a projector to warm up


def row(panel: Page, name: str) -> Locator:
    """The line of a device in the room's column."""
    return panel.locator(".dev").filter(has=panel.locator("b", has_text=re.compile(f"^{re.escape(name)}$")))


async def test_a_board_room_is_driven_through_faults(demo: Demo, context: BrowserContext) -> None:
    panel = await open_panel(context, demo, BOARD)
    await _projector(demo, panel)
    await _camera(demo, panel)
    await _television(demo, panel)
    await _sound(demo, panel)
    await _power(demo, panel)


async def _projector(demo: Demo, panel: Page) -> None:
    """Its input changes although it answers late, and is the same after it was off the network."""
    projector = row(panel, words("panel.device.projector"))
    await expect(projector).to_contain_text(words("panel.power.on"), timeout=WARM)
    await projector.get_by_role("button").click()
    table = panel.get_by_role("button", name="Câble de table")
    await fault(demo, BOARD, "projector", "delay", on=True)
    await table.click()
    await expect(table).to_have_attribute("aria-pressed", "true")
    await fault(demo, BOARD, "projector", "delay", on=False)
    await button(panel, "panel.display.blank").click()
    await expect(button(panel, "panel.display.unblank")).to_be_visible()
    await button(panel, "panel.display.unblank").click()
    await expect(button(panel, "panel.display.blank")).to_be_visible()
    await panel.keyboard.press("Escape")
    async with broken(demo, BOARD, "projector", "unplugged"):
        await expect(projector).to_have_class(re.compile("degraded"), timeout=NOTICED)
        await expect(projector.get_by_role("button")).to_have_count(0)  # no key that does nothing
    await expect(projector).to_contain_text(words("panel.power.on"), timeout=WARM)
    await projector.get_by_role("button").click()
    await expect(table).to_have_attribute("aria-pressed", "true")
    await expect(table).not_to_have_class(re.compile("asked"))
    await panel.keyboard.press("Escape")


async def _camera(demo: Demo, panel: Page) -> None:
    """Positions and framing are confirmed though messages are lost; it never runs away."""
    position = panel.get_by_role("button", name=re.compile("Orateur$"))
    async with broken(demo, BOARD, "camera", "drop"):
        await position.click()
        await expect(position).to_have_attribute("aria-pressed", "true", timeout=NOTICED)
    framing = button(panel, "panel.framing")
    for pressed in ("true", "false"):
        await framing.click()
        await expect(framing).to_have_attribute("aria-pressed", pressed)
        await expect(framing).not_to_have_class(re.compile("asked"))
    left = panel.get_by_role("button", name=words("panel.camera.left"))
    await left.hover()
    await panel.mouse.down()
    await shows(demo, BOARD, "camera", moving=True)
    await panel.mouse.up()
    await shows(demo, BOARD, "camera", moving=False)
    await panel.mouse.down()
    await shows(demo, BOARD, "camera", moving=True)
    async with broken(demo, BOARD, "camera", "lost_stop"):
        await panel.mouse.up()
        await shows(demo, BOARD, "camera", moving=False)


async def _television(demo: Demo, panel: Page) -> None:
    """Somebody uses its remote control: the panel follows, and can undo it."""
    screen = row(panel, words("panel.device.second_screen"))
    await expect(screen).to_contain_text(words("panel.power.on"), timeout=NOTICED)
    await act(demo, BOARD, "screen", "remote")
    await expect(screen).to_contain_text(words("panel.power.off"), timeout=NOTICED)
    async with broken(demo, BOARD, "screen", "deaf"):
        await expect(screen).to_have_class(re.compile("degraded"), timeout=NOTICED)
    await screen.get_by_role("button", name=words("panel.power.switch_on")).click(timeout=NOTICED)
    await expect(screen).to_contain_text(words("panel.power.on"), timeout=NOTICED)
    await shows(demo, BOARD, "screen", power="on")


async def _sound(demo: Demo, panel: Page) -> None:
    """Whoever turns the knob wins; an unplugged loudspeaker says so, and comes back."""
    level = panel.get_by_role("group", name=words("panel.volume.name"))
    await act(demo, BOARD, "speaker", "louder")
    await expect(level).to_contain_text(words("panel.volume", n=90))
    await panel.get_by_role("button", name=words("panel.volume.down")).click()
    await expect(level).not_to_contain_text(words("panel.volume", n=90))
    speaker = row(panel, words("panel.device.speaker"))
    async with broken(demo, BOARD, "speaker", "unplugged"):
        await expect(speaker).to_have_class(re.compile("degraded"), timeout=NOTICED)
    await expect(speaker).not_to_have_class(re.compile("degraded"), timeout=NOTICED)


async def _power(demo: Demo, panel: Page) -> None:
    """The mains are cut: people read it first of all, then that the battery is nearly empty."""
    supply = row(panel, words("role.ups"))
    await expect(supply).to_have_count(0)
    async with broken(demo, BOARD, "ups", "power"):
        await expect(supply).to_contain_text(
            words("device.on_battery", device="").lstrip(" \u00a0:").rstrip("."), timeout=NOTICED
        )
        await act(demo, BOARD, "ups", "drain")
        await expect(supply).to_contain_text(
            words("device.battery_low", device="").lstrip(" \u00a0:").rstrip("."), timeout=NOTICED
        )
    await expect(supply).to_have_count(0, timeout=NOTICED)


async def test_people_come_and_a_lost_sensor_makes_no_room_unusable(demo: Demo, context: BrowserContext) -> None:
    panel = await open_panel(context, demo, "tou-escaut")
    air = panel.get_by_role("group", name=words("panel.air.name"))
    await expect(air).to_contain_text(words("panel.air.nobody"))
    await act(demo, "tou-escaut", "presence", "enter")
    await expect(air).to_contain_text(words("panel.air.people", count=1))
    await act(demo, "tou-escaut", "presence", "leave")
    await expect(air).to_contain_text(words("panel.air.nobody"))
    async with broken(demo, "tou-escaut", "air", "unplugged"):
        await expect(panel.get_by_text("ce qui ne gêne pas les réunions")).to_be_visible(timeout=NOTICED)
        await expect(air).not_to_contain_text("CO₂")
        await expect(panel.get_by_role("heading", name=words("panel.state.ready"))).to_be_visible()
    await expect(air).to_contain_text("CO₂", timeout=NOTICED)


async def test_a_mute_key_and_the_panel_agree(demo: Demo, context: BrowserContext) -> None:
    panel = await open_panel(context, demo, "msg-hevillers")
    await call(panel, "Enghien", "Parc")
    await expect(button(panel, "panel.mic.open")).to_be_visible(timeout=NOTICED)
    await shows(demo, "msg-hevillers", "key", light=False)
    await act(demo, "msg-hevillers", "key", "press")
    await expect(button(panel, "panel.mic.shut")).to_be_visible()
    await shows(demo, "msg-hevillers", "key", light=True)
    await button(panel, "panel.mic.shut").click()
    await expect(button(panel, "panel.mic.open")).to_be_visible()
    await shows(demo, "msg-hevillers", "key", light=False)
    async with broken(demo, "msg-hevillers", "key", "unplugged"):
        await expect(row(panel, words("role.mute_button"))).to_have_class(re.compile("degraded"), timeout=NOTICED)
    await button(panel, "panel.end").click()
    await panel.get_by_role("dialog").get_by_role("button", name=words("panel.end")).click()
    await expect(button(panel, "panel.call")).to_be_visible()
