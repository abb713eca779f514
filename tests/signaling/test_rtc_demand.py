"""What publishers are told to send, what subscribers are told of pauses, second codecs, limits of a room."""

from __future__ import annotations

import re

import pytest
from livekit.protocol.models import ConnectionQuality, VideoLayer, VideoQuality
from livekit.protocol.rtc import (
    AddTrackRequest,
    RequestResponse,
    SessionDescription,
    SimulcastCodec,
    StreamState,
    SubscribedQualityUpdate,
    UpdateTrackSettings,
)

from relay.messages import (
    AddTrack,
    LayersWanted,
    MuteTrack,
    OpenTransport,
    RemoveTrack,
    SetRoom,
    SetSubscription,
    Stats,
    Subscribe,
    SubscriptionPaused,
    Unsubscribe,
)
from signaling.rtc import RtcSettings
from tests.signaling.rtc import peers
from tests.signaling.rtc.world import Client, RecordedRelay, serve
from tests.signaling.test_rtc_publish import add, camera, offer
from tests.signaling.test_rtc_subscribe import accept, publish, subscribed

LOW, MEDIUM, HIGH = VideoQuality.LOW, VideoQuality.MEDIUM, VideoQuality.HIGH


def told(update: SubscribedQualityUpdate) -> dict[str, list[bool]]:
    """By codec, which of low, medium and high are wanted."""
    for entry in update.subscribed_codecs:
        assert [quality.quality for quality in entry.qualities] == [LOW, MEDIUM, HIGH]
    return {entry.codec: [quality.enabled for quality in entry.qualities] for entry in update.subscribed_codecs}


async def wanted(client: Client) -> dict[str, list[bool]]:
    return told((await client.expect("subscribed_quality_update")).subscribed_quality_update)


async def test_publishers_are_told_what_somebody_could_be_shown() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann:
        _, picture = await publish(ann)
        assert "subscribed_quality_update" not in await ann.settled()  # all layers, as it does by itself
        relay.play(LayersWanted(picture, [True, True, False]))
        update = (await ann.expect("subscribed_quality_update")).subscribed_quality_update
        assert update.track_sid == picture
        assert told(update) == {"vp8": [True, True, False]}
        assert [q.enabled for q in update.subscribed_qualities] == [True, True, False]  # for old clients
        relay.play(LayersWanted(picture, [True, True, False]), LayersWanted("TR_gone", [True]))
        assert await ann.settled() == []
        relay.play(LayersWanted(picture, [False] * 3))
        assert await wanted(ann) == {"vp8": [False] * 3}


@pytest.mark.parametrize(
    ("rids", "layers", "expected"),
    [
        (("q", "h"), [True, False], [True, False, False]),
        (("h", "f"), [True, False], [True, True, False]),
        (("f",), [False], [False] * 3),
        (("1", "2"), [True, False], [True, False, False]),
        ((), [True], [True] * 3),
    ],
)
async def test_qualities_by_the_layers_there_are(
    rids: tuple[str, ...], layers: list[bool], expected: list[bool]
) -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann:
        track = await add(ann, camera(layers=[VideoLayer(quality=HIGH, width=1280, height=720)] * len(rids)))
        sdp = re.sub(r"a=(rid|simulcast):.*\r\n", "", peers.publisher(audio="inactive"))
        if rids:
            sdp += "".join(f"a=rid:{rid} send\r\n" for rid in rids) + f"a=simulcast:send {';'.join(rids)}\r\n"
        await offer(ann, sdp)
        relay.play(LayersWanted(track.sid, [not on for on in layers]), LayersWanted(track.sid, layers))
        await wanted(ann)
        assert await wanted(ann) == {"vp8": expected}


