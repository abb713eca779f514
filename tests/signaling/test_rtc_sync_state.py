"""What a client that resumes says (`sync_state`), and the reliable data it missed."""

from __future__ import annotations

import time

from livekit.protocol.models import (
    DataPacket,
    TrackInfo,
)
from livekit.protocol.rtc import (
    DataChannelReceiveState,
    MuteTrackRequest,
    SyncState,
    TrackPublishedResponse,
    UpdateSubscription,
)

from relay.messages import (
    DataReceived,
    MuteTrack,
    SendData,
    SetSubscription,
    Subscribe,
    Unsubscribe,
)
from tests.signaling.rtc import peers
from tests.signaling.rtc.breaks import SETTINGS, active, cut, lost, publish, receive, text, until
from tests.signaling.rtc.world import RecordedRelay, serve
from tests.signaling.test_rtc_join import Clock

# --- sync_state -------------------------------------------------------------------------------------------------------


async def test_sync_state_brings_subscriptions_and_tracks_together() -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=SETTINGS) as world, world.join() as ann, world.join("bob") as bob:
        await active(relay, ann)
        mine = await publish(ann)
        theirs = await publish(bob)
        await receive(ann)
        assert len(relay.of(Subscribe)) == 2
        cut(ann)
        await until(lambda: lost(world, ann.sid))
        async with world.back(ann.sid) as again:
            again.joined = ann.joined
            await again.expect("reconnect")
            published = TrackPublishedResponse(cid=peers.AUDIO_ID, track=TrackInfo(sid=mine["audio"], muted=True))
            gone = TrackPublishedResponse(cid="x", track=TrackInfo(sid="TR_gone"))
            state = SyncState(
                subscription=UpdateSubscription(track_sids=[theirs["video"]], subscribe=False),
                publish_tracks=[published, gone],
                track_sids_disabled=[theirs["audio"]],
            )
            await again.send(sync_state=state)
            assert (await again.expect("track_unpublished")).track_unpublished.track_sid == "TR_gone"
            assert (await again.expect("track_published")).track_published.track.sid == mine["video"]
            await again.settled()
            assert len(relay.of(Unsubscribe)) == 1
            assert relay.of(SetSubscription)[-1].paused
            assert relay.of(MuteTrack) == [MuteTrack(mine["audio"], muted=True)]
            # Only once: it is not a second way to change subscriptions.
            await again.send(sync_state=SyncState(track_sids_disabled=[]))
            await again.settled()
            assert relay.of(SetSubscription)[-1].paused


async def test_sync_state_of_a_client_that_asks_for_each_track() -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=SETTINGS) as world, world.join(query="&auto_subscribe=0") as ann:
        await active(relay, ann)
        async with world.join("bob") as bob:
            theirs = await publish(bob)
            await ann.settled()
            cut(ann)
            await until(lambda: lost(world, ann.sid))
            async with world.back(ann.sid) as again:
                again.joined = ann.joined
                await receive(again)
                asked = UpdateSubscription(track_sids=[theirs["audio"]], subscribe=True)
                await again.send(sync_state=SyncState(subscription=asked))
                assert list((await again.expect("offer")).offer.mid_to_track_id.values()) == [theirs["audio"]]


async def test_what_the_meeting_muted_stays_muted() -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=SETTINGS) as world, world.join() as ann:
        await active(relay, ann)
        mine = await publish(ann)
        tracks = [
            TrackPublishedResponse(cid=c, track=TrackInfo(sid=mine[k])) for k, c in (("audio", "a"), ("video", "v"))
        ]
        world.server.mute("demo", "guest:ann")
        await ann.send(mute=MuteTrackRequest(sid=mine["video"], muted=True))
        await ann.settled()
        cut(ann)
        await until(lambda: lost(world, ann.sid))
        async with world.back(ann.sid) as again:
            again.joined = ann.joined
            await again.send(sync_state=SyncState(publish_tracks=tracks))
            assert (await again.expect("mute")).mute.sid == mine["audio"]
            await again.settled()
            assert relay.of(MuteTrack)[-1] == MuteTrack(mine["video"], muted=False)  # its unmute was lost on the way


# --- reliable data ------------------------------------------------------------------------------------------------------


async def test_reliable_data_is_taken_once_and_sent_again() -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=SETTINGS) as world, world.join() as ann, world.join("bob") as bob:
        await active(relay, ann)
        await active(relay, bob)
        for sequence in (1, 2, 3):
            relay.play(DataReceived(f"{bob.sid}/pub", "_reliable", text(f"b{sequence}", sequence), reliable=True))
        relay.play(DataReceived(f"{ann.sid}/pub", "_reliable", text("a7", 7), reliable=True))
        relay.play(DataReceived(f"{ann.sid}/pub", "_reliable", text("a7", 7), reliable=True))  # sent again
        sent = [c.payload for c in relay.of(SendData)]
        assert [DataPacket.FromString(p).user.payload for p in sent] == [b"b1", b"b2", b"b3", b"a7"]
        cut(ann)
        await until(lambda: lost(world, ann.sid))
        relay.play(DataReceived(f"{bob.sid}/pub", "_reliable", text("b4", 4), reliable=True))
        relay.play(DataReceived(f"{bob.sid}/pub", "_lossy", text("lossy", 0)))
        before = len(relay.commands)
        async with world.back(ann.sid) as again:
            again.joined = ann.joined
            assert (await again.expect("reconnect")).reconnect.last_message_seq == 7
            state = DataChannelReceiveState(publisher_sid=bob.sid, last_seq=2)
            await again.send(sync_state=SyncState(datachannel_receive_states=[state]))
            await again.settled()
            replayed = [c for c in relay.commands[before:] if isinstance(c, SendData)]
            assert [DataPacket.FromString(c.payload).sequence for c in replayed] == [3, 4]
            assert {(tuple(c.transports), c.label) for c in replayed} == {((f"{ann.sid}/sub",), "_reliable")}


async def test_data_of_an_unnamed_sender_is_sent_again_from_the_break_on() -> None:
    clock, relay = Clock(time.time()), RecordedRelay()
    async with serve(relay, settings=SETTINGS, clock=clock) as world, world.join() as ann, world.join("bob") as bob:
        await active(relay, ann)
        await active(relay, bob)
        relay.play(DataReceived(f"{bob.sid}/pub", "_reliable", text("early", 1), reliable=True))
        clock.now += 10
        cut(ann)
        await until(lambda: lost(world, ann.sid))
        relay.play(DataReceived(f"{bob.sid}/pub", "_reliable", text("late", 2), reliable=True))
        before = len(relay.commands)
        async with world.back(ann.sid) as again:
            again.joined = ann.joined
            await again.send(sync_state=SyncState())
            await again.settled()
        replayed = [c for c in relay.commands[before:] if isinstance(c, SendData)]
        assert [DataPacket.FromString(c.payload).sequence for c in replayed] == [2]
