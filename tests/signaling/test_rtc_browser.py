"""Real Chromium with livekit-client through the real relay: judged by what is decoded on the receiving side."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from signaling.media import Leave
from signaling.rtc import RtcSettings
from tests.signaling.rtc.browser import Tab
from tests.signaling.rtc.world import World

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]


PATHS = [("v1", "v0"), ("v0", "v1")]  # ann's, bob's: other tests have both on one path


@pytest.mark.parametrize(("one", "other"), PATHS)
async def test_two_tabs(world: World, browser: Browser, one: str, other: str) -> None:
    ann, bob = Tab(await browser.new_page(), one), Tab(await browser.new_page(), other)
    await ann.join(world.url, world.token("ann", name="Ann"))
    await bob.join(world.url, world.token("bob"))
    await ann.run("room.localParticipant.enableCameraAndMicrophone()")
    await bob.run("room.localParticipant.setMicrophoneEnabled(true)")

    # Pictures and sound arrive, encrypted by GCM: in DTLS 1.2 (0xfefd), as Chromium names another cipher first.
    await bob.more_frames("ann")
    await bob.until("((await inbound())['ann audio'] || {}).totalAudioEnergy > 0")
    await ann.until("((await inbound())['bob audio'] || {}).totalAudioEnergy > 0")
    transport = await bob.run("transport()")
    assert (transport["srtpCipher"], transport["tlsVersion"]) == ("SRTP_AEAD_AES_256_GCM", "FEFD")
    assert (await bob.run("[...room.remoteParticipants.values()].map((p) => p.name)")) == ["Ann"]

    # The simulcast publisher gets feedback: the picture grows over 320 px.
    await bob.until("((await inbound())['ann video'] || {}).frameWidth > 320", 30)

    # Who speaks.
    await bob.until("room.activeSpeakers.some((speaker) => speaker.identity === 'ann')")

    # How the connections do. Chromium probes with padding under the number of a voice, which is no loss.
    await bob.until("[...room.remoteParticipants.values()].every((p) => p.connectionQuality === 'excellent')")
    assert await bob.run("room.localParticipant.connectionQuality") == "excellent"

    # Data both ways, signed by the server.
    await ann.run("room.localParticipant.publishData(new TextEncoder().encode('hi'), {reliable: true, topic: 't'})")
    await bob.until("data.length")
    assert await bob.run("data") == [["ann", "hi", "t"]]
    to_ann = "{reliable: false, destinationIdentities: ['ann']}"
    await bob.run(f"room.localParticipant.publishData(new TextEncoder().encode('yo'), {to_ann})")
    await ann.until("data.length")
    assert (await ann.run("data"))[0][:2] == ["bob", "yo"]

    # Mute stops frames even though the publisher goes on sending.
    camera = "room.localParticipant.getTrackPublication('camera').trackSid"
    await ann.run(f"room.engine.client.sendMuteTrack({camera}, true)")
    await bob.until("heard.includes('trackMuted')")
    await bob.until(
        "{ const count = async () => (await inbound())['ann video'].packetsReceived;"
        " const before = await count(); await new Promise((done) => setTimeout(done, 1000));"
        " return before === await count() }"
    )
    await ann.run(f"room.engine.client.sendMuteTrack({camera}, false)")
    await bob.more_frames("ann")

    # A full reconnect: new sessions, same people.
    await ann.run("void room.simulateScenario('full-reconnect')")
    await ann.until("heard.includes('reconnected')")
    await bob.more_frames("ann")

    # Ended by the meeting.
    world.server.end("demo", Leave.ENDED)
    await bob.until("heard.includes('disconnected')")
    await ann.until("heard.includes('disconnected')")
    assert world.server.participants("demo") == []


async def test_tracks_and_people_come_and_go(world: World, browser: Browser) -> None:
    """Path V1's receiving lines: more people than lines, tracks added and removed, a line used by one after another."""
    tabs = {name: Tab(await browser.new_page(), small=True) for name in ("ann", "bob", "eve", "dan", "joe")}
    for name, tab in tabs.items():
        await tab.join(world.url, world.token(name))
    for tab in tabs.values():
        await tab.run("room.localParticipant.enableCameraAndMicrophone()")
    bob, ann = tabs["bob"], tabs["ann"]
    for name in ("ann", "eve", "dan", "joe"):  # four of each kind, the first offer had three lines
        await bob.more_frames(name, 5)
        await bob.until(f"((await inbound())['{name} audio'] || {{}}).totalAudioEnergy > 0")
    assert await lines(bob) == {"video": 4, "audio": 4}
    camera = "room.localParticipant.getTrackPublication('camera')"
    for _ in range(3):
        await ann.run(f"room.localParticipant.unpublishTrack({camera}.track)")
        await bob.until("room.remoteParticipants.get('ann').getTrackPublication('camera') === undefined")
        await ann.run("room.localParticipant.setCameraEnabled(true)")
        await bob.more_frames("ann", 5)
    assert await lines(bob) == {"video": 4, "audio": 4}  # used again

    # A screen is shared beside the camera, and again.
    for _ in range(2):
        await ann.run("share()")
        await bob.until("await decoded('ann', 'screen_share') > 10 && await decoded('ann', 'camera') > 10")
        await ann.run(
            "room.localParticipant.unpublishTrack(room.localParticipant.getTrackPublication('screen_share').track)"
        )
        await bob.until("room.remoteParticipants.get('ann').getTrackPublication('screen_share') === undefined")
    assert await lines(bob) == {"video": 5, "audio": 4}

    # Subscribed and unsubscribed by hand, quickly.
    theirs = "room.remoteParticipants.get('eve').getTrackPublication('camera')"
    for wanted in ("false", "true", "false", "true"):
        await bob.run(f"{theirs}.setSubscribed({wanted})")
    await bob.until(
        "{ const before = await decoded('eve', 'camera'); await new Promise((done) => setTimeout(done, 500));"
        " const after = await decoded('eve', 'camera'); return before > 0 && after > before }"
    )

    # People leave and come.
    await tabs["joe"].run("room.disconnect()")
    await bob.until("room.remoteParticipants.size === 3")
    await tabs["joe"].join(world.url, world.token("joe"))
    await tabs["joe"].run("room.localParticipant.enableCameraAndMicrophone()")
    await bob.more_frames("joe", 5)
    for name in ("ann", "eve", "dan"):
        await bob.more_frames(name, 5)
        await tabs["joe"].more_frames(name, 5)


