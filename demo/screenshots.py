"""`python -m demo.screenshots`: pictures of every page, from a live demo of its own with real Chromium.

Every page of `demo/scenes.py` in light and dark, on phone, tablet, desk, panels and 4K, goes to `.build/screenshots`; the
few that the README shows go to `docs/images`. `python -m demo.screenshots light` takes one theme only.
"""

from __future__ import annotations

import asyncio
import re
import signal
import sys
import tempfile
import time
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from demo.layout import Layout
from demo.scenes import Live, Sizes, Tour

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
THEMES = ("light", "dark")
LONGEST = 1500.0  # seconds for all pictures
SHOWN = {  # pictures of the README
    "panel-meeting-dark-1280x800",
    "panel-idle-board-light-1280x800",
    "dashboard-light-desk",
    "meeting-light-desk",
}
ALL, README = Path(".build/screenshots"), Path("docs/images")


class Photographer:
    """Takes pictures of one theme."""

    def __init__(self, context: BrowserContext, theme: str) -> None:
        self._context = context
        self._theme = theme

    async def open(self, url: str) -> Page:
        """Open and let it settle."""
        page = await self._context.new_page()
        await page.goto(url)
        await page.wait_for_timeout(1500)
        return page

    async def shoot(self, page: Page, name: str, sizes: Sizes, *, long: bool = False) -> None:
        """One picture a size; of a long page all of it."""
        for size, (width, height) in sizes.items():
            await page.set_viewport_size({"width": width, "height": height})
            await page.wait_for_timeout(300)
            file = f"{name}-{self._theme}-{size}"
            picture = await page.screenshot(path=ALL / f"{file}.png", full_page=long)
            if file in SHOWN:
                (README / f"{file}.png").write_bytes(picture)


async def _sign_in_link(layout: Layout) -> str:
    command = ("-m", "signaling", "sign-in", "--config", str(layout.data / "signaling.toml"))
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    return said.decode().strip()


async def _context(browser: Browser, theme: str) -> BrowserContext:
    return await browser.new_context(
        locale="fr-BE",
        timezone_id="Europe/Brussels",
        color_scheme="dark" if theme == "dark" else "light",
        permissions=["camera", "microphone"],
    )


async def _pictures(live: Live, browser: Browser, themes: tuple[str, ...]) -> None:
    for theme in themes:
        began = time.monotonic()
        context = await _context(browser, theme)
        take = Photographer(context, theme)
        tour = Tour(live, take.open, take.shoot)
        await tour.take(await _sign_in_link(live.layout))
        await context.close()
        for about, why in tour.missed.items():
            print(f"{theme}: {about} could not be pictured whole: {why}", file=sys.stderr)
        print(f"{theme}: {time.monotonic() - began:.0f} s", flush=True)


async def _main(themes: tuple[str, ...]) -> None:
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
            guest = re.search(r"http\S+/join/\S+", said)
            assert guest is not None
            async with asyncio.timeout(LONGEST), async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                await _pictures(Live(layout, guest.group()), browser, themes)
                await browser.close()
        finally:
            demo.terminate()
            await demo.wait()
    print(f"{len(list(ALL.glob('*.png')))} pictures in {ALL}, those of the README in {README}")


async def _until_told(themes: tuple[str, ...]) -> None:
    """SIGTERM ends the demo and the browser too."""
    working = asyncio.create_task(_main(themes))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
    await working


if __name__ == "__main__":
    asyncio.run(_until_told(tuple(theme for theme in THEMES if theme in sys.argv[1:]) or THEMES))
