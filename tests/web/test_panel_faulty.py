"""The panel of a room where something is wrong: what works and whom to call, and no key is cut."""

from __future__ import annotations

import msgspec
import pytest
from playwright.async_api import expect

from tests.web import panel_scenes as scenes
from tests.web.conftest import Open
from tests.web.stage import Stage
from tests.web.test_panel import PATH, SMALL, Agent
from wire.devices import Connection, Device
from wire.health import Health, Verdict
from wire.problems import Notice
from wire.views import PanelView

pytestmark = pytest.mark.browser

CONTACT = "Informatique LLN, 010 47 00 00"


def out_of_use(code: str, next_step: str) -> PanelView:
    """The camera of a board room is the reason."""
    now = scenes.now()
    devices = scenes.board(now)
    cause = Notice(code, {"device": "Caméra"})
    devices["camera"] = msgspec.structs.replace(devices["camera"], connection=Connection.UNREACHABLE, fault=cause)
    verdict = Verdict(Health.UNUSABLE, [cause], Notice(next_step), CONTACT, since=now - 60, observed_at=now - 5)
    return msgspec.structs.replace(scenes.idle(now), devices=devices, verdict=verdict)


async def test_the_public_reads_what_works_and_whom_to_call_instead_of_its_steps(stage: Stage, open_page: Open) -> None:
    agent = Agent(stage, out_of_use("device.garbage", "device.garbage.next"))
    page = await open_page(PATH, 1024, 600)
    state = page.locator(".state")
    await expect(state).to_contain_text("réponses incompréhensibles")
    await expect(state).to_contain_text("Fonctionnent")
    await expect(state).to_contain_text("micros")
    await expect(state).to_contain_text(f"À prévenir\u00a0: {CONTACT}")
    await expect(state).not_to_contain_text("configuration")
    agent.topic.update(out_of_use("device.unplugged", "device.unplugged.next"))
    await expect(state).to_contain_text("Rebrancher son câble")


async def test_a_device_that_did_not_do_it_is_said_in_its_row(stage: Stage, open_page: Open) -> None:
    now = scenes.now()
    devices = scenes.board(now)
    lie = Notice("device.not_followed", {"device": "Projecteur", "property": "power"})
    devices["projector"] = msgspec.structs.replace(devices["projector"], fault=lie)
    Agent(stage, msgspec.structs.replace(scenes.idle(now), devices=devices))
    page = await open_page(PATH, 1024, 600)
    await expect(page.locator(".dev.degraded")).to_contain_text("a répondu oui, sans le faire (Alimentation)")


async def test_a_camera_that_does_not_answer_is_not_said_to_be_open(stage: Stage, open_page: Open) -> None:
    view = scenes.in_meeting(scenes.now())
    media = msgspec.structs.replace(view.media, camera=False, camera_wanted=True, camera_silent=True)
    Agent(stage, msgspec.structs.replace(view, media=media))
    page = await open_page(PATH)
    await expect(page.locator(".bar")).to_contain_text("Sans réponse")
    await expect(page.get_by_text("Caméra ouverte")).to_have_count(0)


async def test_a_picture_that_goes_out_is_seen_and_its_camera_is_said_not_to_move(
    stage: Stage, open_page: Open
) -> None:
    now = scenes.now()
    view = scenes.in_meeting(now)
    agent = Agent(stage, view)
    page = await open_page(PATH, 1024, 600)
    await expect(page.locator(".seen-t")).to_contain_text("On vous voit et on vous entend")
    await expect(page.locator(".still")).to_have_count(0)
    agent.topic.update(msgspec.structs.replace(view, devices=scenes.devices(now, warming=20, camera=False)))
    await expect(page.locator(".still")).to_contain_text("Déplacer la caméra n’est pas possible")
    await expect(page.locator(".still")).to_be_in_viewport(ratio=1)
    await expect(page.locator(".seen-t")).to_contain_text("On vous voit et on vous entend")
    await expect(page.locator(".bar")).to_contain_text("Caméra ouverte")
    await expect(page.get_by_role("button", name="Vers la gauche")).to_have_attribute("aria-disabled", "true")
    assert await page.evaluate(SMALL) == []


@pytest.mark.parametrize(("width", "height"), [(1024, 600), (1280, 800)])
async def test_the_volume_keys_are_whole_however_many_devices_are_listed(
    stage: Stage, open_page: Open, width: int, height: int
) -> None:
    now = scenes.now()
    devices: dict[str, Device] = scenes.faulty(now) | {"speaker": scenes.board(now)["speaker"]}
    Agent(stage, msgspec.structs.replace(scenes.idle(now), devices=devices))
    page = await open_page(PATH, width, height)
    keys = page.locator(".idle .vol")
    await expect(keys).to_be_in_viewport(ratio=1)
    hidden = "(e) => e.getBoundingClientRect().bottom > document.querySelector('.acts').getBoundingClientRect().top"
    assert not await keys.evaluate(hidden)
    assert await page.evaluate(SMALL) == []