async def lines(tab: Tab) -> dict[str, int]:
    """How many lines of each kind its one connection has to receive on."""
    kinds = await tab.run(
        "room.engine.pcManager.publisher._pc.getTransceivers()"
        ".filter((line) => line.direction === 'recvonly').map((line) => line.receiver.track.kind)"
    )
    return {kind: kinds.count(kind) for kind in ("video", "audio")}


@pytest.mark.parametrize("path", ["v1", "v0"])
async def test_freed_sections_are_used_again(world: World, browser: Browser, path: str) -> None:
    ann, bob = [Tab(await browser.new_page(), path, small=True) for _ in range(2)]
    await ann.join(world.url, world.token("ann"))
    await bob.join(world.url, world.token("bob"))
    pc = "(room.engine.pcManager.subscriber ?? room.engine.pcManager.publisher)._pc"
    count = f"{pc}.remoteDescription.sdp.split('m=').length - 1"
    for _ in range(3):
        await ann.run("room.localParticipant.setCameraEnabled(true)")
        await bob.more_frames("ann", 5)
        await ann.run("room.localParticipant.unpublishTrack(room.localParticipant.getTrackPublication('camera').track)")
        await bob.until("[...room.remoteParticipants.values()].every((p) => p.trackPublications.size === 0)")
    assert (
        await bob.run(count) == {"v0": 2, "v1": 7}[path]
    )  # data and one section used three times; data and three each


