"""Resuming: the session outlives its signal connection for a while, and what comes back is the same session."""

from __future__ import annotations

import asyncio
import time

import pytest
from livekit.protocol.models import (
    ClientConfigSetting,
    ParticipantInfo,
    TrackType,
)
from livekit.protocol.rtc import (
    LeaveRequest,
    SessionDescription,
    SignalResponse,
    SyncState,
)

from relay.messages import (
    CloseTransport,
    RestartIce,
    SetRemote,
    TransportState,
)
from signaling.media import Leave, MediaChanged
from signaling.rtc import RtcSettings
from tests.signaling.rtc import peers
from tests.signaling.rtc.breaks import SETTINGS, active, cut, cut_off, lost, publish, receive, refused, until
from tests.signaling.rtc.world import RecordedRelay, serve
from tests.signaling.test_rtc_join import Clock


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
    async with cut_off() as (_, world, ann):
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
    async with cut_off() as (_, world, ann):
        await refused(world, ann.sid, can_publish=False)
        assert world.server.participants("demo") == []


async def test_a_session_without_media_is_not_kept() -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=SETTINGS) as world, world.join() as ann:
        cut(ann)
        await until(lambda: world.server.participants("demo") == [])
        await refused(world, ann.sid)


async def test_failed_media_is_not_resumed() -> None:
    async with cut_off() as (relay, world, ann):
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
    async with cut_off() as (_, world, ann):
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
