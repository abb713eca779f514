"""Publishing: add_track, the answer, what the relay is told, grants, mute, unpublish, ICE restart."""

from __future__ import annotations

import re
from typing import Any

import pytest
from livekit.protocol.models import TrackInfo, TrackSource, TrackType, VideoLayer, VideoQuality
from livekit.protocol.rtc import (
    AddTrackRequest,
    MuteTrackRequest,
    RequestResponse,
    SessionDescription,
    SimulcastCodec,
    TrickleRequest,
)

from relay.messages import AddTrack, Encoding, Extensions, MuteTrack, RemoveTrack, RestartIce, SetRemote
from tests.signaling.rtc import peers
from tests.signaling.rtc.world import Client, RecordedRelay, serve

LAYERS = [
    VideoLayer(quality=VideoQuality.LOW, width=320, height=180),
    VideoLayer(quality=VideoQuality.MEDIUM, width=640, height=360),
    VideoLayer(quality=VideoQuality.HIGH, width=1280, height=720),
]


def camera(cid: str = peers.VIDEO_ID, **fields: Any) -> AddTrackRequest:
    wanted: dict[str, Any] = {"width": 1280, "height": 720, "layers": LAYERS, "source": TrackSource.CAMERA} | fields
    return AddTrackRequest(cid=cid, type=TrackType.VIDEO, **wanted)


def microphone(cid: str = peers.AUDIO_ID, **fields: Any) -> AddTrackRequest:
    wanted: dict[str, Any] = {"source": TrackSource.MICROPHONE} | fields
    return AddTrackRequest(cid=cid, type=TrackType.AUDIO, **wanted)


async def add(client: Client, request: AddTrackRequest) -> TrackInfo:
    await client.send(add_track=request)
    published = (await client.expect("track_published")).track_published
    assert published.cid == request.cid
    return published.track


async def offer(client: Client, sdp: str, offer_id: int = 1) -> str:
    """Send an offer; the answer's SDP."""
    await client.send(offer=SessionDescription(type="offer", sdp=sdp, id=offer_id))
    answer = (await client.expect("answer")).answer
    assert (answer.type, answer.id) == ("answer", offer_id)
    return answer.sdp


async def test_a_chromium_publisher() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann, world.join("guest:bob") as bob:
        sound, picture = await add(ann, microphone()), await add(ann, camera())
        assert (sound.sid[:3], picture.sid[:3], picture.codecs[0].mime_type) == ("TR_", "TR_", "video/VP8")
        answer = await offer(ann, peers.publisher(), 7)

        _, data, audio, video = peers.sections(answer)
        assert data.startswith("m=application 9 UDP/DTLS/SCTP")
        assert audio.startswith("m=audio 9 UDP/TLS/RTP/SAVPF 63 111\r")
        assert peers.value(audio, "fmtp") == ["63 111/111", "111 minptime=10;useinbandfec=1;usedtx=1"]
        assert video.startswith("m=video 9 UDP/TLS/RTP/SAVPF 96 97\r")
        feedback = {line.partition(" ")[2] for line in peers.value(video, "rtcp-fb")}
        assert feedback == {"transport-cc", "goog-remb", "nack", "nack pli", "ccm fir"}
        assert peers.value(video, "rid") == ["q recv", "h recv", "f recv"]
        assert peers.value(video, "simulcast") == ["recv q;h;f"]
        assert set(peers.value(answer, "setup")) == {"passive"}
        assert "a=recvonly" in audio

        transport = f"{ann.sid}/pub"
        (remote,) = relay.of(SetRemote)
        assert (remote.transport, remote.ufrag) == (transport, peers.UFRAG)
        mic, cam = relay.of(AddTrack)
        assert relay.commands.index(remote) < relay.commands.index(mic)
        assert (mic.track, mic.transport, mic.mid, mic.codec.mime) == (sound.sid, transport, "1", "audio/opus")
        assert mic.encodings == [Encoding(ssrc=609302806)]
        assert mic.extensions == Extensions(mid=4, audio_level=1, transport_cc=3, abs_send_time=2)
        assert (cam.track, cam.codec.payload_type, cam.codec.rtx_payload_type) == (picture.sid, 96, 97)
        assert cam.encodings == [Encoding(rid="q"), Encoding(rid="h"), Encoding(rid="f")]
        assert cam.extensions == Extensions(mid=4, rid=10, repaired_rid=11, transport_cc=3, abs_send_time=2)

        kinds = await bob.settled()
        assert kinds == ["offer", "update"]  # the next offer waits for the answer to the first
        (seen,) = bob.last("update").update.participants
        assert {track.sid for track in seen.tracks} == {sound.sid, picture.sid}
        assert next(t for t in seen.tracks if t.type == TrackType.VIDEO).simulcast
        (view, _) = world.server.participants("demo")
        assert (view.mic, view.camera, view.screen) == (True, True, False)


