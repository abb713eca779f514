"""Every device of a board room under every kind of fault: its panel names what is wrong, and tells the truth again after.

Faults of one kind are put on all devices at the same time, as when a network switch fails; each device says what became of
it, and those without the fault say nothing.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect

from tests.end_to_end.conftest import Demo
from tests.end_to_end.equipment import broken, seen, shows
from tests.end_to_end.people import button, open_panel, words

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser, pytest.mark.timeout(180)]

BOARD = "lln-lauzelle"  # in the demo's meeting
QUIET = "tou-escaut"  # another board room, where nobody is
EVERYWHERE = "all"  # what all rooms rest on
NOTICED = 15_000  # ms within which trouble shows, and its end
WARM = 30_000  # ms for a projector to warm up

ROWS = {  # device: how the panel calls it
    "projector": "panel.device.projector",
    "camera": "panel.device.camera",
    "screen": "panel.device.second_screen",
    "mic": "panel.device.microphone",
    "speaker": "panel.device.speaker",
}
UNREACHABLE, GARBAGE, UNPLUGGED, REFUSED = (
    *("device.unreachable", "device.garbage"),
    *("device.unplugged", "device.refused"),
)


@dataclass(frozen=True)
class Broken:
    """A fault of one device, and what its row says; None: it has no row, and people need not know."""

    device: str
    fault: str
    says: str | None
    room: str = BOARD


ROUNDS = {
    "silent": [
        Broken("projector", "silent", UNREACHABLE),
        Broken("camera", "silent", UNREACHABLE),
        Broken("screen", "silent", UNREACHABLE),
        Broken("ups", "silent", None),
        Broken("switch", "silent", None),
    ],
    "garbage": [
        Broken("projector", "garbage", GARBAGE),
        Broken("camera", "garbage", GARBAGE),
        Broken("screen", "garbage", GARBAGE),
    ],
    "unplugged": [
        Broken("projector", "unplugged", UNREACHABLE),
        Broken("camera", "unplugged", UNREACHABLE),
        Broken("screen", "unplugged", UNPLUGGED),
        Broken("speaker", "unplugged", UNPLUGGED),
        Broken("mic", "unplugged", UNPLUGGED),
        Broken("ups", "unplugged", None),
        Broken("switch", "unplugged", None),
    ],
    "taken": [
        Broken("projector", "single_client", REFUSED),
        Broken("camera", "half", GARBAGE),
        Broken("screen", "single_client", REFUSED),
        Broken("switch", "wrong_password", None),
    ],
    "the sound server": [Broken("sound", "silent", None, EVERYWHERE)],
}


async def test_each_device_says_what_is_wrong_and_is_true_again_after(demo: Demo, context: BrowserContext) -> None:
    panel = await open_panel(context, demo, BOARD)
    await expect(row(panel, "projector")).to_contain_text(words("panel.power.on"), timeout=WARM)
    quiet = await open_panel(context, demo, QUIET)
    async with _locked_out(demo, quiet):
        await _sensors(demo, quiet)
        for troubles in ROUNDS.values():
            await _round(demo, panel, troubles)
            await _truth(demo, panel)
        await _obeys(demo, panel)


def row(panel: Page, device: str) -> Locator:
    """The line of a device."""
    name = re.compile(f"^{re.escape(words(ROWS[device]))}$")
    return panel.locator(".dev").filter(has=panel.locator("b", has_text=name))


def briefly(code: str) -> str:
    """A notice beside the name of its device."""
    return words(code, device="").lstrip(" \u00a0:").rstrip(".")


async def _round(demo: Demo, panel: Page, troubles: list[Broken]) -> None:
    """All of them at once: each says what is wrong and offers no key that does nothing; the others are well."""
    said = {one.device: one.says for one in troubles if one.says is not None}
    if any(one.room == EVERYWHERE for one in troubles):
        said = dict.fromkeys(("mic", "speaker"), UNREACHABLE)
    async with AsyncExitStack() as stack:
        for one in troubles:
            await stack.enter_async_context(broken(demo, one.room, one.device, one.fault))
        for device, code in said.items():
            await expect(row(panel, device)).to_contain_text(briefly(code), timeout=NOTICED)
            await expect(row(panel, device)).to_have_class(re.compile("degraded"))
            await expect(row(panel, device).get_by_role("button")).to_have_count(0)
        await expect(panel.locator(".dev.degraded")).to_have_count(len(said))
        if "camera" in said:
            left = panel.get_by_role("button", name=words("panel.camera.left"))
            await expect(left).to_have_attribute("aria-disabled", "true")
            await expect(panel.locator(".cam-head")).to_contain_text(briefly(str(said["camera"])))
    await expect(panel.locator(".dev.degraded")).to_have_count(0, timeout=NOTICED)


async def _truth(demo: Demo, panel: Page) -> None:
    """What the panel says of each device is what somebody standing before it sees."""
    state = await seen(demo, BOARD)
    for device in ("projector", "screen"):
        power = state[device]["power"]
        await expect(row(panel, device)).to_contain_text(words(f"panel.power.{power}"), timeout=WARM)
    await expect(row(panel, "camera")).to_contain_text(words(f"panel.eye.{state['camera']['power']}"))
    for device in ("mic", "speaker"):
        await expect(row(panel, device)).to_contain_text(
            re.compile(f"{words('panel.sound.open')}|{words('panel.sound.muted')}")
        )


async def _obeys(demo: Demo, panel: Page) -> None:
    """The camera moves and stands still, the loudspeakers grow quieter and louder, the projector's picture goes and comes."""
    left = panel.get_by_role("button", name=words("panel.camera.left"))
    await expect(left).not_to_have_attribute("aria-disabled", "true")
    await left.hover()
    await panel.mouse.down()
    await shows(demo, BOARD, "camera", moving=True)
    await panel.mouse.up()
    await shows(demo, BOARD, "camera", moving=False)
    level = panel.get_by_role("group", name=words("panel.volume.name"))
    before = await level.inner_text()
    await panel.get_by_role("button", name=words("panel.volume.down")).click()
    await expect(level).not_to_contain_text(before.strip())
    await expect(level.locator(".asked")).to_have_count(0)
    await panel.get_by_role("button", name=words("panel.volume.up")).click()
    await row(panel, "projector").get_by_role("button").click()
    for pressed, then in (
        ("panel.display.blank", "panel.display.unblank"),
        ("panel.display.unblank", "panel.display.blank"),
    ):
        await button(panel, pressed).click()
        await expect(button(panel, then)).to_be_visible()
    await panel.keyboard.press("Escape")


