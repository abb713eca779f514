"""What the server API does to sessions of path V1, with one connection."""

from __future__ import annotations

from livekit import api
from livekit.protocol.models import ParticipantPermission, SubscriptionError, TrackSource, TrackType
from livekit.protocol.rtc import (
    AddTrackRequest,
    SessionDescription,
    SyncState,
    TrackPublishedResponse,
    UpdateSubscription,
)

from relay.messages import MuteTrack, RemoveTrack, Subscribe, Unsubscribe
from tests.signaling.rtc import peers
from tests.signaling.rtc.world import Client, RecordedRelay
from tests.signaling.test_server_api import service


def sending() -> str:
    """A client's offer that sends a microphone and receives on one video line."""
    session, *media = peers.sections(peers.publisher(video="recvonly"))
    return session + "".join(media)


async def joined(client: Client) -> str:
    """Publish a microphone on the one connection; its sid."""
    asked = AddTrackRequest(cid=peers.AUDIO_ID, type=TrackType.AUDIO, source=TrackSource.MICROPHONE)
    await client.send(add_track=asked)
    sid = (await client.expect("track_published")).track_published.track.sid
    await client.send(offer=SessionDescription(type="offer", sdp=sending(), id=2))
    await client.expect("answer")
    return sid


async def camera(client: Client) -> str:
    """Publish a camera on path V0; its sid."""
    asked = AddTrackRequest(cid=peers.VIDEO_ID, type=TrackType.VIDEO, source=TrackSource.CAMERA)
    await client.send(add_track=asked)
    sid = (await client.expect("track_published")).track_published.track.sid
    await client.send(offer=SessionDescription(type="offer", sdp=peers.publisher(audio="recvonly"), id=1))
    await client.expect("answer")
    return sid


def permit(*, subscribe: bool, sources: tuple[TrackSource, ...] = ()) -> api.UpdateParticipantRequest:
    """What ann may do from now on."""
    permission = ParticipantPermission(can_subscribe=subscribe, can_publish=True, can_publish_sources=sources)
    return api.UpdateParticipantRequest(room="demo", identity="ann", permission=permission)


async def test_muted_from_afar_and_muted_still_after_it_resumed() -> None:
    relay = RecordedRelay()
    async with service(relay) as (world, client), world.single("ann", sending()) as ann:
        sid = await joined(ann)
        relay.connect(f"{ann.sid}/pub")
        await client.room.mute_published_track(
            api.MuteRoomTrackRequest(room="demo", identity="ann", track_sid=sid, muted=True)
        )
        assert (await ann.expect("mute")).mute.sid == sid
        await ann.socket.close()
        async with world.back(ann.sid, "ann", single=True) as again:
            await again.expect("reconnect")
            published = world.server.rooms["demo"].sessions[ann.sid].publisher.tracks[0].info
            known = type(published)()
            known.CopyFrom(published)
            known.muted = False  # it did not hear of it
            entry = TrackPublishedResponse(cid=peers.AUDIO_ID, track=known)
            await again.send(sync_state=SyncState(publish_tracks=[entry]))
            assert (await again.expect("mute")).mute.muted
            assert relay.of(MuteTrack) == [MuteTrack(sid, muted=True)]


async def test_the_right_to_subscribe_is_taken_and_given_back() -> None:
    relay = RecordedRelay()
    async with (
        service(relay) as (world, client),
        world.join("bob") as bob,
        world.join("eve") as eve,
        world.single("ann", sending()) as ann,
    ):
        await joined(ann)
        first = await camera(bob)
        await ann.expect("media_sections_requirement")
        await ann.send(offer=SessionDescription(type="offer", sdp=sending(), id=3))
        assert dict((await ann.expect("answer")).answer.mid_to_track_id) == {"2": first}

        info = await client.room.update_participant(permit(subscribe=False))
        assert not info.permission.can_subscribe
        assert len(relay.of(Unsubscribe)) == 1
        later = await camera(eve)
        await ann.send(offer=SessionDescription(type="offer", sdp=sending(), id=4))
        assert dict((await ann.expect("answer")).answer.mid_to_track_id) == {}
        await ann.send(subscription=UpdateSubscription(track_sids=[first, later], subscribe=True))
        error = (await ann.expect("subscription_response")).subscription_response
        assert error.err == SubscriptionError.SE_TRACK_NOTFOUND
        await ann.settled()
        assert [c.track for c in relay.of(Subscribe) if c.transport == f"{ann.sid}/pub"] == [first]

        await client.room.update_participant(permit(subscribe=True))
        await ann.send(offer=SessionDescription(type="offer", sdp=sending(), id=5))
        assert dict((await ann.expect("answer")).answer.mid_to_track_id) == {"2": first}


async def test_the_right_to_publish_is_taken() -> None:
    relay = RecordedRelay()
    async with service(relay) as (world, client), world.single("ann", sending()) as ann:
        sid = await joined(ann)
        await client.room.update_participant(permit(subscribe=True, sources=(TrackSource.CAMERA,)))
        assert (await ann.expect("track_unpublished")).track_unpublished.track_sid == sid
        assert [c.track for c in relay.of(RemoveTrack)] == [sid]
        await ann.send(offer=SessionDescription(type="offer", sdp=sending(), id=3))
        await ann.expect("answer")
        assert not world.server.participants("demo")[0].mic
