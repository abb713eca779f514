"""What Chromium sends and shows by demand: dynacast, second codecs, last-N video, encryption end to end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from playwright.async_api import Browser

from signaling.rtc import RtcSettings
from tests.signaling.rtc.aio import subscriber
from tests.signaling.rtc.browser import Tab
from tests.signaling.rtc.world import World

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

_PUBLISH = """async (options) => {
  const camera = await LivekitClient.createLocalVideoTrack({ resolution: { width: 960, height: 540, frameRate: 15 } });
  const videoEncoding = { maxBitrate: 900_000, maxFramerate: 15 };
  await room.localParticipant.publishTrack(camera, { videoEncoding, ...options });
}"""
_QUALITY = """(quality) => {
  room.remoteParticipants.get('ann').getTrackPublication('camera').setVideoQuality(LivekitClient.VideoQuality[quality]);
}"""
_STATE = "room.remoteParticipants.get('{}').getTrackPublication('camera').track?.streamState"


async def sends(tab: Tab, layers: Iterable[str], seconds: float = 30) -> None:
    """Wait until a tab sends these layers and no other: those are not active, and of none a frame leaves any more."""
    wanted = " ".join(sorted(layers))
    await tab.until(
        "{ const before = await sent(); await new Promise((done) => setTimeout(done, 700)); const after = await sent();"
        " const on = Object.keys(after).filter((layer) => after[layer].active);"
        " const flows = Object.keys(after).filter((layer) => after[layer].frames > (before[layer]?.frames ?? 0));"
        f" return on.sort().join(' ') === '{wanted}' && flows.sort().join(' ') === '{wanted}' }}",
        seconds,
    )


@pytest.mark.parametrize("path", ["v1", "v0"])
async def test_layers_nobody_watches_are_not_sent(world: World, browser: Browser, path: str) -> None:
    ann, bob = Tab(await browser.new_page(), path), Tab(await browser.new_page(), path)
    await ann.join(world.url, world.token("ann"))
    await bob.join(world.url, world.token("bob"))
    await ann.run(_PUBLISH, {})
    await sends(ann, ["VP8 q", "VP8 h", "VP8 f"])

    await bob.run(_QUALITY, "LOW")
    await sends(ann, ["VP8 q"])
    await bob.more_frames("ann", 5)
    await bob.run(_QUALITY, "HIGH")
    await bob.until("(await inbound())['ann video'].frameWidth === 960")

    # Nobody at all: nothing leaves, and the picture is there again when somebody comes.
    await bob.run("room.remoteParticipants.get('ann').getTrackPublication('camera').setSubscribed(false)")
    await sends(ann, [])
    await bob.run("room.remoteParticipants.get('ann').getTrackPublication('camera').setSubscribed(true)")
    await bob.until("await decoded('ann', 'camera') > 5", 10)


async def test_a_second_codec_for_who_cannot_decode_the_first(world: World, browser: Browser) -> None:
    ann, bob = Tab(await browser.new_page()), Tab(await browser.new_page())
    await ann.join(world.url, world.token("ann"))
    await bob.join(world.url, world.token("bob"))
    await ann.run(_PUBLISH, {"videoCodec": "vp9", "backupCodec": {"codec": "vp8"}})
    await bob.more_frames("ann", 5)
    assert {layer.split(" ")[0] for layer in await ann.run("sent()")} == {"VP9"}

    async with subscriber(world, "aio") as aio:
        async with asyncio.timeout(20):
            await aio.more(20)
        assert "VP9/90000" not in aio.codecs
        layers = await ann.run("sent()")
        assert {layer.split(" ")[0] for layer in layers} == {"VP9", "VP8"}
        await bob.more_frames("ann", 5)
        seen = "(await inbound())['ann video']"
        assert await bob.run("room.remoteParticipants.get('ann').trackPublications.size") == 1
        assert await bob.run(f"(async () => {seen}.freezeCount)()") == 0

        # The first codec rests while nobody takes it.
        await bob.run("room.disconnect()")
        await ann.until("Object.entries(await sent()).every(([layer, of]) => !layer.startsWith('VP9') || !of.active)")
        async with asyncio.timeout(20):
            await aio.more(10)

    # And the second when its last taker left.
    await bob.join(world.url, world.token("bob"))
    await bob.more_frames("ann", 5)
    await ann.until("Object.entries(await sent()).every(([layer, of]) => !layer.startsWith('VP8') || !of.active)")


@pytest.mark.parametrize("world", [RtcSettings(last_video=1, measure=0.5)], indirect=True)
async def test_only_who_spoke_last_is_shown(world: World, browser: Browser) -> None:
    ann, eve, bob = [Tab(await browser.new_page(), small=True) for _ in range(3)]
    for name, tab in (("ann", ann), ("eve", eve), ("bob", bob)):
        await tab.join(world.url, world.token(name))
    await ann.run("room.localParticipant.setCameraEnabled(true)")
    await bob.more_frames("ann", 5)
    await eve.run("room.localParticipant.enableCameraAndMicrophone()")
    await bob.more_frames("eve", 5)
    await bob.until(f"{_STATE.format('ann')} === 'paused' && {_STATE.format('eve')} === 'active'")
    assert "trackStreamStateChanged" in await bob.run("heard")
    assert await bob.run("room.localParticipant.connectionQuality") != "poor"  # hidden is not starved


@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_encrypted_end_to_end(world: World, browser: Browser, codec: str) -> None:
    """Who has the key sees and hears; who has another one gets the packets and decodes none.

    The relay finds key frames in what it cannot read: of VP8 the first bytes are plain, of H.264 the headers of its units.
    """
    ann = Tab(await browser.new_page(), "v1", key="shared")
    bob = Tab(await browser.new_page(), "v0", key="shared")
    eve = Tab(await browser.new_page(), "v1", key="another")
    for name, tab in (("ann", ann), ("bob", bob), ("eve", eve)):
        await tab.join(world.url, world.token(name))
        await tab.run("room.setE2EEEnabled(true)")
    for tab in (ann, bob):
        await tab.run("room.localParticipant.setMicrophoneEnabled(true)")
        await tab.run(f"room.localParticipant.setCameraEnabled(true, {{}}, {{ videoCodec: '{codec}' }})")
    for tab, other in ((ann, "bob"), (bob, "ann")):
        await tab.more_frames(other)
        await tab.until(f"((await inbound())['{other} audio'] || {{}}).totalAudioEnergy > 0")
    assert await bob.run("room.remoteParticipants.get('ann').isEncrypted")
    await bob.until("((await inbound())['ann video'] || {}).frameWidth > 320", 30)  # layers change as ever
    assert {layer.split(" ")[0] for layer in await ann.run("sent()")} == {codec.upper()}
    await bob.run(_QUALITY, "LOW")
    await bob.until("(await inbound())['ann video'].frameWidth <= 320")
    await bob.more_frames("ann", 5)

    await eve.until("(await inbound())['ann video']?.packetsReceived > 100")
    stolen = await eve.run("inbound()")
    assert stolen["ann video"]["framesDecoded"] == 0
    assert not stolen["ann audio"].get("totalAudioEnergy")
