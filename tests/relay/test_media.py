"""Sound and picture from one client to others, judged where they are decoded."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest
from aiortc import RTCRtpReceiver
from aiortc.codecs.vpx import DEFAULT_BITRATE, Vp8Encoder

from relay import Relay
from relay.messages import (
    LayerChanged,
    LayersWanted,
    MuteTrack,
    SetRoom,
    SetSubscription,
    Stats,
    SubscriptionPaused,
    TrackLive,
    TransportState,
    Unsubscribe,
)
from tests.relay.media import loudness, pictures, publish, subscribe
from tests.relay.peer import Events, Peer


@pytest.fixture
async def publisher(relay: Relay, events: Events) -> AsyncIterator[Peer]:
    """A client that publishes `sound` and `picture`."""
    peer = Peer("publisher", "room")
    await peer.connect(relay)
    senders = [await publish(peer, relay, "audio", "sound"), await publish(peer, relay, "video", "picture")]
    yield peer
    for sender in senders:
        await sender.stop()
    await peer.close()


@pytest.fixture
async def viewer(relay: Relay, events: Events) -> AsyncIterator[Peer]:
    """A connected client that publishes nothing."""
    peer = Peer("viewer", "room")
    await peer.connect(relay)
    yield peer
    await peer.close()


async def packets(relay: Relay, subscription: str) -> int:
    """Packets forwarded for a subscription so far."""
    stats = await relay.stats("room")
    [one] = [each for each in stats.subscriptions if each.subscription == subscription]
    return one.packets


async def settled(relay: Relay, subscription: str) -> int:
    """The number of packets once it has stopped growing; raises TimeoutError where it does not."""
    async with asyncio.timeout(5):
        last = -1
        while (now := await packets(relay, subscription)) != last:
            last = now
            await asyncio.sleep(0.3)
        return now


async def grown(relay: Relay, subscription: str, beyond: int) -> None:
    """Wait until more packets were forwarded."""
    async with asyncio.timeout(5):
        while await packets(relay, subscription) <= beyond:
            await asyncio.sleep(0.05)


async def test_sound_and_picture_arrive(relay: Relay, events: Events, publisher: Peer, viewer: Peer) -> None:
    sound = await subscribe(viewer, relay, "audio", "sound")
    picture = await subscribe(viewer, relay, "video", "picture")
    async with asyncio.timeout(15):
        await events.wait_for(TrackLive, track="sound", live=True)
        await events.wait_for(TrackLive, track="picture", live=True)
        await events.wait_for(LayerChanged, subscription="viewer<picture", layer=0)
        assert await loudness(sound, 50) > 0.05
        frames = await pictures(picture, 20)
    first, last = frames[0].to_ndarray(format="gray"), frames[-1].to_ndarray(format="gray")
    assert np.abs(first.astype(int) - last.astype(int)).max() > 60, "the picture moves"
    await sound.stop()
    await picture.stop()


async def test_a_late_viewer_gets_a_key_frame(relay: Relay, events: Events, publisher: Peer, viewer: Peer) -> None:
    await events.wait_for(TrackLive, track="picture", live=True)
    await asyncio.sleep(1)  # the publisher's own first key frame is long gone
    picture = await subscribe(viewer, relay, "video", "picture")
    async with asyncio.timeout(5):
        assert await pictures(picture, 5)
    [track] = [track for track in (await relay.stats("room")).tracks if track.track == "picture"]
    [layer] = track.layers
    assert layer.plis_sent >= 1
    assert layer.key_frames >= 2
    await picture.stop()


async def test_mute_forwards_nothing_at_all(relay: Relay, events: Events, publisher: Peer, viewer: Peer) -> None:
    sound = await subscribe(viewer, relay, "audio", "sound")
    await grown(relay, "viewer<sound", 20)
    relay.submit(MuteTrack(track="sound", muted=True))
    quiet = await settled(relay, "viewer<sound")
    assert next(track.muted for track in (await relay.stats("room")).tracks if track.track == "sound")
    relay.submit(MuteTrack(track="sound", muted=False))
    await grown(relay, "viewer<sound", quiet + 20)
    await sound.stop()


async def test_a_paused_subscription_costs_nothing_and_comes_back(
    relay: Relay, events: Events, publisher: Peer, viewer: Peer
) -> None:
    picture = await subscribe(viewer, relay, "video", "picture")
    async with asyncio.timeout(10):
        await pictures(picture, 5)
    relay.submit(SetSubscription(subscription="viewer<picture", paused=True))
    paused = await settled(relay, "viewer<picture")
    relay.submit(SetSubscription(subscription="viewer<picture", paused=False))
    await grown(relay, "viewer<picture", paused + 10)
    relay.submit(Unsubscribe(subscription="viewer<picture"))
    assert (await relay.stats("room")).subscriptions == []
    await picture.stop()


async def test_a_room_of_no_cameras_shows_what_is_pinned(
    relay: Relay, events: Events, publisher: Peer, viewer: Peer
) -> None:
    picture = await subscribe(viewer, relay, "video", "picture")
    async with asyncio.timeout(10):
        await pictures(picture, 5)
    relay.submit(SetRoom(room="room", last_video=0))
    await events.wait_for(SubscriptionPaused, subscription="viewer<picture", paused=True, reason="last_n")
    hidden = await settled(relay, "viewer<picture")
    await events.wait_for(LayersWanted, track="picture", layers=[False])
    relay.submit(SetSubscription(subscription="viewer<picture", priority=1))
    await events.wait_for(SubscriptionPaused, subscription="viewer<picture", paused=False, reason=None)
    await events.wait_for(LayersWanted, track="picture", layers=[True])
    await grown(relay, "viewer<picture", hidden + 10)
    await picture.stop()


async def test_statistics_of_a_call(relay: Relay, events: Events, publisher: Peer, viewer: Peer) -> None:
    sound = await subscribe(viewer, relay, "audio", "sound")
    await grown(relay, "viewer<sound", 100)
    stats = await relay.stats()
    track = next(track for track in stats.tracks if track.track == "sound")
    assert (track.transport, track.kind, track.muted) == ("publisher", "audio", False)
    assert track.layers[0].live
    assert track.layers[0].packets >= 100
    assert track.layers[0].bitrate > 5_000
    transports = {transport.transport: transport for transport in stats.transports}
    assert transports["viewer"].packets_sent > 100
    assert transports["publisher"].bytes_received > 10_000
    assert not {"authentication", "no_keys"} & transports["publisher"].dropped.keys()
    await sound.stop()


def clients(relay: Relay, playing: threading.Event, checked: threading.Event, heard: list[float]) -> None:
    """A publisher and a viewer on a loop of their own, in their own thread."""

    async def play() -> None:
        publisher, viewer = Peer("publisher", "room"), Peer("viewer", "room")
        await publisher.connect(relay)
        await viewer.connect(relay)
        sender = await publish(publisher, relay, "audio", "sound")
        receiver: RTCRtpReceiver = await subscribe(viewer, relay, "audio", "sound")
        async with asyncio.timeout(15):
            await loudness(receiver, 10)
            playing.set()
            while not checked.is_set():
                heard.append(await loudness(receiver, 5))
        await receiver.stop()
        await sender.stop()
        await viewer.close()
        await publisher.close()

    asyncio.run(play())


async def test_a_loop_blocked_for_three_seconds_stops_no_packet(relay: Relay, events: Events) -> None:
    playing, checked = threading.Event(), threading.Event()
    heard: list[float] = []
    thread = threading.Thread(target=clients, args=(relay, playing, checked, heard))
    thread.start()
    try:
        assert await asyncio.to_thread(playing.wait, 15)
        before = len(heard)
        time.sleep(3)  # noqa: ASYNC251 - the very thing under test
        during = heard[before:]
    finally:
        checked.set()
        await asyncio.to_thread(thread.join)
    assert len(during) >= 20, "3 s of sound are 30 times 100 ms"
    assert min(during) > 0.05
    assert isinstance(await relay.stats(), Stats)
    assert [event.transport for event in events.of(TransportState) if event.phase == "connected"] == [
        "publisher",
        "viewer",
    ]


async def test_who_has_no_transport_wide_feedback_is_told_what_it_may_send(
    relay: Relay, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Aiortc's encoder follows REMB. Nothing is lost here: more than the 0.5 Mbit/s with which it begins is allowed."""
    told = asyncio.Event()
    target: property = vars(Vp8Encoder)["target_bitrate"]

    def followed(encoder: Vp8Encoder, bitrate: int) -> None:
        target.__set__(encoder, bitrate)
        if encoder.target_bitrate > DEFAULT_BITRATE:
            told.set()

    monkeypatch.setattr(Vp8Encoder, "target_bitrate", target.setter(followed))
    peer = Peer("publisher", "room")
    await peer.connect(relay)
    sender = await publish(peer, relay, "video", "picture")
    async with asyncio.timeout(20):
        await told.wait()
    await sender.stop()
    await peer.close()
