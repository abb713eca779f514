"""Path V1: one peer connection, the client offers, tracks come and go on its receiving lines; and hostile join requests."""

from __future__ import annotations

import base64
import gzip
import re
import tracemalloc
from contextlib import AsyncExitStack

import aiohttp
import pytest
from livekit.protocol.models import DisconnectReason, TrackSource, TrackType
from livekit.protocol.rtc import (
    AddTrackRequest,
    JoinRequest,
    LeaveRequest,
    RequestResponse,
    SessionDescription,
    SubscriptionPermission,
    UpdateSubscription,
    WrappedJoinRequest,
)

from relay.messages import (
    AddTrack,
    CloseTransport,
    DataReceived,
    OpenTransport,
    RestartIce,
    SendData,
    Subscribe,
    TransportState,
    Unsubscribe,
)
from signaling.rtc import RtcSettings, arrivals
from signaling.rtc.track import from_request
from tests.signaling.rtc import peers
from tests.signaling.rtc.world import Client, RecordedRelay, packed, serve
from tests.signaling.test_rtc_join import Clock, refusal
from wire.problems import Code, Refusal


async def publish(client: Client, kind: str = "video", number: int = 1) -> str:
    """Publish the recorded camera or microphone of path V0; its sid."""
    video = kind == "video"
    cid = peers.VIDEO_ID if video else peers.AUDIO_ID
    source = TrackSource.CAMERA if video else TrackSource.MICROPHONE
    await client.send(
        add_track=AddTrackRequest(cid=cid, type=TrackType.VIDEO if video else TrackType.AUDIO, source=source)
    )
    sdp = peers.publisher(audio="recvonly") if video else peers.publisher(video="recvonly")
    await client.send(offer=SessionDescription(type="offer", sdp=sdp, id=number))
    return (await client.expect("track_published")).track_published.track.sid


async def test_the_offer_in_the_join_request_is_answered_and_unused_lines_stay_inactive() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.single(offer=peers.SINGLE) as ann:
        assert not ann.joined.subscriber_primary
        answer = (await ann.expect("answer")).answer
        assert answer.id == 1
        assert set(peers.directions(answer.sdp).values()) == {"inactive", ""}
        assert peers.directions(answer.sdp)["6"] == ""  # the data channels
        rid = "10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"  # left out here, Chromium offers it nowhere any more
        assert [rid in peers.value(section, "extmap") for section in peers.sections(answer.sdp)[4:7]] == [True] * 3
        assert [c.transport for c in relay.of(OpenTransport)] == [f"{ann.sid}/pub"]
        kinds = await ann.settled()
        assert "offer" not in kinds
        assert "media_sections_requirement" not in kinds
        relay.connect(f"{ann.sid}/pub")
        assert (await ann.expect("update")).update.participants[0].sid == ann.sid
        await ann.send(leave=LeaveRequest())
        await ann.closed()
        relay.play(TransportState(f"{ann.sid}/pub", "closed"))  # by its client: it could have said something before
        assert [c.transport for c in relay.of(CloseTransport)] == [f"{ann.sid}/pub"]


async def test_tracks_that_are_there_come_with_the_first_answer() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join("bob") as bob:
        sid = await publish(bob)
        async with world.single(offer=peers.SINGLE) as ann:
            answer = (await ann.expect("answer")).answer
            assert dict(answer.mid_to_track_id) == {"3": sid}
            assert peers.directions(answer.sdp)["3"] == "sendonly"
            assert f"{bob.sid}|camera {sid}" in peers.value(answer.sdp, "msid")
            command = relay.of(Subscribe)[-1]
            assert (command.transport, command.track, command.mid) == (f"{ann.sid}/pub", sid, "3")
            assert (command.payload_type, command.rtx_payload_type) == (96, 97)  # the client's own
            assert command.extensions.mid == 4
            assert (await bob.expect("track_subscribed")).track_subscribed.track_sid == sid


