"""Bad input: one clear error with a stable code, counted; nobody else notices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from livekit.protocol.models import DisconnectReason, VideoLayer
from livekit.protocol.rtc import (
    AddTrackRequest,
    RequestResponse,
    SessionDescription,
    SignalRequest,
    SimulcastCodec,
    TrickleRequest,
    UpdateParticipantMetadata,
)
from prometheus_client import REGISTRY

from relay.messages import CommandFailed, SpeakerLevel, Speakers
from signaling.rtc import RtcSettings, frames, sdp
from tests.signaling.rtc import peers
from tests.signaling.rtc.world import RecordedRelay, serve
from tests.signaling.test_rtc_publish import camera, microphone
from wire.problems import Code, Refusal


def counted(code: str, request: str) -> float:
    return REGISTRY.get_sample_value("roomctl_rtc_refused_total", {"code": code, "request": request}) or 0.0


@pytest.mark.parametrize("frame", [b"\xff\xff\xff\xff", "not json", '{"offer": 7}', "[" * 1500])
async def test_a_broken_frame_ends_its_own_session_only(frame: bytes | str) -> None:
    before = counted("bad_request", "frame")
    async with serve(RecordedRelay()) as world, world.join("a") as a, world.join("b") as b:
        await (a.socket.send_str(frame) if isinstance(frame, str) else a.socket.send_bytes(frame))
        code, text = await a.closed()
        assert (code, text.partition(":")[0]) == (1007, "bad_request")
        if isinstance(frame, bytes):
            assert a.last("leave").leave.reason == DisconnectReason.STATE_MISMATCH
        await b.settled()
        assert counted("bad_request", "frame") == before + 1


def test_json_as_deep_as_python_reads_at_most() -> None:
    """Unknown members are passed over, whatever is in them; none of what the protocol knows nests beyond six."""

    def decode(depth: int) -> None:
        frames.decode('{"unknown": ' + '{"x": ' * depth + "{}" + "}" * (depth + 1), max_message=65_536, max_sdp=65_536)

    decode(200)
    with pytest.raises(Refusal, match="not a SignalRequest in JSON"):
        decode(1200)
    assert deepest(SignalRequest.DESCRIPTOR) == 6


def deepest(message: Any) -> int:
    """How deep messages of a type nest. Raises RecursionError where there is no end to it."""
    inner = [field.message_type for field in message.fields if field.message_type is not None]
    return 1 + max((deepest(one) for one in inner), default=0)


def test_no_message_in_json_is_more_than_twenty_deep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the protocol will know: here a message that may hold another of its kind."""
    monkeypatch.setattr(frames, "SignalRequest", DescriptorProto)

    def nested(depth: int) -> str:
        return '{"nestedType": [' * (depth - 1) + "{}" + "]}" * (depth - 1)

    frames.decode(nested(20), max_message=1000, max_sdp=1000)
    with pytest.raises(Refusal, match="not a SignalRequest in JSON"):
        frames.decode(nested(21), max_message=1000, max_sdp=1000)