@pytest.mark.parametrize("path", ["v1", "v0"])
@pytest.mark.parametrize("world", [RtcSettings(max_lines=16, max_sections=16)], indirect=True)
async def test_what_is_published_anew_uses_sections_again(world: World, browser: Browser, path: str) -> None:
    """livekit-client takes a new section for each track: those whose tracks ended are rejected, and it uses them again."""
    ann, bob = [Tab(await browser.new_page(), path, small=True) for _ in range(2)]
    await ann.join(world.url, world.token("ann"))
    await bob.join(world.url, world.token("bob"))
    await ann.run("room.localParticipant.setCameraEnabled(true)")
    sections = "room.engine.pcManager.publisher._pc.localDescription.sdp.split('m=').length - 1"
    counts = []
    for _ in range(6):
        await ann.run("share()")
        await bob.until("await decoded('ann', 'screen_share') > 5")
        counts.append(await ann.run(sections))
        await ann.run(
            "room.localParticipant.unpublishTrack(room.localParticipant.getTrackPublication('screen_share').track)"
        )
        await bob.until("room.remoteParticipants.get('ann').getTrackPublication('screen_share') === undefined")
    assert counts[0] == {"v0": 3, "v1": 9}[path]
    assert counts[-1] <= counts[0] + 3, counts
    await bob.more_frames("ann", 5)  # the camera goes on


@pytest.mark.parametrize("world", [RtcSettings(max_lines=7, tick=0.1)], indirect=True)
async def test_who_finds_no_line_gets_the_one_that_is_freed(world: World, browser: Browser) -> None:
    """Seven sections of path V1: three voices, three pictures, data. Bob is shown whoever is there, as others go."""
    bob = Tab(await browser.new_page(), small=True)
    await bob.join(world.url, world.token("bob"))
    names = ["ann", "eve", "dan", "joe", "kim"]
    tabs = {name: Tab(await browser.new_page(), small=True) for name in names}
    for name in names:
        await tabs[name].join(world.url, world.token(name, can_subscribe=False))
        await tabs[name].run("room.localParticipant.setCameraEnabled(true)")
    for name in names[:3]:
        await bob.more_frames(name, 5)
    await bob.until("heard.filter((name) => name === 'trackSubscriptionFailed').length >= 2")
    assert set(await bob.run("inbound()")) == {"ann video", "eve video", "dan video"}

    # Pictures that end, people who leave: each frees a line for who waits, and who comes back waits in turn.
    camera = "room.localParticipant.getTrackPublication('camera')"
    for gone, comes in (("ann", "joe"), ("eve", "kim"), ("dan", "ann"), ("joe", "eve")):
        await tabs[gone].run(f"room.localParticipant.unpublishTrack({camera}.track)")
        await bob.more_frames(comes, 5)
        await tabs[gone].run("room.localParticipant.setCameraEnabled(true)")
        await bob.until(f"room.remoteParticipants.get('{gone}').getTrackPublication('camera')")
    shown = ["kim", "ann", "eve"]
    for gone, comes in (("kim", "dan"), ("ann", "joe")):
        await tabs[gone].run("room.disconnect()")
        await bob.more_frames(comes, 5)
        await tabs[gone].join(world.url, world.token(gone, can_subscribe=False))
        await tabs[gone].run("room.localParticipant.setCameraEnabled(true)")
        shown.append(comes)
    assert set(await bob.run("inbound()")) == {f"{name} video" for name in shown[2:]}

    # A fourth voice is given a picture's line, rejected and made anew; everybody is heard, the other two are still seen.
    for name in names[:4]:
        await tabs[name].run("room.localParticipant.setMicrophoneEnabled(true)")
    for name in names[:4]:
        await bob.until(f"((await inbound())['{name} audio'] || {{}}).totalAudioEnergy > 0")
    seen = [name for name in await bob.run("inbound()") if name.endswith("video")]
    assert len(seen) == 2
    for name in seen:
        await bob.more_frames(name.split(" ")[0], 5)
    sections = "room.engine.pcManager.publisher._pc.remoteDescription.sdp.split('m=').length - 1"
    assert await bob.run(sections) == 7
    assert "disconnected" not in await bob.run("heard")


async def test_why_a_join_fails_is_shown(world: World, browser: Browser) -> None:
    tab = Tab(await browser.new_page())
    await tab.page.goto(f"{world.url}/tab")
    url = world.url.replace("http", "ws", 1)
    said = await tab.run("([u, t]) => room.connect(u, t).catch((e) => e.message)", [url, "forged"])
    assert "token_invalid" in said