async def test_a_new_track_asks_for_a_new_offer_and_more_lines_where_they_lack() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.single(offer=peers.SINGLE) as ann, AsyncExitStack() as stack:
        await ann.expect("answer")
        bobs = [await stack.enter_async_context(world.join(f"bob{number}")) for number in range(4)]
        sids = [await publish(bob) for bob in bobs]
        asked = (await ann.expect("media_sections_requirement")).media_sections_requirement
        assert (asked.num_audios, asked.num_videos) == (0, 0)  # the first fits a free line
        assert "media_sections_requirement" not in await ann.settled()  # one is outstanding at most
        await ann.send(offer=SessionDescription(type="offer", sdp=peers.SINGLE, id=2))
        answer = (await ann.expect("answer")).answer
        assert dict(answer.mid_to_track_id) == {"3": sids[0], "4": sids[1], "5": sids[2]}
        asked = (await ann.expect("media_sections_requirement")).media_sections_requirement
        assert (asked.num_audios, asked.num_videos) == (0, 1)
        await ann.send(offer=SessionDescription(type="offer", sdp=peers.more_lines(peers.SINGLE, 0, 1), id=3))
        answer = (await ann.expect("answer")).answer
        assert dict(answer.mid_to_track_id) == {"3": sids[0], "4": sids[1], "5": sids[2], "7": sids[3]}
        assert [c.mid for c in relay.of(Subscribe)] == ["3", "4", "5", "7"]
        assert relay.of(Unsubscribe) == []


async def test_a_line_is_inactive_once_before_it_carries_another_track() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join("bob") as bob, world.join("eve") as eve:
        sid = await publish(bob)
        async with world.single(offer=peers.SINGLE) as ann:
            await ann.expect("answer")
            await ann.send(subscription=UpdateSubscription(track_sids=[sid], subscribe=False))
            await ann.expect("media_sections_requirement")
            assert len(relay.of(Unsubscribe)) == 1
            await ann.send(subscription=UpdateSubscription(track_sids=[sid], subscribe=True))
            other = await publish(eve)
            await ann.send(offer=SessionDescription(type="offer", sdp=peers.SINGLE, id=2))
            answer = (await ann.expect("answer")).answer
            assert peers.directions(answer.sdp)["3"] == "inactive"
            assert dict(answer.mid_to_track_id) == {"4": sid, "5": other}


async def test_publishing_on_the_same_connection() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.single(offer=peers.publisher(audio="recvonly", video="recvonly")) as ann:
        await ann.expect("answer")
        sid = await publish(ann, number=2)
        answer = (await ann.expect("answer")).answer
        assert peers.directions(answer.sdp) == {"0": "", "1": "inactive", "2": "recvonly"}
        added = relay.of(AddTrack)[-1]
        assert (added.transport, added.track) == (f"{ann.sid}/pub", sid)
        assert [encoding.rid for encoding in added.encodings] == ["q", "h", "f"]


async def test_no_section_of_firefox_is_rejected() -> None:
    """It ends a line for good whose answer has port 0; its own port is 0 where the line is bundle-only."""
    relay = RecordedRelay()
    async with serve(relay) as world, world.join("bob") as bob:
        sid = await publish(bob)
        async with world.single(offer=peers.FIREFOX_SINGLE) as ann:
            answer = (await ann.expect("answer")).answer
            assert re.findall(r"(?m)^m=\w+ 0 ", answer.sdp) == []
            assert peers.value(answer.sdp, "group") == peers.value(peers.FIREFOX_SINGLE, "group")
            assert list(answer.mid_to_track_id.values()) == [sid]
            assert sorted(peers.directions(answer.sdp).values()) == ["", *["inactive"] * 5, "sendonly"]


async def test_a_line_the_client_takes_back_gives_its_track_to_another() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join("bob") as bob:
        sid = await publish(bob, "audio")
        async with world.single(offer=peers.SINGLE) as ann:
            assert dict((await ann.expect("answer")).answer.mid_to_track_id) == {"0": sid}
            first = peers.sections(peers.SINGLE)[1]
            sending = peers.SINGLE.replace(first, first.replace("a=recvonly", "a=sendonly"))
            await ann.send(offer=SessionDescription(type="offer", sdp=sending, id=2))
            assert dict((await ann.expect("answer")).answer.mid_to_track_id) == {"1": sid}
            assert [type(c) for c in relay.commands if isinstance(c, Subscribe | Unsubscribe)] == [
                Subscribe,
                Unsubscribe,
                Subscribe,
            ]


async def test_a_client_that_brings_no_lines_is_not_asked_for_ever() -> None:
    relay = RecordedRelay()
    bare = peers.publisher(audio="inactive", video="inactive")
    async with serve(relay) as world, world.single(offer=bare) as ann, world.join("bob") as bob:
        await ann.expect("answer")
        sid = await publish(bob)
        asked = 0
        for number in range(2, 12):
            kinds = await ann.settled()
            if "media_sections_requirement" not in kinds:
                break
            asked += 1
            await ann.send(offer=SessionDescription(type="offer", sdp=bare, id=number))
        assert asked == 5
        assert ann.last("subscription_response").subscription_response.track_sid == sid
        assert relay.of(Subscribe) == []


