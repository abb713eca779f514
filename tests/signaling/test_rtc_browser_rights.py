"""What a person in Chromium allows the others, and tells of itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.signaling.rtc.browser import Tab
from tests.signaling.rtc.world import World

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(90)]

_ALLOW = """([everyone, some]) => room.localParticipant.setTrackSubscriptionPermissions(everyone,
  some.map(([participantIdentity, sources]) => ({ participantIdentity, allowAll: sources === null, allowedTrackSids:
    (sources ?? []).map((source) => room.localParticipant.getTrackPublication(source).trackSid) })))"""
_SEEN = """() => Object.fromEntries([...room.remoteParticipants.get('ann')?.trackPublications.values() ?? []]
  .map((one) => [one.source, `${one.permissionStatus}${one.track ? ', here' : ''}`]))"""
_TOLD = """(() => {
  const { name, metadata, attributes } = room.remoteParticipants.get('ann');
  return [name, metadata, Object.fromEntries(Object.entries(attributes).sort())];
})()"""


async def sees(tab: Tab, camera: str, microphone: str) -> None:
    """Wait until this is what a tab knows of ann's tracks."""
    wanted = f"seen.camera === '{camera}' && seen.microphone === '{microphone}'"
    await tab.until(f"{{ const seen = ({_SEEN})(); return {wanted} }}")


@pytest.mark.parametrize("path", ["v1", "v0"])
async def test_who_may_not_subscribe_gets_nothing_until_it_may(world: World, browser: Browser, path: str) -> None:
    ann, bob, eve = [Tab(await browser.new_page(), path, small=True) for _ in range(3)]
    for name, tab in (("ann", ann), ("bob", bob)):
        await tab.join(world.url, world.token(name))
    await ann.run(_ALLOW, [False, [["bob", None]]])
    await ann.run("room.localParticipant.enableCameraAndMicrophone()")
    await eve.join(world.url, world.token("eve"))
    await bob.more_frames("ann", 5)
    await sees(bob, "allowed, here", "allowed, here")
    await sees(eve, "not_allowed", "not_allowed")
    assert await eve.run("inbound()") == {}

    # One track, then everything; and nothing any more for who had it.
    await ann.run(_ALLOW, [False, [["eve", ["camera"]]]])
    await eve.more_frames("ann", 5)
    await sees(eve, "allowed, here", "not_allowed")
    await sees(bob, "not_allowed", "not_allowed")
    assert "trackSubscriptionPermissionChanged" in await bob.run("heard")
    assert await bob.run("inbound()") == {}
    await ann.run(_ALLOW, [True, []])
    for tab in (bob, eve):
        await sees(tab, "allowed, here", "allowed, here")
        await tab.more_frames("ann", 5)
        await tab.until("((await inbound())['ann audio'] || {}).totalAudioEnergy > 0")


async def test_what_a_person_tells_of_itself(world: World, browser: Browser) -> None:
    ann, bob = Tab(await browser.new_page(), "v1"), Tab(await browser.new_page(), "v0")
    await ann.join(world.url, world.token("ann", name="Ann", can_update_own_metadata=True))
    await bob.join(world.url, world.token("bob"))

    async def told(expected: list[Any]) -> None:
        as_text = json.dumps(json.dumps(expected, ensure_ascii=False, separators=(",", ":")))
        await bob.until(f"JSON.stringify({_TOLD}) === {as_text}")

    await ann.run("room.localParticipant.setAttributes({ mood: 'fine', hand: 'up' })")
    await told(["Ann", "", {"hand": "up", "mood": "fine"}])
    await ann.run("room.localParticipant.setAttributes({ hand: '' })")
    await ann.run("room.localParticipant.setName('Anna')")
    await ann.run("room.localParticipant.setMetadata('from Liège')")
    await told(["Anna", "from Liège", {"mood": "fine"}])
    events = await bob.run("heard")
    assert {"participantAttributesChanged", "participantNameChanged", "participantMetadataChanged"} <= set(events)

    # Who comes later knows it too; who may not is refused, and so is what the token alone says.
    eve = Tab(await browser.new_page())
    await eve.join(world.url, world.token("eve"))
    assert await eve.run(_TOLD) == ["Anna", "from Liège", {"mood": "fine"}]
    refused = "room.localParticipant.setAttributes({{ {}: 'x' }}).then(() => 'done', (error) => error.message)"
    assert "forbidden" in await bob.run(refused.format("mood"))
    assert "forbidden" in await ann.run(refused.format("room"))
