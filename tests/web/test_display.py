"""The built display in a real browser: whose pictures it shows and where, and how it comes back."""

from __future__ import annotations

import base64
import json

import msgspec
import pytest
from playwright.async_api import Page, expect

from tests.web import panel_scenes as scenes
from tests.web.conftest import Open, until
from tests.web.stage import Stage
from wire.topic import Topic
from wire.views import DisplayView

pytestmark = pytest.mark.browser

PATH = "/rooms/x/display"
THERE = "ws://stand-in/?cameras=room:sai-senne,guest:koen,guest:nadia"
# Texts under 1/30 of the height, or in the outer 5 % (less what a large letter and the walk against burn-in take).
UNREADABLE = """() => {
  const found = [];
  const walk = document.createTreeWalker(document.getElementById('app'), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (walk.currentNode.data.trim() === '' || !element.checkVisibility()) continue;
    const box = element.getBoundingClientRect();
    const small = parseFloat(getComputedStyle(element).fontSize) < innerHeight / 30;
    const across = box.left < innerWidth * 0.04 || box.right > innerWidth * 0.96;
    const out = across || box.top < innerHeight * 0.04 || box.bottom > innerHeight * 0.96;
    if (small || out) found.push(walk.currentNode.data);
  }
  return found;
}"""
PLACES = """() => [...document.querySelectorAll('.tile')].map((tile) => {
  const { x, y } = tile.getBoundingClientRect();
  return [tile.getAttribute('aria-label'), x, y];
})"""


def token(room: str, expires: int) -> str:
    """As the server mints it, as far as the page reads it."""
    claims = base64.urlsafe_b64encode(json.dumps({"exp": expires, "video": {"room": room}}).encode()).decode()
    return f"x.{claims.rstrip('=')}.x"


def put(stage: Stage, view: DisplayView) -> Topic:
    """Put the display of a room on the stage."""
    topic = Topic("display", view)
    stage.page(PATH, "display")
    stage.topic("/rooms/x/live/display", topic)
    return topic


def in_meeting(url: str = THERE, room: str = "demo", expires: int = 1) -> DisplayView:
    view = scenes.display(scenes.in_meeting(scenes.now()))
    return msgspec.structs.replace(view, media_url=url, media_token=token(room, expires))


async def names(page: Page) -> list[str]:
    return await page.locator(".tile .name > span:not(.code)").all_inner_texts()


async def test_shows_the_others_and_not_itself(stage: Stage, open_page: Open) -> None:
    put(stage, in_meeting())
    page = await open_page(PATH, 1920, 1080)
    await until(page, "[...document.querySelectorAll('video')].filter((v) => v.videoWidth > 0).length === 3")
    assert await names(page) == ["Senne", "Koen Peeters", "Nadia Benali"]
    await expect(page.locator(".room-tile")).to_contain_text("SAI")
    await expect(page.get_by_text("micros ouverts")).to_be_visible()


async def test_a_microphone_that_does_not_answer_is_not_said_to_be_open(stage: Stage, open_page: Open) -> None:
    view = in_meeting()
    topic = put(stage, view)
    page = await open_page(PATH, 1920, 1080)
    await expect(page.get_by_text("micros ouverts")).to_be_visible()
    topic.update(msgspec.structs.replace(view, media=msgspec.structs.replace(view.media, mic=False, mic_silent=True)))
    await expect(page.get_by_text("les micros ne répondent pas")).to_be_visible()
    await expect(page.get_by_text("micros ouverts")).to_have_count(0)
    await expect(page.get_by_text("micros coupés")).to_have_count(0)
    seen = msgspec.structs.replace(view.media, camera=False, camera_silent=True)
    topic.update(msgspec.structs.replace(view, media=seen))
    await expect(page.get_by_text("la caméra ne répond pas")).to_be_visible()
    await expect(page.get_by_text("caméra coupée")).to_have_count(0)
    assert await page.evaluate(UNREADABLE) == []