async def test_who_resumes_is_reminded_of_what_is_wanted_and_withheld() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann, world.join("guest:bob") as bob:
        _, picture = await publish(ann)
        await accept(bob)
        await accept(bob)
        await bob.settled()
        relay.connect(f"{ann.sid}/sub", f"{bob.sid}/sub")
        relay.play(LayersWanted(picture, [True, False, False]))
        await ann.socket.close()
        relay.play(LayersWanted(picture, [True, True, False]))
        async with world.back(ann.sid) as again:
            assert await wanted(again) == {"vp8": [True, True, False]}
        await bob.socket.close()
        relay.play(SubscriptionPaused(subscribed(relay, bob)[1].subscription, True, "bandwidth"))
        async with world.back(bob.sid, "guest:bob") as again:
            (state,) = (await again.expect("stream_state_update")).stream_state_update.stream_states
            assert (state.track_sid, state.state) == (picture, StreamState.PAUSED)


async def test_a_paused_video_is_told_and_counts_in_the_quality() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann, world.join("guest:bob") as bob:
        _, picture = await publish(ann)
        await accept(bob)
        await accept(bob)
        await bob.settled()
        await ann.settled()
        world.server.rooms["demo"].measured(Stats(0, [], [], [], []))
        sees = subscribed(relay, bob)[1].subscription

        async def heard() -> tuple[StreamState, ConnectionQuality | None]:
            await bob.settled()
            (state,) = bob.last("stream_state_update").stream_state_update.stream_states
            assert (state.participant_sid, state.track_sid) == (ann.sid, picture)
            infos = bob.last("connection_quality").connection_quality.updates
            return state.state, next(info.quality for info in infos if info.participant_sid == bob.sid)

        relay.play(SubscriptionPaused(sees, True, "bandwidth"))
        assert await heard() == (StreamState.PAUSED, ConnectionQuality.POOR)
        relay.play(SubscriptionPaused(sees, True, "last_n"))
        assert await heard() == (StreamState.PAUSED, ConnectionQuality.EXCELLENT)
        relay.play(SubscriptionPaused(sees, False), SubscriptionPaused(f"{bob.sid}/sub/99", True, "bandwidth"))
        assert await heard() == (StreamState.ACTIVE, ConnectionQuality.EXCELLENT)
        assert "stream_state_update" not in await ann.settled()


async def test_limits_of_a_room_are_told_to_the_relay_once() -> None:
    relay = RecordedRelay()
    settings = RtcSettings(loudest_audio=5, last_video=9)
    async with serve(relay, settings=settings) as world, world.join(), world.join("guest:bob"):
        assert relay.of(SetRoom) == [SetRoom("demo", 5, 9)]
        # The relay knows a room by its transports.
        assert relay.commands.index(relay.of(OpenTransport)[0]) < relay.commands.index(relay.of(SetRoom)[0])
    relay = RecordedRelay()
    async with serve(relay) as world, world.join():
        assert relay.of(SetRoom) == []


# --- second codecs ----------------------------------------------------------------------------------------------------

BOTH = [SimulcastCodec(codec="vp9", cid=peers.VIDEO_ID), SimulcastCodec(codec="vp8")]


def one_stream(sdp: str) -> str:
    """An offer whose video is one stream of layers."""
    return re.sub(r"a=(rid|simulcast):.*\r\n", "", sdp)


def with_second(cid: str = "second") -> str:
    """An offer with a second video section, which sends simulcast."""
    session, *media = peers.sections(one_stream(peers.publisher(audio="inactive")))
    again = peers.sections(peers.publisher())[3].replace(peers.VIDEO_ID, cid)
    again = re.sub(r"(?m)^a=mid:.*\r$", "a=mid:3\r", again)
    again = re.sub(r"a=ssrc(-group)?:.*\r\n", "", again)
    return session.replace("BUNDLE 0 1 2", "BUNDLE 0 1 2 3") + "".join(media) + again


def second(sid: str, cid: str = "second", codec: str = "vp8") -> AddTrackRequest:
    return camera(cid, sid=sid, simulcast_codecs=[SimulcastCodec(codec=codec, cid=cid)])


