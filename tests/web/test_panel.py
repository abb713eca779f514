"""The built panel in a real browser: what is pressed, what is shown, and how large it is."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from playwright.async_api import expect

from tests.web import panel_scenes as scenes
from tests.web.conftest import Open
from tests.web.panel_scenes import LAUZELLE, SENNE
from tests.web.stage import Stage
from wire.link import Phase
from wire.meetings import RoomCall
from wire.problems import Code, Problem
from wire.topic import Topic
from wire.views import ActionResult, MediaState, PanelView

pytestmark = pytest.mark.browser

SMALL = """() => [...document.querySelectorAll('button, input[type=search], label.room-choice')]
  .filter((e) => e.checkVisibility() && !e.closest('[popover]:not(:popover-open)'))
  .map((e) => ({ what: e.innerText || e.className, box: e.getBoundingClientRect() }))
  .filter(({ box }) => box.width < 55.5 || box.height < 55.5).map(({ what }) => what)"""
FITS = (
    "() => document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight"
)


class Agent:
    """Plays the room's agent: one topic, and what the panel asked of it."""

    def __init__(self, stage: Stage, view: PanelView) -> None:
        self.topic = Topic("panel", view)
        self.asked: list[dict[str, Any]] = []
        self.problem: Problem | None = None
        stage.page("/rooms/x/panel", "panel")
        stage.topic("/rooms/x/live/panel", self.topic, self._answer)

    def _answer(self, action: dict[str, Any]) -> ActionResult:
        self.asked.append(action)
        return ActionResult(action["id"], problem=self.problem)

    def ops(self) -> list[str]:
        return [action["op"] for action in self.asked]


PATH = "/rooms/x/panel"


async def test_three_presses_call_a_room(stage: Stage, open_page: Open) -> None:
    now = scenes.now()
    agent = Agent(stage, scenes.idle(now))
    page = await open_page(PATH)
    await page.get_by_role("button", name="Appeler un centre").click()
    await page.get_by_role("button", name="Saintes").click()
    await page.get_by_text("Senne", exact=True).click()
    await page.get_by_role("button", name="Appeler Senne").click()
    await _until(agent, "start")
    assert agent.asked[0]["rooms"] == [SENNE]
    agent.topic.update(scenes.outgoing(now))
    await expect(page.get_by_role("heading", name="Vous appelez Senne…")).to_be_visible()
    await expect(page.get_by_text("Sans réponse dans")).to_be_visible()
    await page.get_by_role("button", name="Annuler l’appel").click()
    await _until(agent, "cancel")


async def test_rooms_that_cannot_be_called_say_why(stage: Stage, open_page: Open) -> None:
    Agent(stage, scenes.idle(scenes.now()))
    page = await open_page(PATH)
    await page.get_by_role("button", name="Appeler un centre").click()
    centers = page.locator(".center-key b")
    assert await centers.all_inner_texts() == [
        "Mont-Saint-Guibert", "Les Isnes", "Saintes", "Wemmel", "Enghien", "Redu", "Tournai", "Louvain-la-Neuve",
    ]  # fmt: skip
    await page.get_by_role("button", name="Saintes").click()
    mussain = page.locator(".room-choice", has_text="Mussain")
    await expect(mussain).to_contain_text("Inutilisable")
    await expect(mussain).to_contain_text("Prenez Senne.")
    await expect(mussain.get_by_role("checkbox")).to_be_disabled()


async def test_a_refused_call_is_said_in_words_and_keeps_the_choice(stage: Stage, open_page: Open) -> None:
    agent = Agent(stage, scenes.idle(scenes.now()))
    agent.problem = Problem(Code.ROOM_BUSY, "busy", room=SENNE, instead=scenes.COEURCQ)
    page = await open_page(PATH)
    await page.get_by_role("button", name="Appeler un centre").click()
    await page.get_by_role("button", name="Saintes").click()
    await page.get_by_text("Senne", exact=True).click()
    await page.get_by_role("button", name="Appeler Senne").click()
    await expect(page.get_by_role("alert")).to_contain_text("Senne ne peut pas être appelée")
    await expect(page.get_by_role("alert")).to_contain_text("Coeurcq")
    await expect(page.get_by_role("button", name="Appeler Senne")).to_be_visible()


async def test_a_press_shows_within_100_ms_and_then_what_is_confirmed(stage: Stage, open_page: Open) -> None:
    now = scenes.now()
    agent = Agent(stage, scenes.in_meeting(now))
    page = await open_page(PATH)
    await expect(page.get_by_role("button", name="Micro ouvert")).to_be_visible()
    waited = await page.evaluate(
        """() => new Promise((done) => {
          const key = [...document.querySelectorAll('.key')].find((e) => e.innerText.includes('Micro'));
          const from = performance.now();
          const look = () => key.classList.contains('off') ? done(performance.now() - from) : requestAnimationFrame(look);
          key.click();
          look();
        })"""
    )
    assert waited < 100
    await expect(page.get_by_role("button", name="Coupure…")).to_be_visible()
    await _until(agent, "set_mic")
    muted = msgspec.structs.replace(scenes.OPEN, mic=False, mic_wanted=False)
    agent.topic.update(msgspec.structs.replace(scenes.in_meeting(now), media=muted))
    await expect(page.get_by_role("button", name="Micro coupé", exact=True)).to_be_visible()
    await expect(page.get_by_text("On vous voit, sans son")).to_be_visible()


