"""`python -m demo.screenshots`: pictures of every page, from a live demo of its own with real Chromium.

Every page in light and dark, on phone, tablet, desk and 4K, goes to `.build/screenshots`; the few that the README shows
go to `docs/images`.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from demo.layout import Layout

PORT = 7980
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]
SIZES = {"phone": (390, 844), "tablet": (1024, 768), "desk": (1280, 800), "4k": (3840, 2160)}
PANEL_SIZES = {"1024x600": (1024, 600), "1280x800": (1280, 800)}
DISPLAY_SIZES = {"hd": (1920, 1080), "4k": (3840, 2160)}
SHOWN = {  # pictures of the README
    "panel-meeting-dark-1280x800",
    "panel-idle-light-1280x800",
    "dashboard-light-desk",
    "meeting-light-desk",
}
ALL, README = Path(".build/screenshots"), Path("docs/images")


@dataclass(frozen=True)
class Live:
    """A running demo and what it printed."""

    layout: Layout
    guest: str
    sign_in: str


class Photographer:
    """Takes pictures of one theme."""

    def __init__(self, context: BrowserContext, theme: str) -> None:
        self._context = context
        self._theme = theme

    async def page(self, url: str) -> Page:
        """Open and let it settle."""
        page = await self._context.new_page()
        await page.goto(url)
        await page.wait_for_timeout(1500)
        return page

    async def shoot(self, page: Page, name: str, sizes: dict[str, tuple[int, int]]) -> None:
        """One picture a size."""
        for size, (width, height) in sizes.items():
            await page.set_viewport_size({"width": width, "height": height})
            await page.wait_for_timeout(400)
            file = f"{name}-{self._theme}-{size}"
            picture = await page.screenshot(path=ALL / f"{file}.png")
            if file in SHOWN:
                (README / f"{file}.png").write_bytes(picture)


async def _round(live: Live, take: Photographer, *, sign_in: str) -> None:
    """Every page, in a state worth seeing: one room's camera is unplugged."""
    rooms = f"{live.layout.agents}/rooms"
    await take.shoot(await take.page(f"{live.layout.server}/"), "start", SIZES)
    await take.shoot(await take.page(f"{live.layout.server}/join/no-such-link"), "wrong-link", SIZES)
    guest = await take.page(live.guest)
    await guest.wait_for_timeout(1500)
    await take.shoot(guest, "join", SIZES)
    await guest.locator('input[autocomplete="name"]').fill("Nadia Benali")
    await guest.locator('form button[type="submit"]').click()
    await guest.wait_for_timeout(5000)
    await take.shoot(guest, "meeting", SIZES)
    await take.shoot(await take.page(f"{rooms}/lln-lauzelle/panel"), "panel-meeting", PANEL_SIZES)
    idle = await take.page(f"{rooms}/red-lesse/panel")
    await take.shoot(idle, "panel-idle", PANEL_SIZES)
    await idle.get_by_role("button", name=re.compile("^Appeler un centre")).click()
    await take.shoot(idle, "panel-call", PANEL_SIZES)
    await take.shoot(await take.page(f"{rooms}/lln-lauzelle/display"), "display-meeting", DISPLAY_SIZES)
    await take.shoot(await take.page(f"{rooms}/red-lesse/display"), "display-idle", DISPLAY_SIZES)
    await take.page(sign_in)
    await take.shoot(await take.page(f"{live.layout.server}/dashboard"), "dashboard", SIZES)
    await take.shoot(await take.page(f"{live.layout.server}/dashboard/rooms/sai-mussain"), "room", SIZES)
    await take.shoot(await take.page(f"{live.layout.equipment}/faults"), "faults", SIZES)
    await guest.close()


async def _sign_in_link(live: Live) -> str:
    command = ("-m", "signaling", "sign-in", "--config", str(live.layout.data / "signaling.toml"))
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    return said.decode().strip()


async def _pictures(live: Live, browser: Browser) -> None:
    unplug = {"room": "sai-mussain", "device": "camera", "fault": "unplugged", "on": True}
    async with aiohttp.ClientSession() as session:
        await session.post(f"{live.layout.equipment}/faults", json=unplug)
    for theme in ("light", "dark"):
        context = await browser.new_context(
            locale="fr-BE",
            timezone_id="Europe/Brussels",
            color_scheme="dark" if theme == "dark" else "light",
            permissions=["camera", "microphone"],
        )
        await _round(live, Photographer(context, theme), sign_in=await _sign_in_link(live))
        await context.close()


async def _main() -> None:
    ALL.mkdir(parents=True, exist_ok=True)
    README.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="roomctl-") as folder:
        layout = Layout(PORT, Path(folder))
        demo = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "demo", "--port", str(PORT), "--data", folder, stdout=asyncio.subprocess.PIPE
        )
        assert demo.stdout is not None
        said = ""
        try:
            while "Logs " not in said:
                line = await demo.stdout.readline()
                if not line:
                    raise SystemExit(f"the demo did not start:\n{said}")
                said += line.decode()
            links = [
                found.group()
                for pattern in (r"http\S+/join/\S+", r"http\S+/it/\S+")
                if (found := re.search(pattern, said))
            ]
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                await _pictures(Live(layout, *links), browser)
                await browser.close()
        finally:
            demo.terminate()
            await demo.wait()
    print(f"{len(list(ALL.glob('*.png')))} pictures in {ALL}, those of the README in {README}")


if __name__ == "__main__":
    asyncio.run(_main())