async def test_a_client_that_does_not_offer_though_asked_joins_again() -> None:
    clock = Clock(1_800_000_000.0)
    settings = RtcSettings(tick=0.01, answer=5, connect=1e9)
    async with serve(RecordedRelay(), settings=settings, clock=clock) as world, world.single() as ann:
        await ann.settled()
        clock.now += 6
        leave = (await ann.expect("leave")).leave
        assert (leave.action, leave.reason) == (LeaveRequest.RECONNECT, DisconnectReason.STATE_MISMATCH)


async def test_permissions_and_data_and_ice_restart() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.single(offer=peers.SINGLE) as ann, world.join("bob") as bob:
        await ann.expect("answer")
        relay.connect(f"{ann.sid}/pub", f"{bob.sid}/sub")
        relay.play(DataReceived(f"{bob.sid}/pub", "_reliable", b"\x12\x04\x12\x02hi", reliable=True))
        assert [(c.transports, c.label) for c in relay.of(SendData)] == [([f"{ann.sid}/pub"], "_reliable")]
        sid = await publish(bob)
        await ann.expect("media_sections_requirement")
        await bob.send(subscription_permission=SubscriptionPermission(all_participants=False))
        await ann.expect("subscription_permission_update")
        await ann.send(offer=SessionDescription(type="offer", sdp=peers.SINGLE, id=2))
        assert dict((await ann.expect("answer")).answer.mid_to_track_id) == {}
        await bob.send(subscription_permission=SubscriptionPermission(all_participants=True))
        await ann.expect("media_sections_requirement")
        before = peers.value(ann.last("answer").answer.sdp, "ice-ufrag")[0]
        restarted = peers.SINGLE.replace(peers.value(peers.SINGLE, "ice-ufrag")[0], "wxyz")
        await ann.send(offer=SessionDescription(type="offer", sdp=restarted, id=3))
        answer = (await ann.expect("answer")).answer
        assert dict(answer.mid_to_track_id) == {"3": sid}
        assert len(relay.of(RestartIce)) == 1
        assert before not in peers.value(answer.sdp, "ice-ufrag")


async def test_lines_have_a_bound() -> None:
    relay = RecordedRelay()
    async with (
        serve(relay, settings=RtcSettings(max_lines=8)) as world,
        world.single(offer=peers.SINGLE) as ann,
        AsyncExitStack() as stack,
    ):
        await ann.expect("answer")
        bobs = [await stack.enter_async_context(world.join(f"bob{number}")) for number in range(5)]
        sids = [await publish(bob) for bob in bobs]
        error = (await ann.expect("subscription_response")).subscription_response
        assert error.track_sid == sids[4]  # three lines, and one more makes eight sections
        await ann.send(offer=SessionDescription(type="offer", sdp=peers.more_lines(peers.SINGLE, 0, 1), id=2))
        assert sorted((await ann.expect("answer")).answer.mid_to_track_id.values()) == sorted(sids[:4])


async def test_without_the_right_to_subscribe_nothing_comes() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join("bob") as bob:
        await publish(bob)
        async with world.single(offer=peers.SINGLE, can_subscribe=False) as ann:
            assert dict((await ann.expect("answer")).answer.mid_to_track_id) == {}
            assert relay.of(Subscribe) == []


# --- the join request ------------------------------------------------------------------------------------------------


def wrap(inner: bytes, compression: int = WrappedJoinRequest.GZIP) -> str:
    wrapped = WrappedJoinRequest(join_request=inner, compression=compression)  # type: ignore[arg-type]
    return base64.urlsafe_b64encode(wrapped.SerializeToString()).decode()


BOMB = gzip.compress(bytes(50 * 1024 * 1024))  # 50 KB that would be 50 MB


@pytest.mark.parametrize(
    "request_",
    [
        "%%%",
        "AAAA",
        "caf\u00e9",
        base64.urlsafe_b64encode(b"\xff\xff\xff").decode(),
        wrap(b"not gzip"),
        wrap(gzip.compress(b"\xff\xff\xff")),
        wrap(gzip.compress(JoinRequest(metadata="m" * 1000).SerializeToString())[:-20]),
        wrap(b"\xff\xff\xff", WrappedJoinRequest.NONE),
        wrap(b"", 7),
    ],
)
async def test_malformed_join_requests(request_: str) -> None:
    async with serve(RecordedRelay()) as world:
        params = {"access_token": world.token(), "join_request": request_}
        for path in ("/rtc/v1", "/rtc/v1/validate"):
            async with world.http.get(f"{world.url}{path}", params=params) as response:
                assert response.status == 400
                assert Code.BAD_REQUEST in await response.text()