async def test_oversized_messages() -> None:
    async with serve(RecordedRelay()) as world, world.join("a") as a, world.join("b") as b:
        await a.send(add_track=AddTrackRequest(cid="x" * 70_000))
        assert await a.closed() == (1007, "too_large: a signal message without SDP may have at most 65536 bytes")
        await b.socket.send_bytes(b"x" * 800_000)
        assert (await b.closed())[0] == 1009
        async with asyncio.timeout(5):
            while world.server.participants("demo"):
                await asyncio.sleep(0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=0",
        "m=audio",
        peers.RECORDED.replace("a=mid:1", "a=mid:0"),
        peers.RECORDED.replace("a=group:BUNDLE 0 1 2", "a=group:LS 0 1 2"),
        peers.RECORDED.replace("sha-256", "md5"),
        peers.RECORDED.replace("a=ice-pwd:", "a=ice-pwd:\u00e9"),
        peers.RECORDED.replace("a=setup:actpass", "a=setup:passive"),
        peers.RECORDED.replace("a=setup:actpass", "a=setup:maybe"),
        peers.RECORDED.replace("a=simulcast:send q;h;f", "a=simulcast:send q;q;q"),
        peers.RECORDED.replace("a=rtpmap:96 VP8/90000", "a=rtpmap:many VP8"),
        peers.RECORDED.replace("a=ssrc:609302806 cname", "a=ssrc:99999999999 cname"),
        peers.RECORDED + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:x\r\n" * 200,
        peers.RECORDED + "m=video 9 UDP/TLS/RTP/SAVPF 96\ra=mid:x\r" * 200,
        peers.RECORDED + "a=candidate:1 1 udp 1 127.0.0.1 1 typ host\r\n" * 600,
        peers.RECORDED + "a=rtpmap:96 VP8/90000\r\n",
        peers.RECORDED + "".join(f"a=rtpmap:{n} x/1\r\na=rtcp-fb:* nack\r\n" for n in range(200, 400)),
        peers.RECORDED + "".join(f"a=ssrc:{n} cname:x\r\n" for n in range(1, 500)) + "a=x\r\n" * 99,
    ],
)
async def test_a_broken_sdp_is_refused_and_the_session_lives(text: str) -> None:
    before = counted("bad_request", "offer")
    async with serve(RecordedRelay()) as world, world.join() as ann:
        await ann.send(offer=SessionDescription(type="offer", sdp=text, id=1))
        response = (await ann.expect("request_response")).request_response
        assert response.reason == RequestResponse.INVALID_REQUEST
        assert response.message.startswith("bad_request: SDP: ")
        assert "Traceback" not in response.message
        await ann.send(offer=SessionDescription(type="offer", sdp=peers.RECORDED, id=2))
        assert (await ann.expect("answer")).answer.id == 2
        assert counted("bad_request", "offer") == before + 1


def test_no_sdp_takes_long_to_refuse() -> None:
    """Within its 256 KiB a description could keep the server's loop for half a minute."""
    worst = "".join(f"a=rtpmap:{n} VP8/90000\r\n" for n in range(7000)) + "a=rtcp-fb:* nack\r\n" * 3000
    before = time.process_time()
    with pytest.raises(Refusal):
        sdp.parse(peers.RECORDED + worst, max_sections=128)
    assert time.process_time() - before < 1.0


def test_a_json_frame_of_many_parts_is_refused() -> None:
    worst = '{"syncState":{"dataChannels":[' + ",".join(["{}"] * 80_000) + "]}}"
    with pytest.raises(Refusal) as refused:
        frames.decode(worst, max_message=65536, max_sdp=262144)
    assert refused.value.problem.code == Code.TOO_LARGE


async def test_a_burst_of_changes_cuts_nobody_else() -> None:
    grants: dict[str, Any] = {"can_update_own_metadata": True}
    async with serve(RecordedRelay()) as world, world.join("a", **grants) as a, world.join("b") as b:
        for number in range(400):
            await a.send(update_metadata=UpdateParticipantMetadata(metadata=f"{number}" + "y" * 15_000))
        assert await a.closed() == (1008, "too_many: slow down")
        await b.settled()
        assert sum(message.ByteSize() for message in b.seen) < 1024 * 1024


@pytest.mark.parametrize(("kind", "times"), [("answer", 2), ("offer", 0)])
async def test_large_messages_count_as_several(kind: str, times: int) -> None:
    few = RtcSettings(request_burst=40, request_rate=1e-9)
    before = counted("too_many", kind)
    async with serve(RecordedRelay(), settings=few) as world, world.join() as ann:
        for _ in range(times):
            await ann.send(**{kind: SessionDescription(type=kind, sdp="x" * 250_000, id=999)})
        await ann.settled()
        assert counted("too_many", kind) == before
        await ann.send(**{kind: SessionDescription(type=kind, sdp="x" * 250_000, id=999)})
        assert await ann.closed() == (1008, "too_many: slow down")


