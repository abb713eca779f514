"""Resuming: the session outlives its signal connection for a while, and what comes back is the same session."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from livekit.protocol.models import (
    ClientConfigSetting,
    DataPacket,
    ParticipantInfo,
    TrackInfo,
    TrackSource,
    TrackType,
    UserPacket,
)
from livekit.protocol.rtc import (
    AddTrackRequest,
    DataChannelReceiveState,
    LeaveRequest,
    MuteTrackRequest,
    SessionDescription,
    SignalResponse,
    SyncState,
    TrackPublishedResponse,
    UpdateSubscription,
)

from relay.messages import (
    CloseTransport,
    DataReceived,
    MuteTrack,
    RestartIce,
    SendData,
    SetRemote,
    SetSubscription,
    Subscribe,
    TransportState,
    Unsubscribe,
)
from signaling.media import Leave, MediaChanged
from signaling.rtc import RtcSettings
from tests.signaling.rtc import peers
from tests.signaling.rtc.world import Client, RecordedRelay, World, serve
from tests.signaling.test_rtc_join import Clock

SETTINGS = RtcSettings(tick=0.01, silence=1e6, connect=1e6, answer=1e6)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for the server to have done something."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def active(relay: RecordedRelay, client: Client) -> None:
    """Past the join: media is connected, the first offer answered."""
    offer = (await client.expect("offer")).offer
    await client.send(answer=SessionDescription(type="answer", sdp=peers.answer(offer.sdp), id=offer.id))
    relay.connect(f"{client.sid}/pub", f"{client.sid}/sub")
    await client.settled()


async def publish(client: Client) -> dict[str, str]:
    """Publish the recorded microphone and camera; sids by kind."""
    kinds = {"audio": (peers.AUDIO_ID, TrackType.AUDIO, TrackSource.MICROPHONE)}
    kinds["video"] = (peers.VIDEO_ID, TrackType.VIDEO, TrackSource.CAMERA)
    sids = {}
    for kind, (cid, track_type, source) in kinds.items():
        await client.send(add_track=AddTrackRequest(cid=cid, type=track_type, source=source))
        sids[kind] = (await client.expect("track_published")).track_published.track.sid
    await client.send(offer=SessionDescription(type="offer", sdp=peers.publisher(), id=1))
    await client.expect("answer")
    return sids


async def receive(client: Client) -> SessionDescription:
    """Answer the next offer."""
    offer = (await client.expect("offer")).offer
    await client.send(answer=SessionDescription(type="answer", sdp=peers.answer(offer.sdp), id=offer.id))
    await client.settled()
    return offer


def cut(client: Client) -> None:
    """The TCP connection breaks, without a close frame."""
    assert client.socket._response.connection is not None
    transport = client.socket._response.connection.transport
    assert transport is not None
    transport.abort()


def lost(world: World, sid: str) -> bool:
    """Whether the server saw the connection break."""
    return any(
        s.sid == sid and s.lost_at is not None for room in world.server.rooms.values() for s in room.sessions.values()
    )


def text(words: str, sequence: int) -> bytes:
    return DataPacket(user=UserPacket(payload=words.encode()), sequence=sequence).SerializeToString()


async def refused(world: World, sid: str, identity: str = "guest:ann", *, single: bool = False, **grants: bool) -> None:
    """A try to come back that is asked to join again."""
    async with world.back(sid, identity, single=single, **grants) as client:
        leave = (await client.receive()).leave
        assert (leave.action, leave.can_reconnect) == (LeaveRequest.RECONNECT, True)
        assert (await client.closed())[0] == 1000


@pytest.mark.parametrize("broken", [True, False], ids=["cut", "closed"])
async def test_a_session_is_resumed_and_nobody_notices(broken: bool) -> None:
    relay, changes = RecordedRelay(), list[MediaChanged]()
    async with serve(relay, settings=SETTINGS) as world, world.join() as ann, world.join("bob") as bob:
        assert ann.joined.client_configuration.resume_connection == ClientConfigSetting.ENABLED
        await active(relay, ann)
        await active(relay, bob)
        video = (await publish(ann))["video"]
        await receive(bob)
        await bob.settled()
        await asyncio.sleep(0.1)  # changes are told in bundles
        world.server.listen(changes.append)
        before = len(relay.commands)
        if broken:
            cut(ann)
        else:
            await ann.socket.close()
        await until(lambda: lost(world, ann.sid))
        assert "update" not in await bob.settled()
        async with world.back(ann.sid) as again:
            first = (await again.receive()).reconnect
            assert first.last_message_seq == 0
            assert first.client_configuration.resume_connection == ClientConfigSetting.ENABLED
            told = {p.identity: p for p in (await again.receive()).update.participants}
            assert set(told) == {"guest:ann", "bob"}
            assert [t.sid for t in told["guest:ann"].tracks if t.type == TrackType.VIDEO] == [video]
            assert (await again.receive()).room_update.room.num_participants == 2
            offer = (await again.expect("offer")).offer
            again.joined = ann.joined
            await again.send(answer=SessionDescription(type="answer", sdp=peers.answer(offer.sdp), id=offer.id))
            await again.send(sync_state=SyncState())
            await again.settled()
        assert [type(c) for c in relay.commands[before:]] == [RestartIce, SetRemote]
        assert "update" not in await bob.settled()
        assert changes == []
        assert [p.grants.identity for p in world.server.participants("demo")] == ["guest:ann", "bob"]


async def test_v1_resumes_by_its_own_offer() -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=SETTINGS) as world, world.join("bob") as bob:
        await active(relay, bob)
        sids = await publish(bob)
        async with world.single(offer=peers.SINGLE) as ann:
            await ann.expect("answer")
            relay.connect(f"{ann.sid}/pub")
            await ann.settled()
            cut(ann)
            await until(lambda: lost(world, ann.sid))
            before = len(relay.commands)
            async with world.back(ann.sid, single=True) as again:
                await again.expect("reconnect")
                kinds = await again.settled()
                assert "media_sections_requirement" not in kinds
                restarted = peers.SINGLE.replace(peers.value(peers.SINGLE, "ice-ufrag")[0], "wxyz")
                await again.send(offer=SessionDescription(type="offer", sdp=restarted, id=2))
                answer = (await again.expect("answer")).answer
                assert dict(answer.mid_to_track_id) == {"0": sids["audio"], "3": sids["video"]}
            assert [type(c) for c in relay.commands[before:]] == [RestartIce, SetRemote]
        await refused(world, ann.sid, single=False)  # not on the other path


async def test_what_was_missed_is_told() -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=SETTINGS) as world, world.join() as ann, world.join("bob") as bob:
        await active(relay, ann)
        async with world.join("eve") as eve:
            sids = await publish(ann)
            await ann.settled()
            cut(ann)
            await until(lambda: lost(world, ann.sid))
            await eve.send(leave=LeaveRequest())
            await eve.closed()
        world.server.mute("demo", "guest:ann")
        theirs = await publish(bob)
        async with world.back(ann.sid) as again:
            await again.expect("reconnect")
            update = (await again.expect("update")).update.participants
            told = {p.identity: p.state for p in update}
            assert told["eve"] == ParticipantInfo.DISCONNECTED
            assert [p.identity for p in update].index("eve") < [p.identity for p in update].index("bob")
            assert (await again.expect("mute")).mute.sid == sids["audio"]
            offer = (await again.expect("offer")).offer
            assert set(offer.mid_to_track_id.values()) == set(theirs.values())


async def test_who_does_not_come_back_is_gone() -> None:
    clock, relay = Clock(time.time()), RecordedRelay()
    async with serve(relay, settings=SETTINGS, clock=clock) as world, world.join() as ann, world.join("bob") as bob:
        await active(relay, ann)
        await bob.settled()
        cut(ann)
        await until(lambda: lost(world, ann.sid))
        clock.now += SETTINGS.resume - 1
        assert "update" not in await bob.settled()
        clock.now += 2
        update = (await bob.expect("update")).update.participants
        assert [(p.identity, p.state) for p in update] == [("guest:ann", ParticipantInfo.DISCONNECTED)]
        assert {c.transport for c in relay.of(CloseTransport)} == {f"{ann.sid}/pub", f"{ann.sid}/sub"}
        await refused(world, ann.sid)


async def test_nobody_else_resumes_a_session() -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=SETTINGS) as world, world.join() as ann:
        await active(relay, ann)
        cut(ann)
        await until(lambda: lost(world, ann.sid))
        await refused(world, ann.sid, "guest:eve")
        await refused(world, ann.sid, "guest:eve", single=True)
        await refused(world, "PA_unknown")
        await refused(world, "")
        url = f"{world.url}/rtc?access_token={world.token(media='other')}&reconnect=1&sid={ann.sid}"
        async with world.http.ws_connect(url) as socket:
            assert SignalResponse.FromString(await socket.receive_bytes()).leave.action == LeaveRequest.RECONNECT
        assert lost(world, ann.sid)  # none of them ended it
        async with world.back(ann.sid) as again:
            assert (await again.receive()).HasField("reconnect")


async def test_other_rights_join_anew() -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=SETTINGS) as world, world.join() as ann:
        await active(relay, ann)
        cut(ann)
        await until(lambda: lost(world, ann.sid))
        await refused(world, ann.sid, can_publish=False)
        assert world.server.participants("demo") == []


async def test_a_session_without_media_is_not_kept() -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=SETTINGS) as world, world.join() as ann:
        cut(ann)
        await until(lambda: world.server.participants("demo") == [])
        await refused(world, ann.sid)


async def test_failed_media_is_not_resumed() -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=SETTINGS) as world, world.join() as ann:
        await active(relay, ann)
        cut(ann)
        await until(lambda: lost(world, ann.sid))
        relay.play(TransportState(f"{ann.sid}/sub", "failed", reason="consent expired"))
        await refused(world, ann.sid)


async def test_the_older_connection_is_closed_and_no_longer_heard() -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=SETTINGS) as world, world.join() as ann:
        await active(relay, ann)
        async with world.back(ann.sid) as again:
            await again.expect("reconnect")
            await ann.send(leave=LeaveRequest())
            assert (await ann.closed())[0] == 1000
            again.joined = ann.joined
            assert "leave" not in await again.settled()
            assert len(world.server.participants("demo")) == 1


async def test_a_removed_participant_cannot_come_back() -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=SETTINGS) as world, world.join() as ann:
        await active(relay, ann)
        cut(ann)
        await until(lambda: lost(world, ann.sid))
        world.server.remove("demo", "guest:ann", Leave.REMOVED)
        await refused(world, ann.sid)


async def test_kept_sessions_and_missed_messages_are_bounded() -> None:
    relay, settings = RecordedRelay(), RtcSettings(tick=0.01, max_kept=1, max_missed=3)
    async with serve(relay, settings=settings) as world, world.join() as ann, world.join("bob") as bob:
        await active(relay, ann)
        await active(relay, bob)
        cut(ann)
        await until(lambda: lost(world, ann.sid))
        cut(bob)
        await until(lambda: len(world.server.participants("demo")) == 1)
        await refused(world, bob.sid, "bob")
        assert lost(world, ann.sid)
        room = world.server.rooms["demo"]
        for _ in range(3):
            room.effects.send([ann.sid], SignalResponse(refresh_token="t"))
            room.effects.send([ann.sid], SignalResponse(pong=1))  # not kept
        world.server.apply(room)
        assert lost(world, ann.sid)
        room.effects.send([ann.sid], SignalResponse(refresh_token="t"))
        world.server.apply(room)
        assert world.server.participants("demo") == []


async def test_resuming_counts_against_the_rate() -> None:
    relay = RecordedRelay()
    settings = RtcSettings(request_burst=60, request_rate=1e-9)
    async with serve(relay, settings=settings) as world, world.join() as ann:
        await active(relay, ann)
        for _ in range(2):
            async with world.back(ann.sid) as again:
                await again.expect("reconnect")
        await refused(world, ann.sid)
        assert world.server.participants("demo") == []


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
            relay.play(DataReceived(f"{bob.sid}/pub", "_reliable", text(f"b{sequence}", sequence)))
        relay.play(DataReceived(f"{ann.sid}/pub", "_reliable", text("a7", 7)))
        relay.play(DataReceived(f"{ann.sid}/pub", "_reliable", text("a7", 7)))  # sent again
        sent = [c.payload for c in relay.of(SendData)]
        assert [DataPacket.FromString(p).user.payload for p in sent] == [b"b1", b"b2", b"b3", b"a7"]
        cut(ann)
        await until(lambda: lost(world, ann.sid))
        relay.play(DataReceived(f"{bob.sid}/pub", "_reliable", text("b4", 4)))
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
        relay.play(DataReceived(f"{bob.sid}/pub", "_reliable", text("early", 1)))
        clock.now += 10
        cut(ann)
        await until(lambda: lost(world, ann.sid))
        relay.play(DataReceived(f"{bob.sid}/pub", "_reliable", text("late", 2)))
        before = len(relay.commands)
        async with world.back(ann.sid) as again:
            again.joined = ann.joined
            await again.send(sync_state=SyncState())
            await again.settled()
        replayed = [c for c in relay.commands[before:] if isinstance(c, SendData)]
        assert [DataPacket.FromString(c.payload).sequence for c in replayed] == [2]