async def test_a_firefox_publisher() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann:
        sound, picture = await add(ann, microphone("one")), await add(ann, camera("two"))
        answer = await offer(ann, peers.FIREFOX)
        mic, cam = relay.of(AddTrack)
        assert (mic.track, cam.track) == (sound.sid, picture.sid)
        assert (mic.codec.payload_type, cam.codec.payload_type, cam.codec.rtx_payload_type) == (109, 120, 124)
        assert cam.encodings == [Encoding(rid="q"), Encoding(rid="h"), Encoding(rid="f")]
        assert cam.extensions == Extensions(mid=3, rid=9, repaired_rid=10, transport_cc=7, abs_send_time=4)
        assert peers.value(answer, "simulcast") == ["recv q;h;f"]


async def test_the_offer_may_come_before_add_track_and_with_other_ids() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann:
        await offer(ann, peers.publisher())
        assert relay.of(AddTrack) == []
        picture = await add(ann, camera("{another-id}"))
        (cam,) = relay.of(AddTrack)
        assert (cam.track, cam.mid) == (picture.sid, "2")


async def test_h264_where_asked_for() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann:
        asked = camera(simulcast_codecs=[SimulcastCodec(codec="h264", cid=peers.VIDEO_ID)])
        assert (await add(ann, asked)).codecs[0].mime_type == "video/H264"
        answer = await offer(ann, peers.publisher())
        (cam,) = relay.of(AddTrack)
        assert cam.codec.mime == "video/H264"
        assert "packetization-mode=1" in cam.codec.fmtp
        assert f"a=rtpmap:{cam.codec.payload_type} H264/90000" in answer


async def test_a_track_that_no_codec_fits_is_taken_back() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann:
        sound, picture = await add(ann, microphone()), await add(ann, camera())
        strange = re.sub(r"(?m)^(a=rtpmap:\d+) (VP8|VP9|AV1|H264)/", r"\1 X-\2/", peers.publisher())
        await offer(ann, strange)
        assert (await ann.expect("track_unpublished")).track_unpublished.track_sid == picture.sid
        assert [track.track for track in relay.of(AddTrack)] == [sound.sid]
        room = world.server.rooms["demo"]
        assert [track.sid for track in room.sessions[ann.sid].publisher.tracks] == [sound.sid]


async def test_dtx_and_stereo_as_asked() -> None:
    async with serve(RecordedRelay()) as world, world.join() as ann:
        await add(ann, microphone(stereo=True, disable_dtx=True))
        (fmtp,) = [line for line in peers.value(await offer(ann, peers.publisher()), "fmtp") if line[:3] == "111"]
        assert "stereo=1" in fmtp
        assert "usedtx" not in fmtp


async def test_unpublish_and_publish_again_in_the_same_section() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann:
        first = await add(ann, camera())
        await offer(ann, peers.publisher())
        answer = await offer(ann, peers.publisher(video="inactive"), 2)
        assert "a=inactive" in peers.sections(answer)[3]
        assert [c.track for c in relay.of(RemoveTrack)] == [first.sid]
        await ann.settled()
        assert list(ann.last("update").update.participants[0].tracks) == []
        second = await add(ann, camera("next"))
        await offer(ann, peers.publisher().replace(peers.VIDEO_ID, "next"), 3)
        third = await add(ann, camera("after"))
        await offer(ann, peers.publisher().replace(peers.VIDEO_ID, "after"), 4)
        assert [c.track for c in relay.of(RemoveTrack)] == [first.sid, second.sid]
        assert [c.track for c in relay.of(AddTrack)] == [first.sid, second.sid, third.sid]


