"""Documents: reliable data said without a pause, by browsers and by the Python package, arrive whole with who keeps up."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser

from relay import Relay
from tests.signaling.rtc.browser import Tab
from tests.signaling.rtc.listener import listener
from tests.signaling.rtc.world import World
from tests.signaling.test_rtc_data_stopped import backlogs, heard, reached, say
from tests.signaling.test_rtc_python_paths import person

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
SIZE, COUNT = 15_000, 300
"""Bytes of a message, and how many: 4.5 MB, as livekit-client cuts a file."""


SAY = f"""async (count) => {{
  const say = (number) => {{
    const bytes = new TextEncoder().encode(String(number).padStart({SIZE}, ' '));
    return room.localParticipant.publishData(bytes, {{ reliable: true }});
  }};
  await Promise.all(Array.from({{ length: count }}, (_, number) => say(number)));
}}"""


@pytest.mark.browser
@pytest.mark.parametrize(("one", "other"), [("v1", "v0"), ("v0", "v1")])
async def test_a_browsers_document_arrives_whole(
    relay: Relay, world: World, browser: Browser, one: str, other: str
) -> None:
    ann, bob = Tab(await browser.new_page(), one), Tab(await browser.new_page(), other)
    await ann.join(world.url, world.token("ann"))
    await bob.join(world.url, world.token("bob"))
    await ann.run(SAY, 1)
    await bob.until("data.length === 1")
    await ann.run(SAY, COUNT)
    await bob.until(f"data.length === {COUNT + 1}", 60)
    assert await bob.run("data.map(([, text]) => Number(text))") == [0, *range(COUNT)]
    assert not any((await backlogs(relay, world)).values())


async def test_a_document_arrives_whole_beside_somebody_who_is_stopped(relay: Relay, world: World) -> None:
    async with person(world, "ann") as ann, person(world, "bob") as bob, listener(world, "eve") as eve:
        await reached(ann, bob, eve)
        eve.stop()
        numbers = range(2, COUNT + 2)
        said = asyncio.gather(*(say(ann, number) for number in numbers))
        assert [await heard(bob) for _ in numbers] == list(numbers)
        await said
        lost = await backlogs(relay, world)
        assert [name for name, count in lost.items() if count] == ["eve"]