async def test_a_held_camera_key_renews_its_move_and_stops_once(stage: Stage, open_page: Open) -> None:
    agent = Agent(stage, scenes.in_meeting(scenes.now()))
    page = await open_page(PATH)
    await page.get_by_role("button", name="Vers la gauche").hover()
    await page.mouse.down()
    await _until(agent, "device", times=3)
    await page.mouse.up()
    async with asyncio.timeout(5):
        while agent.asked[-1].get("command", {}).get("op") != "stop":
            await asyncio.sleep(0.02)
    commands = [action["command"]["op"] for action in agent.asked]
    assert commands == ["move"] * (len(commands) - 1) + ["stop"]
    assert agent.asked[0]["command"]["args"] == {"pan": -0.5, "tilt": 0, "zoom": 0}


async def test_an_incoming_call_says_who_and_that_nobody_sees_us(stage: Stage, open_page: Open) -> None:
    agent = Agent(stage, scenes.incoming(scenes.now(), answers_in=25))
    page = await open_page(PATH)
    await expect(page.get_by_role("heading", name="Senne vous appelle")).to_be_visible()
    await expect(page.get_by_text("Personne ne vous voit avant.")).to_be_visible()
    await page.get_by_role("button", name="Décliner").click()
    await _until(agent, "decline")


async def test_without_server_the_room_still_has_its_own_keys(stage: Stage, open_page: Open) -> None:
    agent = Agent(stage, msgspec.structs.replace(scenes.idle(scenes.now()), server=False))
    page = await open_page(PATH)
    await expect(page.get_by_role("heading", name="Serveur injoignable")).to_be_visible()
    await expect(page.get_by_role("button", name="Appeler un centre")).to_be_disabled()
    await expect(page.get_by_text("Pas d’appel sans le serveur.")).to_be_visible()
    await page.get_by_role("button", name="Plus fort").click()
    await _until(agent, "set_volume")
    assert agent.asked[0]["volume"] == pytest.approx(0.7)


async def test_the_language_goes_back_to_the_rooms_after_a_meeting(stage: Stage, open_page: Open) -> None:
    now = scenes.now()
    agent = Agent(stage, scenes.in_meeting(now))
    page = await open_page(PATH)
    await page.get_by_role("button", name="FR").click()
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("button", name="Leave")).to_be_visible()
    agent.topic.update(scenes.idle(now))
    await expect(page.get_by_role("heading", name="Salle prête")).to_be_visible()


async def test_the_end_for_all_asks_once_and_leave_does_not(stage: Stage, open_page: Open) -> None:
    agent = Agent(stage, scenes.in_meeting(scenes.now()))
    page = await open_page(PATH)
    await page.get_by_role("button", name="Terminer pour tous").click()
    assert agent.ops() == []
    await page.get_by_role("dialog").get_by_role("button", name="Terminer pour tous").click()
    await _until(agent, "end")
    await page.get_by_role("button", name="Quitter").click()
    await _until(agent, "leave")


def _states(now: float) -> dict[str, PanelView]:
    meeting = scenes.in_meeting(now)
    return {
        "idle": scenes.idle(now),
        "out": scenes.outgoing(now, SENNE, scenes.ATOMIUM, scenes.COEURCQ),
        "in": scenes.incoming(now),
        "meeting": meeting,
        "preparing": msgspec.structs.replace(meeting, phase=Phase.PREPARING, media=MediaState()),
        "alone": msgspec.structs.replace(
            meeting, meeting=scenes.meeting(now, scenes.room_in(LAUZELLE), scenes.room_in(SENNE, RoomCall.LOST))
        ),
    }


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1024, 600)])
async def test_everything_fits_and_can_be_touched(stage: Stage, open_page: Open, width: int, height: int) -> None:
    now = scenes.now()
    agent = Agent(stage, scenes.idle(now))
    page = await open_page(PATH, width, height)
    for name, view in _states(now).items():
        agent.topic.update(view)
        await page.wait_for_selector({"idle": ".idle", "out": ".ring", "in": ".answer"}.get(name, ".meet"))
        assert await page.evaluate(SMALL) == [], name
        assert await page.evaluate(FITS), name


@pytest.mark.parametrize(("width", "height"), [(768, 1024), (820, 1180), (390, 844)])
async def test_what_calls_stays_in_sight_on_a_tablet_held_upright(
    stage: Stage, open_page: Open, width: int, height: int
) -> None:
    Agent(stage, scenes.idle(scenes.now()))
    page = await open_page(PATH, width, height)
    call = page.get_by_role("button", name="Appeler un centre")
    await expect(call).to_be_in_viewport(ratio=1)
    await expect(page.get_by_role("button", name="Aide")).to_be_in_viewport(ratio=1)
    await call.click()
    await expect(page.locator(".go-bar .start")).to_be_in_viewport(ratio=1)
    if width > 600:
        await expect(page.locator(".room-choice").first).to_be_in_viewport(ratio=1)
    await page.get_by_role("button", name="Saintes").click()
    await expect(page.locator(".room-choice", has_text="Senne").first).to_be_in_viewport(ratio=1)
    assert await page.evaluate(SMALL) == []


async def _until(agent: Agent, op: str, times: int = 1) -> None:
    """Wait until the panel asked for `op`."""
    async with asyncio.timeout(5):
        while agent.ops().count(op) < times:
            await asyncio.sleep(0.02)
