"""Streams of several layers, and redundant audio: one Chromium, the real relay, another Chromium that decodes."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.signaling.rtc.browser import Tab
from tests.signaling.rtc.world import World

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(150)]

# What is published is small, for the machine encodes and decodes in software; but Chromium makes no layer under 240 px.
_PUBLISH = """async ([codec, mode]) => {
  const camera = await LivekitClient.createLocalVideoTrack({ resolution: { width: 960, height: 540, frameRate: 15 } });
  const videoEncoding = { maxBitrate: 900_000, maxFramerate: 15 };
  const options = { videoCodec: codec, scalabilityMode: mode, backupCodec: false, videoEncoding };
  await room.localParticipant.publishTrack(camera, options);
}"""
_SIMULCAST = """async ([codec, mode]) => {
  const camera = await LivekitClient.createLocalVideoTrack({ resolution: { width: 960, height: 540, frameRate: 15 } });
  const layer = (width, height, bitrate) => new LivekitClient.VideoPreset(width, height, bitrate, 15);
  const videoSimulcastLayers = [layer(320, 180, 120_000), layer(640, 360, 300_000)];
  const videoEncoding = { maxBitrate: 700_000, maxFramerate: 15 };
  const how = { videoCodec: codec, scalabilityMode: mode, simulcast: true, backupCodec: false };
  await room.localParticipant.publishTrack(camera, { ...how, videoEncoding, videoSimulcastLayers });
}"""
_QUALITY = """(quality) => {
  const [publication] = [...room.remoteParticipants.values()][0].videoTrackPublications.values();
  publication.setVideoQuality(LivekitClient.VideoQuality[quality]);
}"""
_RATE = """(rate) => {
  const [publication] = [...room.remoteParticipants.values()][0].videoTrackPublications.values();
  publication.setVideoFPS(rate);
}"""
_SLOW = """() => {
  const apply = RTCPeerConnection.prototype.setRemoteDescription;
  const answered = new Promise((done) => { window.answer = done; });
  RTCPeerConnection.prototype.setRemoteDescription = async function (...given) {
    await answered;
    return apply.apply(this, given);
  };
}"""
_SILENCE = """async () => {   // a voice that says nothing until `speak`
  const context = new AudioContext();
  const [voice, mouth] = [context.createOscillator(), context.createGain()];
  const out = context.createMediaStreamDestination();
  mouth.gain.value = 0;
  voice.connect(mouth).connect(out);
  voice.start();
  window.speak = () => { mouth.gain.value = 0.5; };
  const options = { source: 'microphone', dtx: true, red: false };
  await room.localParticipant.publishTrack(out.stream.getAudioTracks()[0], options);
}"""
_ENCODED = """(async () => {
  const [publication] = room.localParticipant.videoTrackPublications.values();
  const report = await publication?.track?.getRTCStatsReport();
  const sent = [...(report?.values() ?? [])].find((stats) => stats.type === 'outbound-rtp');
  return sent?.frameWidth === 960 ? sent.framesEncoded : 0;
})()"""
_COUNTED = """(async () => {
  const [publication] = room.localParticipant.videoTrackPublications.values();
  const report = await publication.track.getRTCStatsReport();
  return [...report.values()].find((stats) => stats.type === 'outbound-rtp').framesEncoded;
})()"""
_SENT = """async () => {
  const [publication] = room.localParticipant.videoTrackPublications.values();
  const report = [...(await publication.track.getRTCStatsReport()).values()];
  const sent = report.find((stats) => stats.type === 'outbound-rtp');
  return [report.find((stats) => stats.id === sent.codecId).mimeType, sent.scalabilityMode];
}"""


async def width(tab: Tab, pixels: int, seconds: float = 30) -> None:
    """Wait for a decoded picture of this width."""
    await tab.until(f"((await inbound())['ann video'] || {{}}).frameWidth === {pixels}", seconds)


@pytest.mark.parametrize(("codec", "mode"), [("vp9", "L3T3_KEY"), ("vp9", "L3T3"), ("av1", "L3T3_KEY")])
async def test_spatial_layers(world: World, browser: Browser, codec: str, mode: str) -> None:
    ann, bob = Tab(await browser.new_page()), Tab(await browser.new_page())
    await ann.join(world.url, world.token("ann"))
    await bob.join(world.url, world.token("bob"))
    await ann.run(_PUBLISH, [codec, mode])
    await width(bob, 960)
    assert await ann.run(_SENT) == [f"video/{codec.upper()}", mode]

    # The lowest quality is a smaller picture, and the highest is there again when wanted.
    await bob.run(_QUALITY, "LOW")
    await width(bob, 240)
    await bob.more_frames("ann")
    await bob.run(_QUALITY, "MEDIUM")
    await width(bob, 480)
    await bob.run(_QUALITY, "HIGH")
    await width(bob, 960)
    await bob.more_frames("ann")
    seen = (await bob.run("inbound()"))["ann video"]
    assert seen["freezeCount"] == 0, seen

    # Who comes later begins with a picture too.
    eve = Tab(await browser.new_page())
    await eve.join(world.url, world.token("eve"))
    await width(eve, 960)


@pytest.mark.parametrize("codec", ["vp9", "av1"])
async def test_who_was_not_ready_for_the_first_key_frames(world: World, browser: Browser, codec: str) -> None:
    ann, bob = Tab(await browser.new_page()), Tab(await browser.new_page())
    await ann.join(world.url, world.token("ann"))
    await bob.join(world.url, world.token("bob"))
    await bob.run(_SLOW)
    await ann.run(_PUBLISH, [codec, "L3T3_KEY"])
    # All layers are sent for a while, and nothing asks for a key frame any more.
    begun = await ann.until(f"await {_ENCODED}", 30)
    await ann.until(f"await {_ENCODED} > {begun + 60}", 30)
    await bob.run("answer()")
    await width(bob, 960, 10)


@pytest.mark.parametrize(("codec", "mode"), [("vp9", "L1T1"), ("vp9", "L1T3"), ("av1", "L1T3")])
async def test_simulcast_of_codecs_that_have_layers(world: World, browser: Browser, codec: str, mode: str) -> None:
    ann, bob = Tab(await browser.new_page()), Tab(await browser.new_page())
    await ann.join(world.url, world.token("ann"))
    await bob.join(world.url, world.token("bob"))
    await ann.run(_SIMULCAST, [codec, mode])
    await width(bob, 960)
    assert await ann.run(_SENT) == [f"video/{codec.upper()}", mode]
    assert set(await ann.run("sent()")) == {f"{codec.upper()} {rid}" for rid in "qhf"}
    for quality, pixels in (("LOW", 320), ("MEDIUM", 640), ("HIGH", 960)):
        await bob.run(_QUALITY, quality)
        await width(bob, pixels)
        await bob.more_frames("ann")


@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_layers_are_switched_without_a_freeze(world: World, browser: Browser, codec: str) -> None:
    ann, bob = Tab(await browser.new_page()), Tab(await browser.new_page())
    await ann.join(world.url, world.token("ann"))
    await bob.join(world.url, world.token("bob"))
    await ann.run(_SIMULCAST, [codec, None])
    await width(bob, 960)
    assert (await ann.run(_SENT))[0] == f"video/{codec.upper()}"
    for quality, pixels in (("LOW", 320), ("MEDIUM", 640), ("HIGH", 960), ("LOW", 320), ("HIGH", 960)):
        await bob.run(_QUALITY, quality)
        await width(bob, pixels)
        await bob.more_frames("ann")
    seen = (await bob.run("inbound()"))["ann video"]
    assert seen["freezeCount"] == 0, seen


@pytest.mark.parametrize("codec", ["vp9", "av1"])
async def test_temporal_layers(world: World, browser: Browser, codec: str) -> None:
    """A wish for 15 or 7 of a camera's usual 30 frames a second leaves out one layer, or two."""
    ann, bob = Tab(await browser.new_page()), Tab(await browser.new_page())
    await ann.join(world.url, world.token("ann"))
    await bob.join(world.url, world.token("bob"))
    await ann.run(_PUBLISH, [codec, "L3T3_KEY"])
    await width(bob, 960)
    assert await ann.run(_SENT) == [f"video/{codec.upper()}", "L3T3_KEY"]
    whole = await decoded(ann, bob)
    assert whole > 0.25, "all pictures, of which Chromium may count three layers one by one"
    for rate, least, most in ((15, 0.35, 0.65), (30, 0.85, 1.15)):
        await bob.run(_RATE, rate)
        await settles(ann, bob, least * whole, most * whole)
    seen = (await bob.run("inbound()"))["ann video"]
    assert seen["totalFreezesDuration"] < 1.5, seen  # of half a minute; what a busy machine's encoder leaves out counts
    await bob.run(_RATE, 7)
    await settles(ann, bob, 0.15 * whole, 0.35 * whole)