async def _sensors(demo: Demo, quiet: Page) -> None:
    """The room's air and people are said while the sensors speak, and never longer."""
    air = quiet.get_by_role("group", name=words("panel.air.name"))
    await expect(air).to_contain_text("CO₂")
    async with broken(demo, QUIET, "air", "unplugged"), broken(demo, QUIET, "presence", "unplugged"):
        await expect(air).to_contain_text(words("panel.air.silent"), timeout=NOTICED)
        await expect(air).not_to_contain_text("CO₂")
        await expect(air).not_to_contain_text(words("panel.air.nobody"))
    await expect(air).to_contain_text("CO₂", timeout=NOTICED)
    await expect(air).to_contain_text(words("panel.air.nobody"), timeout=NOTICED)


@asynccontextmanager
async def _locked_out(demo: Demo, quiet: Page) -> AsyncIterator[None]:
    """A projector whose password was changed says so; corrected, it is well again, and its room with it."""
    projector = row(quiet, "projector")
    await expect(projector).to_be_visible()
    async with broken(demo, QUIET, "projector", "wrong_password"):
        await expect(projector).to_contain_text(briefly("device.password"), timeout=NOTICED)
        await expect(projector.get_by_role("button")).to_have_count(0)
    yield
    await expect(projector).not_to_have_class(re.compile("degraded"), timeout=NOTICED)
    power = (await seen(demo, QUIET))["projector"]["power"]
    await expect(projector).to_contain_text(words(f"panel.power.{power}"))
    await expect(quiet.get_by_role("heading", name=words("panel.state.ready"))).to_be_visible(timeout=WARM)