async def test_a_bomb_is_not_inflated() -> None:
    async with serve(RecordedRelay()) as world:
        for inner in (BOMB[:40_000], gzip.compress(JoinRequest(metadata="m" * 300_000).SerializeToString())):
            params = {"access_token": world.token(), "join_request": wrap(inner)}
            async with world.http.get(f"{world.url}/rtc/v1/validate", params=params) as response:
                assert response.status == 400
                assert Code.TOO_LARGE in await response.text()


def test_a_bomb_costs_no_memory() -> None:
    packed_bomb = wrap(BOMB)
    tracemalloc.start()
    with pytest.raises(Refusal):
        arrivals.unwrap(packed_bomb, 256 * 1024)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 1024 * 1024


async def test_a_request_line_has_a_bound() -> None:
    async with serve(RecordedRelay()) as world:
        url = f"{world.url}/rtc/v1/validate?access_token={world.token()}&join_request={'A' * 70_000}"
        async with world.http.get(url) as response:
            assert response.status == 400
        assert await refusal(world, world.token()) == (200, None)


@pytest.mark.parametrize("compression", [WrappedJoinRequest.GZIP, WrappedJoinRequest.NONE])
async def test_validate_speaks_for_v1_too(compression: WrappedJoinRequest.Compression) -> None:
    async with serve(RecordedRelay()) as world:
        assert await refusal(world, "nonsense", "/rtc/v1/validate") == (401, Code.TOKEN_INVALID)
        params = {"access_token": world.token(), "join_request": packed(JoinRequest(), compression)}
        async with world.http.get(f"{world.url}/rtc/v1/validate", params=params) as response:
            assert (response.status, await response.text()) == (200, "success")
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await world.http.ws_connect(f"{world.url}/rtc/v1?join_request=%%&access_token={world.token()}")


async def test_tracks_and_wishes_in_the_join_request() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join("bob") as bob:
        await publish(bob)
        asked = AddTrackRequest(cid=peers.VIDEO_ID, type=TrackType.VIDEO, source=TrackSource.CAMERA)
        offer = SessionDescription(sdp=peers.publisher(audio="recvonly"), id=4)
        request = JoinRequest(publisher_offer=offer, add_track_requests=[asked])
        request.connection_settings.auto_subscribe = False
        query = f"?access_token={world.token()}&join_request={packed(request)}"
        async with world.http.ws_connect(f"{world.url}/rtc/v1{query}") as socket:
            ann = Client(socket)
            ann.joined = (await ann.expect("join")).join
            assert (await ann.expect("track_published")).track_published.cid == peers.VIDEO_ID
            assert (await ann.expect("answer")).answer.id == 4
            assert relay.of(AddTrack)[-1].transport == f"{ann.sid}/pub"
            assert [c.transport for c in relay.of(Subscribe)] == []


@pytest.mark.parametrize(
    ("allowed", "about", "reason", "told"),
    [
        (True, {"mood": "fine"}, RequestResponse.OK, {"mood": "fine"}),
        (False, {"mood": "fine"}, RequestResponse.NOT_ALLOWED, {}),
        (True, {"room": "lln-lauzelle"}, RequestResponse.NOT_ALLOWED, {}),
        (True, {"mood": "x" * 20_000}, RequestResponse.LIMIT_EXCEEDED, {}),
    ],
)
async def test_what_a_client_says_of_itself_as_it_joins(
    allowed: bool, about: dict[str, str], reason: int, told: dict[str, str]
) -> None:
    async with (
        serve(RecordedRelay()) as world,
        world.single(offer=peers.SINGLE, about=about, can_update_own_metadata=allowed) as ann,
    ):
        assert (await ann.expect("request_response")).request_response.reason == reason
        await ann.expect("answer")
        async with world.join("guest:bob") as bob:
            (other,) = bob.joined.other_participants
            assert dict(other.attributes) == told


@pytest.mark.parametrize(
    ("named", "source", "stream"),
    [
        ("", TrackSource.SCREEN_SHARE, "screen_share"),
        ("stage", TrackSource.CAMERA, "stage"),
        ("TR_other", TrackSource.CAMERA, "camera"),  # would be taken for a track
        ("a|b\r\na=x", TrackSource.CAMERA, "camera"),
        ("", TrackSource.UNKNOWN, None),
    ],
)
def test_the_stream_a_track_is_in(named: str, source: TrackSource, stream: str | None) -> None:
    track = from_request("PA_1", AddTrackRequest(cid="c", type=TrackType.VIDEO, source=source, stream=named))
    assert track.stream == (stream or track.sid)