async def test_a_broken_answer_is_refused() -> None:
    async with serve(RecordedRelay()) as world, world.join() as ann:
        made = (await ann.expect("offer")).offer
        for text in ("nonsense", peers.answer(made.sdp, setup="actpass")):
            await ann.send(answer=SessionDescription(type="answer", sdp=text, id=made.id))
            assert (await ann.expect("request_response")).request_response.reason == RequestResponse.INVALID_REQUEST
        await ann.send(answer=SessionDescription(type="answer", sdp=peers.answer(made.sdp), id=made.id))
        assert await ann.settled() == []


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"trickle": TrickleRequest(candidateInit="{")}, RequestResponse.INVALID_REQUEST),
        ({"trickle": TrickleRequest(candidateInit="[" * 3000)}, RequestResponse.INVALID_REQUEST),
        ({"trickle": TrickleRequest(candidateInit='{"candidate": 1}')}, RequestResponse.INVALID_REQUEST),
        ({"publish_data_track_request": {"name": "x"}}, RequestResponse.UNSUPPORTED_TYPE),
        ({"simulate": {"server_leave": True}}, RequestResponse.UNSUPPORTED_TYPE),
        ({"update_metadata": UpdateParticipantMetadata(name="x", request_id=5)}, RequestResponse.NOT_ALLOWED),
    ],
)
async def test_bad_requests_are_answered(message: dict[str, Any], reason: int) -> None:
    async with serve(RecordedRelay()) as world, world.join() as ann:
        await ann.send(**message)
        response = (await ann.expect("request_response")).request_response
        assert response.reason == reason
        assert ": " in response.message


async def test_own_name_and_attributes_but_not_the_reserved_ones() -> None:
    async with serve(RecordedRelay()) as world, world.join(can_update_own_metadata=True, attributes={"k": "1"}) as ann:
        asked = UpdateParticipantMetadata(name="Anna", attributes={"hand": "up", "k": ""}, request_id=5)
        await ann.send(update_metadata=asked)
        response = (await ann.expect("request_response")).request_response
        assert (response.reason, response.request_id) == (RequestResponse.OK, 5)
        me = (await ann.expect("update")).update.participants[0]
        assert (me.name, dict(me.attributes)) == ("Anna", {"hand": "up"})
        for attributes, reason in (
            ({"room": "sts-senne"}, RequestResponse.NOT_ALLOWED),
            ({"x": "y" * 20_000}, RequestResponse.LIMIT_EXCEEDED),
        ):
            await ann.send(update_metadata=UpdateParticipantMetadata(attributes=attributes))
            assert (await ann.expect("request_response")).request_response.reason == reason


async def test_nobody_makes_the_others_read_megabytes() -> None:
    """What a client says of its track is told to everyone at each change: it is cut to what it may need."""
    unknown = b"\xfa\x3f\xd0\x0f" + b"x" * 2000  # field 1023, of a newer protocol
    layer = VideoLayer.FromString(VideoLayer(rid="x" * 9000, width=640).SerializeToString() + unknown)
    codecs = [SimulcastCodec(cid="y" * 900) for _ in range(9)]
    async with serve(RecordedRelay()) as world, world.join() as ann:
        asked = camera(layers=[layer] * 4, simulcast_codecs=codecs, audio_features=[1] * 5000, name="z" * 900)
        await ann.send(add_track=asked)
        told = (await ann.expect("track_published")).track_published.track
        assert told.ByteSize() < 1500
        assert [(kept.rid, kept.width) for kept in told.layers] == [("x" * 16, 640)] * 3


async def test_too_many_of_everything() -> None:
    bounds = RtcSettings(max_tracks=2, max_candidates=3, max_faults=3, max_sessions=2, max_rooms=1, silence=1e9)
    async with serve(RecordedRelay(), settings=bounds) as world, world.join("a") as a:
        async with world.join("b") as b:
            for identity, media in (("c", "demo"), ("c", "second")):
                async with world.http.get(
                    f"{world.url}/rtc/validate?access_token={world.token(identity, media)}"
                ) as no:
                    assert (no.status, (await no.json())["code"]) == (503, "too_many")
            for request in (microphone(), camera(), camera("third")):
                await b.send(add_track=request)
            assert (await b.expect("request_response")).request_response.reason == RequestResponse.LIMIT_EXCEEDED
            for _ in range(4):
                await b.send(trickle=TrickleRequest(final=True))
            assert (await b.expect("request_response")).request_response.reason == RequestResponse.LIMIT_EXCEEDED
            for _ in range(4):
                await b.send(offer=SessionDescription(sdp="x"))
            assert (await b.closed())[1].startswith("too_many: bad requests")
        await a.settled()


