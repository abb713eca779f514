"""The three jobs: a team starts a cross-center meeting from its panel, a colleague joins by link, IT sees health."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, BrowserContext, expect

from tests.end_to_end.conftest import Demo
from tests.end_to_end.equipment import fault
from tests.end_to_end.people import button, call, join, open_panel, words
from tests.end_to_end.receiving import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser, pytest.mark.timeout(150)]

NOTICED = 10.0  # seconds within which an unplugged device shows, and its return


async def test_redu_calls_wemmel_a_guest_joins_a_camera_is_unplugged_the_meeting_ends(
    demo: Demo, context: BrowserContext, it_context: BrowserContext
) -> None:
    redu = await open_panel(context, demo, "red-lesse")
    wemmel = await open_panel(context, demo, "wem-atomium")
    await call(redu, "Wemmel", "Atomium")
    await expect(wemmel.get_by_text(words("panel.calls_you", room="Lesse"))).to_be_visible()
    await button(wemmel, "panel.answer").click()
    await expect(button(redu, "panel.leave")).to_be_visible()
    await expect(button(wemmel, "panel.leave")).to_be_visible()

    screen = await context.new_page()
    await screen.goto(demo.display("red-lesse"))
    seen = await until(screen, lambda now: now.shown(10) >= 1 and now.heard() >= 1, 20)
    own = f"a room's screen must not show or play its own room: {seen}"
    assert (len(seen.video()), len(seen.audio())) == (1, 1), own
    await expect(screen.get_by_text("Atomium").first).to_be_visible()

    await button(redu, "panel.invite").click()
    link = await redu.get_by_text("/join/").first.inner_text()
    await redu.keyboard.press("Escape")
    guest = await join(context, link, "Nadia Benali")
    both = await until(guest, lambda now: now.shown(20) >= 2 and now.heard() >= 2, 20)
    assert both.ciphers and all("GCM" in cipher for cipher in both.ciphers), both.ciphers

    # The calling room speaks, for the guest hears it; its own screen plays the other room and the guest only.
    seen = await until(screen, lambda now: now.shown(10) >= 2 and now.heard() >= 2, 20)
    assert (len(seen.video()), len(seen.audio())) == (2, 2), seen
    await screen.close()
    await expect(redu.get_by_text("Nadia Benali").first).to_be_visible()

    board = await it_context.new_page()
    await board.goto(f"{demo.server}/dashboard/rooms/wem-atomium")
    silent = board.get_by_text(words("health.camera_silent", since="").rstrip(" .")).first
    await expect(board.get_by_text(words("state.live")).first).to_be_visible()
    await expect(silent).to_be_hidden()
    await fault(demo, "wem-atomium", "camera", "unplugged", on=True)
    try:
        await expect(silent).to_be_visible(timeout=NOTICED * 1000)
        await expect(wemmel.get_by_text(words("panel.camera.still"))).to_be_visible()
        await expect(wemmel.locator(".seen")).to_contain_text(words("panel.seen.both"))
    finally:
        await fault(demo, "wem-atomium", "camera", "unplugged", on=False)
    await expect(silent).to_be_hidden(timeout=NOTICED * 1000)

    await button(redu, "panel.end").click()
    await redu.get_by_role("dialog").get_by_role("button", name=words("panel.end")).click()
    await expect(guest.get_by_text(words("join.out_ended"))).to_be_visible()
    await expect(button(redu, "panel.call")).to_be_visible()
    await expect(button(wemmel, "panel.call")).to_be_visible()


async def test_a_room_declines_and_the_caller_is_told(demo: Demo, context: BrowserContext) -> None:
    redu = await open_panel(context, demo, "red-euro-space")
    wemmel = await open_panel(context, demo, "wem-maalbeek")
    await call(redu, "Wemmel", "Maalbeek")
    await button(wemmel, "panel.decline").click()
    await expect(redu.get_by_text(words("panel.outcome.declined", room="Maalbeek"))).to_be_visible()


async def test_a_wrong_link_says_what_to_do(demo: Demo, context: BrowserContext) -> None:
    page = await context.new_page()
    await page.goto(f"{demo.server}/join/not-a-link-that-exists")
    await expect(page.get_by_text(words("message.link_unknown.what"))).to_be_visible()


async def test_the_dashboard_is_for_it_only_and_a_sign_in_link_works_once(demo: Demo, chromium: Browser) -> None:
    stranger = await chromium.new_context(locale="fr-BE")
    page = await stranger.new_page()
    answer = await page.goto(f"{demo.server}/dashboard")
    assert answer is not None and answer.status == 401
    await page.goto(demo.sign_in)
    assert page.url.endswith("/dashboard")
    await stranger.close()
    second = await chromium.new_context(locale="fr-BE")
    page = await second.new_page()
    answer = await page.goto(demo.sign_in)
    assert answer is not None and answer.status == 410
    await second.close()
