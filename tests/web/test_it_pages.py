"""The dashboard and a room's page in a real browser: order, search, news that arrive, what a device is asked and says."""

from __future__ import annotations

import time

import msgspec
import pytest
from playwright.async_api import expect

from tests.web import scenes_it
from tests.web.conftest import Open
from tests.web.stage import Stage
from wire.health import Health, Verdict
from wire.problems import Notice
from wire.topic import Topic
from wire.views import DashboardView

pytestmark = pytest.mark.browser


def _stage(stage: Stage, view: DashboardView) -> Topic:
    topic = Topic("dashboard", view)
    stage.topic("/api/v1/live", topic)
    stage.page("/dashboard", "dashboard")
    stage.page("/dashboard/rooms/tou-escaut", "room", {"room": "tou-escaut"})
    stage.page("/dashboard/rooms/no-such", "room", {"room": "no-such"})
    return topic


async def test_worst_first_with_a_next_step(stage: Stage, open_page: Open) -> None:
    _stage(stage, scenes_it.morning(time.time()))
    page = await open_page("/dashboard")
    await expect(page.get_by_role("heading", name="6 salles à traiter")).to_be_visible()
    names = await page.locator(".act h3 a").all_inner_texts()
    assert names == ["Hain", "Halle", "Mussain", "Escaut", "Coeurcq", "Euro Space"]
    mussain = page.locator(".act", has_text="Mussain")
    await expect(mussain).to_contain_text("Vérifier les câbles et l’alimentation de la caméra.")
    await expect(mussain).to_contain_text("Accueil de Saintes")
    await expect(page.locator(".act", has_text="Hain").first).to_contain_text("On ne nous entend pas.")


async def test_a_camera_unplugged_now_is_seen_now(stage: Stage, open_page: Open) -> None:
    now = time.time()
    view = scenes_it.quiet(now)
    topic = _stage(stage, view)
    page = await open_page("/dashboard")
    await expect(page.get_by_role("heading", name="Rien à traiter")).to_be_visible()
    broken = Verdict(
        Health.UNUSABLE,
        [Notice("health.camera_silent", {"since": now})],
        Notice("health.next.check_camera"),
        "Accueil de Saintes",
        now,
        now,
    )
    room = msgspec.structs.replace(view.rooms["sai-mussain"], verdict=broken)
    topic.update(msgspec.structs.replace(view, rooms={**view.rooms, "sai-mussain": room}))
    await expect(page.get_by_role("heading", name="1 salle à traiter")).to_be_visible()
    await expect(page.locator(".rt.unusable")).to_contain_text("Mussain")


async def test_search_and_filters(stage: Stage, open_page: Open) -> None:
    _stage(stage, scenes_it.morning(time.time()))
    page = await open_page("/dashboard")
    await page.get_by_role("searchbox").fill("bieréau")
    await expect(page.locator(".rt b")).to_have_text(["Biéreau"])
    await page.get_by_role("searchbox").fill("rien de tel")
    await page.get_by_role("button", name="Tout montrer").click()
    await expect(page.locator(".rt")).to_have_count(31)
    await page.get_by_label("Centre", exact=True).select_option("red")
    await expect(page.locator(".rt b")).to_have_text(["Euro Space", "Lesse"])
    await page.get_by_role("button", name="inconnue").click()
    await expect(page.locator(".rt b")).to_have_text(["Euro Space"])


async def test_a_room_says_what_is_asked_said_and_believed(stage: Stage, open_page: Open) -> None:
    _stage(stage, scenes_it.morning(time.time()))
    page = await open_page("/dashboard/rooms/tou-escaut")
    await expect(page.locator("h1")).to_contain_text("Escaut")
    await expect(page.locator(".verdict")).to_contain_text("L’image passe sur le second écran.")
    projector = page.locator(".device", has_text="Epson")
    await expect(projector).to_contain_text("Injoignable")
    await expect(projector).to_contain_text("%1POWR=1")
    await expect(projector.locator(".age").first).to_contain_text("il y a 14\u00a0min")
    await expect(page.locator(".device", has_text="Sony")).to_contain_text("chauffe, demandé\u00a0: allumé, encore")
    await expect(page.locator(".device", has_text="Caméra")).to_contain_text("1, Table, sans confirmation")


async def test_a_room_that_is_not_there(stage: Stage, open_page: Open) -> None:
    _stage(stage, scenes_it.morning(time.time()))
    page = await open_page("/dashboard/rooms/no-such")
    await expect(page.locator("h1")).to_have_text("Cette salle n’est pas dans le réseau.")


async def test_a_name_cannot_become_markup(stage: Stage, open_page: Open) -> None:
    view = scenes_it.morning(time.time())
    room = view.rooms["sai-hain"]
    evil = "<img src=x onerror=document.title='taken'>"
    room = msgspec.structs.replace(room, help_text=evil, room=msgspec.structs.replace(room.room, name=evil))
    _stage(stage, msgspec.structs.replace(view, rooms={**view.rooms, "sai-hain": room}))
    page = await open_page("/dashboard")
    await expect(page.locator(".act h3 a").first).to_have_text(evil)
    assert await page.title() == "Salles du réseau"
