"""The built faults page in a real browser: breaking, seeing, mending."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import expect

from tests.web.conftest import Open
from tests.web.places import CENTERS, ROOMS
from tests.web.stage import Stage

pytestmark = pytest.mark.browser

KNOWN = ["drop", "delay", "garbage", "reset", "silent", "unplugged", "reboot"]


def put(stage: Stage) -> dict[str, Any]:
    """The page, and rooms with a camera and a projector that can be broken."""
    rooms: dict[str, Any] = {
        id: {
            "name": room.name, "center": CENTERS[room.center].name, "agent": True,
            "devices": {
                "camera": {"name": "C", "role": "main_camera", "faults": [], "available": KNOWN},
                "key": {
                    "name": "K", "role": "mute_button", "faults": [], "available": [],
                    "acts": ["press"], "shows": {"light": False},
                },
                "ups": {"name": "U", "role": "ups", "faults": [], "available": [], "missing": "nut-server"},
                "display": {"name": "D", "role": "front_display", "faults": [], "available": [*KNOWN, "strange"]},
            },
        }
        for id, room in ROOMS.items()
    }  # fmt: skip

    async def switch(request: web.Request) -> web.Response:
        wanted = await request.json()
        room = rooms[wanted["room"]]
        if wanted["device"] == "agent":
            room["agent"] = not wanted["on"]
        elif wanted["fault"] == "strange":
            return web.json_response({"code": "bad_request", "message": ""}, status=400)
        else:
            faults = room["devices"][wanted["device"]]["faults"]
            (faults.append if wanted["on"] else faults.remove)(wanted["fault"])
        return web.json_response(room)

    async def act(request: web.Request) -> web.Response:
        wanted = await request.json()
        shows = rooms[wanted["room"]]["devices"][wanted["device"]]["shows"]
        shows["light"] = not shows["light"]
        return web.json_response(rooms[wanted["room"]])

    stage.app.router.add_post("/faults/acts", act)
    stage.page("/faults", "faults", {"dashboard": "http://127.0.0.1:1/dashboard", "agents": "http://127.0.0.1:2"})
    told = {"lln-lauzelle": {"camera": [{"code": "device.password", "args": {"device": "C"}}]}}

    def state(_: web.Request) -> dict[str, Any]:
        broken = {id for id, room in rooms.items() if any(one["faults"] for one in room["devices"].values())}
        return {"rooms": rooms, "said": {id: said for id, said in told.items() if id in broken}}

    stage.json("GET", "/faults/state", state)
    stage.app.router.add_post("/faults", switch)
    return rooms


@pytest.mark.parametrize("width", [1280, 390])
async def test_breaks_and_mends(stage: Stage, open_page: Open, width: int) -> None:
    rooms = put(stage)
    page = await open_page("/faults", width)
    await expect(page.get_by_text("Rien n’est en panne.")).to_be_visible()
    await page.get_by_role("button", name="Débrancher la caméra").click()
    await expect(page.get_by_role("heading", name="1 panne en ce moment")).to_be_visible()
    assert rooms["lln-lauzelle"]["devices"]["camera"]["faults"] == ["unplugged"]
    said = page.locator(".broken .told")
    await expect(said).to_contain_text("mot de passe refusé")
    await expect(said).to_contain_text("Corriger le mot de passe dans la configuration de la salle.")
    await expect(said).to_contain_text("L’informatique.")
    link = page.locator(".broken").get_by_role("link", name="Voir au tableau de bord")
    await expect(link).to_have_attribute("href", "http://127.0.0.1:1/dashboard/rooms/lln-lauzelle")
    if width > 820:
        await page.get_by_role("button", name="Senne").click()
    else:
        await page.get_by_label("Choisissez une salle").select_option("sai-senne")
    await page.get_by_role("button", name="Couper la salle du réseau").click()
    await expect(page.get_by_role("heading", name="2 pannes en ce moment")).to_be_visible()
    assert rooms["sai-senne"]["agent"] is False
    for _ in range(2):
        await page.get_by_role("button", name="Mettre fin").first.click()
    await expect(page.get_by_text("Rien n’est en panne.")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_shows_faults_switched_elsewhere_and_refusals(stage: Stage, open_page: Open) -> None:
    rooms = put(stage)
    page = await open_page("/faults")
    await expect(page.get_by_text("Rien n’est en panne.")).to_be_visible()
    rooms["red-lesse"]["devices"]["display"]["faults"].append("reboot")
    await expect(page.locator(".broken")).to_contain_text("Lesse")
    await page.get_by_text("Toutes les pannes de cette salle").click()
    await page.get_by_role("button", name="strange").click()
    await expect(page.get_by_role("alert")).to_contain_text("Ce changement n’a pas été fait.")


async def test_a_device_has_one_name_on_all_of_the_page(stage: Stage, open_page: Open) -> None:
    rooms = put(stage)
    rooms["lln-lauzelle"]["devices"]["display"] |= {"name": "Projecteur", "acts": ["press"], "faults": ["reboot"]}
    page = await open_page("/faults")
    name = "Écran principal (Projecteur)"
    await expect(page.locator(".broken")).to_contain_text(name)
    await expect(page.locator(".usual b", has_text=name)).to_be_visible()
    await expect(page.locator(".hands b", has_text=name)).to_be_visible()
    await page.get_by_text("Toutes les pannes de cette salle").click()
    await expect(page.locator("legend", has_text=name)).to_be_visible()


async def test_hands_press_keys_and_missing_servers_are_named(stage: Stage, open_page: Open) -> None:
    put(stage)
    page = await open_page("/faults")
    await expect(page.get_by_text("voyant éteint")).to_be_visible()
    await page.get_by_role("button", name="Appuyer sur la touche").click()
    await expect(page.get_by_text("voyant rouge : micro coupé")).to_be_visible()
    await expect(page.get_by_text("Pour les avoir : apt-get install nut-server")).to_be_visible()