async def test_a_speaker_gets_an_edge_and_moves_nothing(stage: Stage, open_page: Open) -> None:
    put(stage, in_meeting())
    page = await open_page(PATH, 1920, 1080)
    await expect(page.locator("video")).to_have_count(3)
    before = await page.evaluate(PLACES)
    await page.evaluate("standIn.room.emit('activeSpeakersChanged', [{ identity: 'guest:nadia', attributes: {} }])")
    await expect(page.locator(".speaking")).to_have_attribute("aria-label", "Nadia Benali, parle")
    after = await page.evaluate(PLACES)
    assert [place[1:] for place in after] == [place[1:] for place in before]


async def test_a_renewed_token_is_kept_for_the_next_time(stage: Stage, open_page: Open) -> None:
    topic = put(stage, in_meeting(expires=1))
    page = await open_page(PATH)
    await expect(page.locator("video")).to_have_count(3)
    topic.update(in_meeting(expires=2))
    await until(page, "window.standIn?.connects === 1")
    await page.evaluate("standIn.room.emit('disconnected', 0)")
    await until(page, "window.standIn?.connects === 2")
    assert await page.evaluate("standIn.token") == token("demo", 2)
    topic.update(in_meeting(room="other", expires=3))
    await until(page, "window.standIn?.connects === 3")
    assert await page.evaluate("standIn.token") == token("other", 3)


async def test_lost_media_is_said_and_tried_again(stage: Stage, open_page: Open) -> None:
    topic = put(stage, in_meeting("ws://stand-in/?refuse=1"))
    page = await open_page(PATH)
    await expect(page.get_by_role("status")).to_have_text("Image et son perdus. L’écran réessaie seul.")
    await until(page, "window.standIn?.connects >= 2")
    topic.update(in_meeting(THERE))
    await expect(page.locator("video")).to_have_count(3)
    await expect(page.get_by_role("status")).to_have_count(0)


async def test_a_connection_that_mends_itself_is_said_and_keeps_its_pictures(stage: Stage, open_page: Open) -> None:
    put(stage, in_meeting())
    page = await open_page(PATH)
    await expect(page.locator("video")).to_have_count(3)
    await page.evaluate("standIn.room.emit('reconnecting')")
    await expect(page.get_by_role("status")).to_have_text("Image et son perdus. L’écran réessaie seul.")
    await expect(page.locator("video")).to_have_count(3)
    await page.evaluate("standIn.room.emit('reconnected')")
    await expect(page.get_by_role("status")).to_have_count(0)


async def test_a_second_page_of_the_room_takes_over_without_a_fight(stage: Stage, open_page: Open) -> None:
    put(stage, in_meeting())
    page = await open_page(PATH)
    await expect(page.locator("video")).to_have_count(3)
    await page.evaluate("standIn.room.emit('disconnected', 2)")
    await expect(page.get_by_role("status")).to_contain_text("Une autre page montre cette réunion")
    assert await page.evaluate("standIn.connects") == 1
    await page.mouse.click(300, 300)
    await expect(page.locator("video")).to_have_count(3)


async def test_shared_content_is_large_and_whole(stage: Stage, open_page: Open) -> None:
    put(stage, in_meeting(f"{THERE}&screen=guest:koen"))
    page = await open_page(PATH, 1920, 1080)
    box = await page.locator(".content").bounding_box()
    assert box is not None
    assert box["width"] > 1920 * 0.55
    await expect(page.locator(".tile:not(.content)")).to_have_count(3)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (3840, 2160)])
async def test_every_word_is_large_and_within_the_margin(
    stage: Stage, open_page: Open, width: int, height: int
) -> None:
    now = scenes.now()
    idle = scenes.display(scenes.idle(now))
    topic = put(stage, idle)
    page = await open_page(PATH, width, height)
    standby = msgspec.structs.replace(idle, scene="standby")
    states = {
        "idle": idle,
        "standby": standby,
        "outgoing": scenes.display(scenes.outgoing(now)),
        "incoming": scenes.display(scenes.incoming(now)),
        "meeting": in_meeting(),
    }
    for name, view in states.items():
        topic.update(view)
        await page.wait_for_selector(f".display.{name}")
        assert await page.evaluate(UNREADABLE) == [], name
    assert await page.evaluate("getComputedStyle(document.querySelector('.display')).cursor") == "none"