async def decoded(ann: Tab, bob: Tab) -> float:
    """Which part of what ann encodes meanwhile bob decodes."""
    encoded, before = await ann.run(_COUNTED), await bob.frames("ann")
    now = await ann.until(f"{{ const now = await {_COUNTED}; return now >= {encoded + 90} && now }}", 30)
    return float((await bob.frames("ann") - before) / (now - encoded))


async def settles(ann: Tab, bob: Tab, least: float, most: float) -> None:
    """Wait until it is such a part."""
    parts: list[float] = []
    while not parts or not least <= parts[-1] <= most:
        assert len(parts) < 8, f"not {least} to {most} of what is encoded is decoded: {parts}"
        parts.append(await decoded(ann, bob))


async def test_redundant_audio(world: World, browser: Browser) -> None:
    ann, bob = Tab(await browser.new_page()), Tab(await browser.new_page())
    await ann.join(world.url, world.token("ann"))
    await bob.join(world.url, world.token("bob"))
    await ann.run("room.localParticipant.setMicrophoneEnabled(true, {}, { red: true })")
    # Statistics name the codec inside; nothing was lost, so what came redundantly is there already and is discarded.
    await bob.until("((await inbound())['ann audio'] || {}).totalAudioEnergy > 0")
    await bob.until("(await inbound())['ann audio'].packetsDiscarded > 100")

    # Who does not want redundancy publishes plain Opus, which flows as well.
    await bob.run("room.localParticipant.setMicrophoneEnabled(true, {}, { red: false })")
    await ann.until("((await inbound())['bob audio'] || {}).totalAudioEnergy > 0")
    await ann.until("(await inbound())['bob audio'].packetsReceived > 150")
    assert (await ann.run("inbound()"))["bob audio"]["packetsDiscarded"] < 50
    assert not (await ann.run("inbound()"))["bob audio"].get("fecPacketsReceived")


async def test_silence_costs_few_packets(world: World, browser: Browser) -> None:
    """Discontinuous transmission of Opus: a packet now and then while nobody speaks (RFC 7587, section 3.1.3)."""
    ann, bob = Tab(await browser.new_page()), Tab(await browser.new_page())
    await ann.join(world.url, world.token("ann"))
    await bob.join(world.url, world.token("bob"))
    await ann.run(_SILENCE)
    await bob.until("((await inbound())['ann audio'] || {}).packetsReceived > 5")
    before = (await bob.run("inbound()"))["ann audio"]
    later = await bob.until(
        f"(await inbound())['ann audio'].timestamp > {before['timestamp'] + 3000} && (await inbound())['ann audio']"
    )
    packets = later["packetsReceived"] - before["packetsReceived"]
    assert 0 < packets < 75, "speech is 150 in three seconds"

    # The first word is heard.
    await ann.run("speak()")
    await bob.until(f"(await inbound())['ann audio'].totalAudioEnergy > {later['totalAudioEnergy'] + 0.01}", 5)
    after = (await bob.run("inbound()"))["ann audio"]
    assert after["packetsLost"] == 0, after
