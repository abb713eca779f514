"""Joining by link in a real browser with a fake camera: the check, its refusals, and what is sent. Media: end to end."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.web.conftest import CHROMIUM
from tests.web.scenes import invitation
from tests.web.stage import Stage
from wire.problems import Code, Problem

pytestmark = pytest.mark.browser

FLAGS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--disable-background-networking"]


class Server:
    """Plays the guest API: one link, and answers to be chosen."""

    def __init__(self, stage: Stage) -> None:
        self.look: object = invitation(time.time())
        self.join: Problem = Problem(Code.TOO_MANY, "later")
        self.asked: list[dict[str, Any]] = []
        stage.page("/join/s3cret", "join", {"secret": "s3cret"})
        stage.app.router.add_get("/api/v1/invitations/s3cret", self._look)
        stage.app.router.add_post("/api/v1/invitations/s3cret/join", self._join)
        self.app = stage.app

    async def _look(self, _: web.Request) -> web.Response:
        return _json(self.look, 410 if isinstance(self.look, Problem) else 200)

    async def _join(self, request: web.Request) -> web.Response:
        self.asked.append(await request.json())
        return _json(self.join, 429)


def _json(body: object, status: int) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    yield Server(Stage())


@pytest_asyncio.fixture
async def camera() -> AsyncIterator[Browser]:
    """A browser with a fake camera and microphone."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture
async def address(server: Server) -> AsyncIterator[str]:
    runner = web.AppRunner(server.app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/join/s3cret"
    await runner.cleanup()


async def _open(browser: Browser, address: str, permissions: list[str]) -> Page:
    context = await browser.new_context(locale="fr-BE", permissions=permissions)
    page = await context.new_page()
    page.set_default_timeout(8000)
    await page.goto(address)
    return page


async def test_which_meeting_who_is_there_how_i_look(camera: Browser, address: str) -> None:
    page = await _open(camera, address, ["camera", "microphone"])
    await expect(page.locator("h1")).to_have_text("Suivi des chantiers")
    await expect(page.locator(".there li")).to_have_count(3)
    await expect(page.locator(".there .plate")).to_have_count(2)
    await expect(page.locator("video.picture")).to_be_visible()
    await page.locator("h1").click()  # sound may be measured once the page was touched
    await expect(page.locator("#lv")).to_have_text("On vous entend bien")


async def test_a_nameless_person_is_asked_for_a_name(camera: Browser, address: str, server: Server) -> None:
    page = await _open(camera, address, ["camera", "microphone"])
    await page.get_by_role("button", name="Entrer dans la réunion").click()
    await expect(page.locator("#nh")).to_have_text("Écrivez votre nom pour entrer.")
    await expect(page.locator("#n")).to_be_focused()
    assert server.asked == []


async def test_turned_away_for_now_keeps_everything(camera: Browser, address: str, server: Server) -> None:
    page = await _open(camera, address, ["camera", "microphone"])
    await page.get_by_label("Votre nom").fill("  Nadia Benali ")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("Attendez une minute")
    assert server.asked == [{"name": "Nadia Benali", "language": "fr"}]
    await expect(page.locator("video.picture")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("Votre nom")).to_have_value("Nadia Benali")


async def test_a_meeting_that_ends_during_the_check(camera: Browser, address: str, server: Server) -> None:
    page = await _open(camera, address, ["camera", "microphone"])
    await page.get_by_label("Votre nom").fill("Nadia")
    server.join = Problem(Code.MEETING_OVER, "over")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("La réunion est terminée.")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (Code.LINK_UNKNOWN, "Ce lien ne mène à aucune réunion."),
        (Code.LINK_EXPIRED, "Ce lien a expiré."),
        (Code.LINK_REVOKED, "Ce lien a été retiré."),
        (Code.MEETING_OVER, "La réunion est terminée."),
    ],
)
async def test_a_link_that_leads_nowhere(camera: Browser, address: str, server: Server, code: Code, words: str) -> None:
    server.look = Problem(code, "no")
    page = await _open(camera, address, [])
    await expect(page.locator("h1")).to_have_text(words)


async def test_a_camera_refused_is_told_with_what_to_do(camera: Browser, address: str) -> None:
    page = await _open(camera, address, [])
    await expect(page.get_by_text("Le navigateur n’a pas accès à la caméra.")).to_be_visible()
    await expect(page.get_by_text("Vous pouvez aussi entrer sans image.")).to_be_visible()
    await expect(page.get_by_role("button", name="Entrer dans la réunion")).to_be_enabled()


async def test_closing_the_camera_turns_its_light_off(camera: Browser, address: str) -> None:
    page = await _open(camera, address, ["camera", "microphone"])
    await expect(page.locator("video.picture")).to_be_visible()
    track = await page.evaluate_handle("document.querySelector('video').srcObject.getVideoTracks()[0]")
    await page.get_by_role("button", name="Caméra ouverte").click()
    await expect(page.get_by_text("Votre caméra est coupée.")).to_be_visible()
    assert await track.evaluate("(track) => track.readyState") == "ended"
    await page.get_by_role("button", name="Caméra coupée").click()
    await expect(page.locator("video.picture")).to_be_visible()