async def accept_only_vp8(client: Client) -> None:
    """Answer the server's next offer as one that cannot decode VP9."""
    made = (await client.expect("offer")).offer
    (vp9,) = re.findall(r"a=rtpmap:(\d+) VP9/90000", made.sdp)
    (rtx,) = re.findall(rf"a=fmtp:(\d+) apt={vp9}\r", made.sdp)
    sdp = peers.answer(made.sdp)
    sdp = re.sub(rf"(?m)^(m=video .*) {vp9} {rtx} (.*)\r$", r"\1 \2\r", sdp)
    sdp = re.sub(rf"(?m)^a=(rtpmap|fmtp|rtcp-fb):({vp9}|{rtx}) .*\r\n", "", sdp)
    await client.send(answer=SessionDescription(type="answer", sdp=sdp, id=made.id))


async def test_who_cannot_decode_the_first_codec_gets_the_second() -> None:
    relay = RecordedRelay()
    async with (
        serve(relay) as world,
        world.join() as ann,
        world.join("guest:bob") as bob,
        world.join("guest:eve") as eve,
    ):
        await accept(bob)
        await accept(eve)
        track = await add(ann, camera(simulcast_codecs=BOTH))
        assert [entry.mime_type for entry in track.codecs] == ["video/VP9", "video/VP8"]
        await offer(ann, one_stream(peers.publisher(audio="inactive")))
        await accept(bob)
        await bob.settled()
        assert "subscribed_quality_update" not in await ann.settled()  # everyone takes VP9 so far
        await accept_only_vp8(eve)

        # The publisher is asked for VP8; the relay is told of eve once it is there.
        assert await wanted(ann) == {"vp9": [True] * 3, "vp8": [True] * 3}
        assert [c.transport for c in relay.of(Subscribe)] == [f"{bob.sid}/sub"]
        assert (await add(ann, second(track.sid))).sid == track.sid
        await offer(ann, with_second(), 2)
        await eve.settled()
        made = relay.of(AddTrack)[-1]
        assert (made.track, made.codec.mime, len(made.encodings)) == (f"{track.sid}.vp8", "video/VP8", 3)
        sees = relay.of(Subscribe)[-1]
        assert (sees.track, sees.transport) == (made.track, f"{eve.sid}/sub")
        offered = eve.last("offer").offer.sdp
        assert f"a=rtpmap:{sees.payload_type} VP8/90000" in offered
        await bob.settled()
        published = bob.last("update").update.participants[0].tracks
        assert [t.sid for t in published] == [track.sid]  # one track for everybody
        assert [(e.mime_type, e.mid) for e in published[0].codecs] == [("video/VP9", "2"), ("video/VP8", "3")]

        # Each codec has its own layers, and mute stops both.
        relay.play(LayersWanted(track.sid, [True, True, True]), LayersWanted(made.track, [True, False, False]))
        await ann.settled()
        assert told(ann.last("subscribed_quality_update").subscribed_quality_update) == {
            "vp9": [True] * 3,
            "vp8": [True, False, False],
        }
        world.server.mute("demo", "guest:ann", "camera")
        assert {c.track for c in relay.of(MuteTrack)} == {track.sid, made.track}


async def test_the_second_codec_ends_with_its_track_or_before() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann, world.join("guest:eve") as eve:
        await accept(eve)
        track = await add(ann, camera(simulcast_codecs=BOTH))
        await offer(ann, one_stream(peers.publisher(audio="inactive")))
        await accept_only_vp8(eve)
        await wanted(ann)
        await add(ann, second(track.sid))
        await offer(ann, with_second(), 2)

        gone = with_second()[::-1].replace("a=sendonly"[::-1], "a=inactive"[::-1], 1)[::-1]
        await offer(ann, gone, 3)
        await ann.settled()
        assert [c.track for c in relay.of(RemoveTrack)] == [f"{track.sid}.vp8"]
        await add(ann, second(track.sid, "third"))
        await offer(ann, with_second("third"), 4)
        await ann.settled()
        sees = [c for c in relay.of(Subscribe) if c.transport == f"{eve.sid}/sub"]
        assert [c.track for c in sees] == [f"{track.sid}.vp8"] * 2

        await ann.send(add_track=second(track.sid, "fourth"))
        refused = (await ann.expect("request_response")).request_response
        assert refused.reason == RequestResponse.INVALID_REQUEST  # it has one
        await offer(ann, with_second("third").replace("a=sendonly", "a=inactive", 1), 5)  # its own section goes on
        await ann.settled()
        assert [c.track for c in relay.of(RemoveTrack)][1:] == [track.sid, f"{track.sid}.vp8"]
        assert relay.of(Unsubscribe) == []