async def test_mute_stops_forwarding_and_is_told() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann, world.join("guest:bob") as bob:
        sound = await add(ann, microphone())
        await offer(ann, peers.publisher())
        await ann.send(mute=MuteTrackRequest(sid=sound.sid, muted=True))
        await ann.settled()
        assert relay.of(MuteTrack) == [MuteTrack(sound.sid, True)]
        await bob.settled()
        assert bob.last("update").update.participants[0].tracks[0].muted
        assert not world.server.participants("demo")[0].mic
        await ann.send(mute=MuteTrackRequest(sid=sound.sid, muted=False))
        await ann.settled()
        assert relay.of(MuteTrack)[-1] == MuteTrack(sound.sid, False)
        world.server.mute("demo", "guest:ann")
        assert (await ann.expect("mute")).mute == MuteTrackRequest(sid=sound.sid, muted=True)
        assert relay.of(MuteTrack)[-1] == MuteTrack(sound.sid, True)


async def test_a_track_published_muted_is_not_forwarded() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann:
        sound = await add(ann, microphone(muted=True))
        await offer(ann, peers.publisher())
        assert relay.of(MuteTrack) == [MuteTrack(sound.sid, True)]


async def test_ice_restart() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann:
        first = await offer(ann, peers.publisher())
        again = await offer(ann, peers.publisher(), 2)
        assert peers.value(first, "ice-ufrag") == peers.value(again, "ice-ufrag")
        restarted = await offer(ann, peers.publisher(ufrag="new0"), 3)
        (restart,) = relay.of(RestartIce)
        assert set(peers.value(restarted, "ice-ufrag")) == {restart.ufrag} != set(peers.value(first, "ice-ufrag"))
        assert [c.ufrag for c in relay.of(SetRemote)] == [peers.UFRAG, "new0"]


@pytest.mark.parametrize(
    ("grants", "request_", "reason"),
    [
        ({"can_publish": False}, camera(), RequestResponse.NOT_ALLOWED),
        ({"can_publish_sources": ("microphone",)}, camera(), RequestResponse.NOT_ALLOWED),
        ({"can_publish_sources": ("microphone",)}, camera(source=TrackSource.UNKNOWN), RequestResponse.NOT_ALLOWED),
        ({}, AddTrackRequest(cid="x", type=TrackType.DATA), RequestResponse.UNSUPPORTED_TYPE),
        ({}, camera(sid="TR_other"), RequestResponse.NOT_FOUND),
        ({}, camera(cid=""), RequestResponse.INVALID_REQUEST),
    ],
)
async def test_what_may_not_be_published(grants: dict[str, Any], request_: AddTrackRequest, reason: int) -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join(**grants) as ann:
        await ann.send(add_track=request_)
        response = (await ann.expect("request_response")).request_response
        assert (response.reason, response.add_track) == (reason, request_)
        await offer(ann, peers.publisher())
        assert relay.of(AddTrack) == []


async def test_others_tracks_cannot_be_muted() -> None:
    async with serve(RecordedRelay()) as world, world.join() as ann, world.join("guest:bob") as bob:
        sound = await add(ann, microphone())
        await bob.send(mute=MuteTrackRequest(sid=sound.sid, muted=True))
        assert (await bob.expect("request_response")).request_response.reason == RequestResponse.NOT_FOUND


async def test_trickled_candidates_are_taken() -> None:
    async with serve(RecordedRelay()) as world, world.join() as ann:
        await ann.send(
            trickle=TrickleRequest(candidateInit='{"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host"}')
        )
        await ann.send(trickle=TrickleRequest(final=True))
        assert "request_response" not in await ann.settled()
