"""Loudest-N audio with three browsers: packets of the quiet one stop, and come when it speaks."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from signaling.rtc import RtcSettings
from tests.signaling.rtc.browser import Tab
from tests.signaling.rtc.world import World

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

# A microphone that sends packets all the time, with a voice in them or without.
_MICROPHONE = """async () => {
  const context = new AudioContext();
  const [voice, mouth] = [context.createOscillator(), context.createGain()];
  const out = context.createMediaStreamDestination();
  mouth.gain.value = 0;
  voice.connect(mouth).connect(out);
  voice.start();
  window.speak = (loud) => { mouth.gain.value = loud ? 0.5 : 0; };
  const options = { source: 'microphone', dtx: false, red: false };
  await room.localParticipant.publishTrack(out.stream.getAudioTracks()[0], options);
}"""


async def hears(tab: Tab, who: str, *, not_: str) -> None:
    """Wait for a second in which packets of one come, with a voice in them, and none of another."""
    await tab.until(
        "{ const before = await inbound(); await new Promise((done) => setTimeout(done, 1000));"
        " const after = await inbound();"
        " const [came, energy] = ['packetsReceived', 'totalAudioEnergy'].map((of) =>"
        " (name) => (after[name + ' audio']?.[of] ?? 0) - (before[name + ' audio']?.[of] ?? 0));"
        f" return came('{who}') > 10 && energy('{who}') > 0.001 && came('{not_}') === 0 }}"
    )


@pytest.mark.parametrize("world", [RtcSettings(loudest_audio=1)], indirect=True)
async def test_only_the_loudest_is_sent(world: World, browser: Browser) -> None:
    ann, eve, bob = [Tab(await browser.new_page()) for _ in range(3)]
    for name, tab in (("ann", ann), ("eve", eve), ("bob", bob)):
        await tab.join(world.url, world.token(name))
    for tab in (ann, eve):
        await tab.run(_MICROPHONE)
    await bob.until(
        "room.remoteParticipants.size === 2 && [...room.remoteParticipants.values()].every("
        "(who) => who.getTrackPublication('microphone')?.track)"
    )
    await ann.run("speak(true)")
    await hears(bob, "ann", not_="eve")

    await ann.run("speak(false)")
    await eve.run("speak(true)")
    await hears(bob, "eve", not_="ann")

    await eve.run("speak(false)")
    await ann.run("speak(true)")
    await hears(bob, "ann", not_="eve")