async def test_second_codecs_on_path_v1() -> None:
    relay = RecordedRelay()
    lacking = peers.SINGLE.replace("VP9/90000", "VP10/90000")
    async with serve(relay) as world, world.join() as ann:
        track = await add(ann, camera(simulcast_codecs=BOTH))
        await offer(ann, one_stream(peers.publisher(audio="inactive")))
        async with world.single("guest:eve", lacking) as eve:
            answer = (await eve.expect("answer")).answer
            assert list(answer.mid_to_track_id.values()) == [track.sid]
            assert await wanted(ann) == {"vp9": [True] * 3, "vp8": [True] * 3}
            await add(ann, second(track.sid))
            await offer(ann, with_second(), 2)
            await eve.settled()
            (sees,) = relay.of(Subscribe)
            assert sees.track == f"{track.sid}.vp8"
            assert f"a=rtpmap:{sees.payload_type} VP8/90000" in answer.sdp
            assert [c.subscription for c in relay.of(SetSubscription)] == []


@pytest.mark.parametrize("allowed", [None, True, False])
async def test_who_allows_no_pause_keeps_every_picture(allowed: bool | None) -> None:
    relay = RecordedRelay()
    query = "" if allowed is None else f"&subscriber_allow_pause={allowed:d}"
    kept = [] if allowed in (None, True) else [True]
    async with serve(relay) as world, world.join() as ann:
        sound, picture = await publish(ann)
        async with world.join("guest:bob", query=query) as bob:
            await accept(bob)
            await bob.settled()
            ids = {c.track: c.subscription for c in subscribed(relay, bob)}
            assert set(ids) == {sound, picture}
            assert [c.keep for c in relay.of(SetSubscription)] == kept
            assert all(c.subscription == ids[picture] for c in relay.of(SetSubscription))  # sound never is paused
            # What it wants of a track later changes nothing of that.
            await bob.send(track_setting=UpdateTrackSettings(track_sids=[picture], quality=LOW))
            await bob.settled()
            last = relay.of(SetSubscription)[-1]
            assert (last.max_layer, last.keep) == (0, bool(kept))
        relay.commands.clear()
        async with world.single("guest:eve", peers.SINGLE, allow_pause=allowed) as eve:
            await eve.expect("answer")
            await eve.settled()
            assert [c.keep for c in relay.of(SetSubscription)] == kept


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (second("TR_other"), RequestResponse.NOT_FOUND),
        (second("", codec="av1"), RequestResponse.UNSUPPORTED_TYPE),
        (second("", peers.VIDEO_ID * 20), RequestResponse.INVALID_REQUEST),
        (camera("second"), RequestResponse.UNSUPPORTED_TYPE),
    ],
)
async def test_second_codecs_that_were_not_announced(request_: AddTrackRequest, reason: int) -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann:
        track = await add(ann, camera(simulcast_codecs=BOTH))
        await offer(ann, one_stream(peers.publisher(audio="inactive")))
        request_.sid = request_.sid or track.sid
        await ann.send(add_track=request_)
        assert (await ann.expect("request_response")).request_response.reason == reason
        await offer(ann, with_second(), 2)
        assert len(relay.of(AddTrack)) == 1