async def test_a_flood_of_requests_ends_the_session() -> None:
    bounds = RtcSettings(request_burst=20, request_rate=0.001)
    async with serve(RecordedRelay(), settings=bounds) as world, world.join() as ann:
        for _ in range(30):
            await ann.send(ping=1)
        assert await ann.closed() == (1008, "too_many: slow down")


async def test_a_client_that_falls_behind_is_cut_off() -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=RtcSettings(outbox=10)) as world, world.join("a") as a:
        await a.send(add_track=microphone())
        track = (await a.expect("track_published")).track_published.track.sid
        await a.send(offer=SessionDescription(sdp=peers.RECORDED))
        await a.expect("answer")
        await a.settled()
        # One batch of events: the writer has no turn in between.
        relay.play(*(Speakers("demo", [SpeakerLevel(track, level / 100, True)]) for level in range(30)))
        code, text = await a.closed()
        assert (code, text.partition(":")[0]) == (1013, "too_slow")
        async with world.join("b") as b:
            assert list(b.joined.other_participants) == []


async def test_a_client_that_never_reads_ends_alone() -> None:
    """Over a real socket: what its kernel holds is full, then what we keep for it, then it is gone; others read on."""
    bounds = RtcSettings(request_burst=10**9, outbox_bytes=256 * 1024, silence=1e9)
    grants: dict[str, Any] = {"can_update_own_metadata": True}
    async with serve(RecordedRelay(), settings=bounds) as world, world.join("a") as a, world.join("b", **grants) as b:
        connection = a.socket._response.connection
        assert connection is not None and connection.transport is not None
        connection.transport.pause_reading()
        for number in range(5000):
            if len(world.server.participants("demo")) == 1:
                break
            await b.send(update_metadata=UpdateParticipantMetadata(metadata=f"{number}" + "y" * 15_000))
            await b.settled()
        else:
            pytest.fail("75 MB were kept for a client that does not read")
        connection.transport.resume_reading()
        await b.settled()


async def test_what_the_relay_refuses_is_counted() -> None:
    relay = RecordedRelay()
    labels = {"command": "subscribe", "code": "unknown_track"}
    before = REGISTRY.get_sample_value("roomctl_rtc_relay_failed_total", labels) or 0.0
    async with serve(relay) as world, world.join() as ann:
        relay.play(CommandFailed("subscribe", "x", "unknown_track", "gone"))
        await ann.settled()
    assert REGISTRY.get_sample_value("roomctl_rtc_relay_failed_total", labels) == before + 1


def refused(attempt: Callable[[], object]) -> Code | None:
    """The code of the Refusal that an attempt raises, if any. Any other exception fails the test."""
    try:
        attempt()
    except Refusal as refusal:
        return refusal.problem.code
    return None


@given(st.binary(max_size=400) | st.text(max_size=400))
def test_any_frame_is_a_request_or_a_refusal(frame: bytes | str) -> None:
    problem = refused(lambda: frames.decode(frame, max_message=65536, max_sdp=65536))
    assert problem in (None, Code.BAD_REQUEST)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_any_damaged_sdp_parses_or_is_refused(data: st.DataObject) -> None:
    lines = peers.RECORDED.split("\r\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    damage = data.draw(st.sampled_from(["drop", "cut", "garble", "double"]))
    line = lines[at]
    if damage == "drop":
        lines.pop(at)
    elif damage == "double":
        lines.insert(at, line)
    elif damage == "cut":
        lines[at] = line[: data.draw(st.integers(0, len(line)))]
    else:
        lines[at] = line[:2] + data.draw(st.text(max_size=30))
    assert refused(lambda: sdp.parse("\r\n".join(lines), max_sections=128)) in (None, Code.BAD_REQUEST)
