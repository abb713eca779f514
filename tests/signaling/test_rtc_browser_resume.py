"""A signal connection is cut under real Chromium: media flows on, and the session is resumed; both paths."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser

from relay import Relay, RelayConfig
from signaling.media import MediaChanged
from tests.signaling.rtc.browser import Tab, chromium, routes
from tests.signaling.rtc.wire import Wire, wire
from tests.signaling.rtc.world import World, serve

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]
REBUILT = ("reconnecting", "disconnected", "participantDisconnected", "trackUnsubscribed", "trackUnpublished")


@dataclass
class Scene:
    """A server, the wire to it that tests cut, and a browser."""

    world: World
    wire: Wire
    browser: Browser

    async def tab(self, identity: str, path: str, *, over_wire: bool = False) -> Tab:
        """A tab that joined and sends picture and sound; its `heard` is empty."""
        tab = Tab(await self.browser.new_page(), path, small=True)
        await tab.join(self.wire.url if over_wire else self.world.url, self.world.token(identity))
        await tab.run("room.localParticipant.enableCameraAndMicrophone()")
        return tab

    @property
    def sessions(self) -> list[str]:
        return list(self.world.server.rooms["demo"].sessions)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    relay = Relay.start(RelayConfig(bind=["127.0.0.1:0"]))
    async with serve(relay, routes=routes()) as world, wire(world.url) as between, chromium() as browser:
        yield Scene(world, between, browser)
    relay.close()


async def energy(tab: Tab, identity: str) -> float:
    """Sound heard so far of a participant."""
    return float((await tab.run("inbound()")).get(f"{identity} audio", {}).get("totalAudioEnergy", 0))


async def freezes(tab: Tab, identity: str) -> int:
    """How often its picture froze so far."""
    return int((await tab.run("inbound()")).get(f"{identity} video", {}).get("freezeCount", 0))


async def flows(tab: Tab, identity: str) -> None:
    """Wait for more frames and more sound than now."""
    before = await energy(tab, identity)
    await tab.more_frames(identity)
    await tab.until(f"((await inbound())['{identity} audio'] || {{}}).totalAudioEnergy > {before}")


async def settled(ann: Tab, bob: Tab) -> None:
    """Both see and hear each other."""
    for tab, other in ((ann, "bob"), (bob, "ann")):
        await flows(tab, other)
        await tab.run("heard.length = 0")


@pytest.mark.parametrize("path", ["v1", "v0"])
async def test_a_cut_signal_connection_is_resumed(scene: Scene, path: str) -> None:
    ann, bob = await scene.tab("ann", path), await scene.tab("bob", path, over_wire=True)
    await settled(ann, bob)
    sessions, changes = scene.sessions, list[MediaChanged]()
    froze = await freezes(bob, "ann"), await freezes(ann, "bob")
    scene.world.server.listen(changes.append)

    # Pictures and sound flow while there is no signal connection: it comes back only after that was seen.
    scene.wire.cut(down=True)
    await bob.until("heard.includes('signalReconnecting')")
    for tab, other in ((ann, "bob"), (bob, "ann")):
        await flows(tab, other)
    assert "reconnected" not in await bob.run("heard")
    scene.wire.mend()
    await bob.until("heard.includes('reconnected')")
    for tab, other in ((ann, "bob"), (bob, "ann")):
        await flows(tab, other)
    assert (await freezes(bob, "ann"), await freezes(ann, "bob")) == froze

    # The same sessions, nothing rebuilt, and nobody noticed.
    assert scene.sessions == sessions
    assert not set(await bob.run("heard")) & set(REBUILT)
    assert not set(await ann.run("heard")) & {"participantConnected", "trackSubscribed", *REBUILT}
    assert [change.left for change in changes if change.left] == []

    # And it works on.
    await bob.run("room.localParticipant.publishData(new TextEncoder().encode('back'), {reliable: true})")
    await ann.until("data.length")
    await bob.run("room.localParticipant.setCameraEnabled(false)")
    await ann.until("heard.includes('trackMuted')")
    await bob.run("room.localParticipant.setCameraEnabled(true)")
    await bob.run("share()")
    await ann.until("await decoded('bob', 'screen_share') > 10 && await decoded('bob', 'camera') > 10")


async def test_what_happens_meanwhile_is_known_afterwards(scene: Scene) -> None:
    """While bob (path V1) and joe (V0) have no signal connection people come and go, a microphone is muted, data is sent."""
    ann, eve = await scene.tab("ann", "v1"), await scene.tab("eve", "v0")
    bob, joe = await scene.tab("bob", "v1", over_wire=True), await scene.tab("joe", "v0", over_wire=True)
    await settled(ann, bob)
    scene.wire.cut(down=True)
    for tab in (bob, joe):
        await flows(tab, "eve")
        await tab.until("heard.includes('signalReconnecting')")
    await eve.run("room.disconnect()")
    dan = await scene.tab("dan", "v1")
    await ann.run("room.localParticipant.publishData(new TextEncoder().encode('hello'), {reliable: true})")
    await ann.run("room.localParticipant.setMicrophoneEnabled(false)")
    for tab, name in ((bob, "bob"), (joe, "joe")):
        await dan.more_frames(name)
        await tab.more_frames("ann")
        assert {"ann", "eve"} < set(await tab.run("[...room.remoteParticipants.keys()]"))
    scene.wire.mend()
    for tab, other in ((bob, "joe"), (joe, "bob")):
        await tab.until("heard.includes('reconnected')")
        assert set(await tab.run("[...room.remoteParticipants.keys()]")) == {"ann", "dan", other}
        await tab.until("room.remoteParticipants.get('ann').getTrackPublication('microphone').isMuted")
        await flows(tab, "dan")
        await tab.more_frames("ann")
        assert await tab.run("data") == [["ann", "hello", None]]
        assert "reconnecting" not in await tab.run("heard")


async def test_a_session_that_is_gone_is_joined_anew(scene: Scene) -> None:
    ann, bob = await scene.tab("ann", "v1"), await scene.tab("bob", "v1", over_wire=True)
    await settled(ann, bob)
    scene.wire.cut(down=True)
    await bob.until("heard.includes('signalReconnecting')")
    room = scene.world.server.rooms["demo"]
    (lost,) = [session for session in room.sessions.values() if session.lost_at is not None]
    lost.lost_at = 0.0  # long ago
    await ann.until("heard.includes('participantDisconnected')")
    scene.wire.mend()
    await bob.until("heard.includes('reconnected')", 30)
    assert "reconnecting" in await bob.run("heard")
    await flows(bob, "ann")
    await flows(ann, "bob")
