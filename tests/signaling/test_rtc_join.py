"""Joining, leaving, who is told what, tokens and admission, with a recorded relay."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import msgspec
import pytest
from google.protobuf import json_format
from livekit.protocol.models import ClientInfo, DisconnectReason, ParticipantInfo
from livekit.protocol.rtc import LeaveRequest, Ping, SignalResponse

from relay.messages import CloseTransport, OpenDataChannel, OpenTransport, TransportState
from signaling.media import Grants, Leave, MediaChanged
from signaling.rtc import RtcSettings
from tests.signaling.rtc import peers
from tests.signaling.rtc.world import RecordedRelay, World, serve
from wire.problems import Code, Problem


async def test_join_says_who_is_there_and_offers_data_channels() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join("guest:ann", name="Ann", attributes={"kind": "person"}) as ann:
        join = ann.joined
        assert (join.room.name, join.participant.identity, join.participant.name) == ("demo", "guest:ann", "Ann")
        assert join.participant.state == ParticipantInfo.JOINED
        assert dict(join.participant.attributes) == {"kind": "person"}
        assert join.subscriber_primary
        assert join.fast_publish
        assert (join.ping_interval, join.ping_timeout) == (2, 8)
        assert [codec.mime for codec in join.enabled_publish_codecs] == [
            "video/VP8",
            "video/H264",
            "video/VP9",
            "video/AV1",
            "audio/opus",
            "audio/red",
        ]
        offer = (await ann.expect("offer")).offer
        assert offer.id == 1
        assert "m=application" in offer.sdp
        assert "a=ice-lite" in offer.sdp
        assert peers.value(offer.sdp, "setup") == ["actpass"]
        assert [c.label for c in relay.of(OpenDataChannel)] == ["_reliable", "_lossy"]
        assert [c.room for c in relay.of(OpenTransport)] == ["demo", "demo"]
        async with world.join("guest:bob") as bob:
            assert [p.identity for p in bob.joined.other_participants] == ["guest:ann"]
            told = (await ann.expect("update")).update.participants
            assert [(p.identity, p.state) for p in told] == [("guest:bob", ParticipantInfo.JOINED)]
            await bob.send(leave=LeaveRequest())
            told = (await ann.expect("update")).update.participants
            assert [(p.identity, p.state) for p in told] == [("guest:bob", ParticipantInfo.DISCONNECTED)]
            assert await bob.closed() == (1000, "left")


async def test_frames_that_a_server_makes_would_end_alike_in_one_room_only() -> None:
    async with (
        serve(RecordedRelay()) as world,
        world.join("guest:ann") as ann,
        world.join("guest:bob") as bob,
        world.join("guest:eve", media="other") as eve,
    ):
        assert len(ann.joined.sif_trailer) == 16
        assert ann.joined.sif_trailer == bob.joined.sif_trailer != eve.joined.sif_trailer


async def test_active_once_the_primary_connection_is_up() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann:
        relay.connect(f"{ann.sid}/pub")
        assert "update" not in await ann.settled()
        relay.connect(f"{ann.sid}/sub")
        assert (await ann.expect("update")).update.participants[0].state == ParticipantInfo.ACTIVE


async def test_both_connections_may_fail_at_once(caplog: pytest.LogCaptureFixture) -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann:
        relay.play(*(TransportState(f"{ann.sid}/{end}", "failed", reason="ice_timeout") for end in ("pub", "sub")))
        assert (await ann.expect("leave")).leave.action == LeaveRequest.RECONNECT
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_failed_connection_asks_for_a_full_reconnect() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann:
        relay.play(TransportState(f"{ann.sid}/sub", "failed", reason="consent expired"))
        leave = (await ann.expect("leave")).leave
        assert (leave.action, leave.reason) == (LeaveRequest.RECONNECT, DisconnectReason.MEDIA_FAILURE)
        await ann.closed()
        assert {c.transport for c in relay.of(CloseTransport)} == {f"{ann.sid}/pub", f"{ann.sid}/sub"}
        assert world.server.participants("demo") == []


async def test_the_same_identity_replaces_the_older_session() -> None:
    async with serve(RecordedRelay()) as world, world.join() as old:
        changes: list[MediaChanged] = []
        heard = asyncio.Event()

        def listener(change: MediaChanged) -> None:
            changes.append(change)
            heard.set()

        world.server.listen(listener)
        async with world.join() as new:
            leave = (await old.expect("leave")).leave
            assert (leave.reason, leave.action) == (DisconnectReason.DUPLICATE_IDENTITY, LeaveRequest.DISCONNECT)
            assert list(new.joined.other_participants) == []
            async with asyncio.timeout(5):
                await heard.wait()
            assert changes[0].left == (("guest:ann", Leave.DUPLICATE),)
            assert len(world.server.participants("demo")) == 1


async def test_hidden_sessions_are_not_announced() -> None:
    async with serve(RecordedRelay()) as world, world.join("guest:ann") as ann:
        async with world.join("room:x/display", hidden=True) as display:
            assert [p.identity for p in display.joined.other_participants] == ["guest:ann"]
            assert "update" not in await ann.settled()
            async with world.join("guest:bob") as bob:
                assert [p.identity for p in bob.joined.other_participants] == ["guest:ann"]
                assert bob.joined.room.num_participants == 2
        await ann.settled()
        assert {p.identity for r in ann.seen for p in r.update.participants} == {"guest:bob"}


async def test_pings() -> None:
    async with serve(RecordedRelay()) as world, world.join() as ann:
        await ann.send(ping_req=Ping(timestamp=42, rtt=7))
        assert (await ann.expect("pong_resp")).pong_resp.last_ping_timestamp == 42
        await ann.send(ping=1)
        assert (await ann.expect("pong")).pong > 1_600_000_000_000


async def test_json_clients_are_answered_in_json() -> None:
    async with serve(RecordedRelay()) as world, world.join() as ann:
        await ann.expect("offer")
        await ann.socket.send_str('{"pingReq": {"timestamp": "42"}}')
        frame = await ann.socket.receive_str()
        assert json_format.Parse(frame, SignalResponse()).pong_resp.last_ping_timestamp == 42


async def test_removing_and_ending() -> None:
    async with serve(RecordedRelay()) as world, world.join("guest:ann") as ann, world.join("guest:bob") as bob:
        world.server.remove("demo", "guest:ann", Leave.REMOVED)
        assert (await ann.expect("leave")).leave.reason == DisconnectReason.PARTICIPANT_REMOVED
        assert await ann.closed() == (1000, "removed")
        world.server.end("demo")
        assert (await bob.expect("leave")).leave.reason == DisconnectReason.ROOM_DELETED
        world.server.end("nowhere")
        world.server.remove("nowhere", "nobody", Leave.REMOVED)


async def test_a_stopping_server_asks_clients_to_come_back() -> None:
    async with serve(RecordedRelay()) as world, world.join() as ann:
        await world.server.close()
        leave = (await ann.expect("leave")).leave
        assert (leave.action, leave.reason) == (LeaveRequest.RECONNECT, DisconnectReason.SERVER_SHUTDOWN)
        assert await refusal(world, world.token()) == (503, Code.UNAVAILABLE)


async def refusal(world: World, token: str, path: str = "/rtc/validate") -> tuple[int, Code | None]:
    """Status and problem code of a plain GET."""
    async with world.http.get(f"{world.url}{path}?access_token={token}") as response:
        body = await response.read()
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        return response.status, None if response.ok else msgspec.json.decode(body, type=Problem).code


async def test_why_a_join_would_fail() -> None:
    async with serve(RecordedRelay()) as world:
        assert await refusal(world, world.token()) == (200, None)
        assert await refusal(world, "nonsense") == (401, Code.TOKEN_INVALID)
        assert await refusal(world, world.tokens.mint(Grants("a", "demo"), -60)) == (401, Code.TOKEN_EXPIRED)
        assert await refusal(world, world.token(), "/rtc") == (400, Code.BAD_REQUEST)
        world.gate.problem = Problem(Code.MEETING_OVER, "the meeting is over")
        assert await refusal(world, world.token()) == (403, Code.MEETING_OVER)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await world.http.ws_connect(f"{world.url}/rtc?access_token={world.token()}")
        assert refused.value.status == 403


async def test_a_bearer_header_does_too() -> None:
    async with serve(RecordedRelay()) as world:
        headers = {"Authorization": f"Bearer {world.token()}"}
        async with world.http.ws_connect(f"{world.url}/rtc", headers=headers) as socket:
            assert SignalResponse.FromString(await socket.receive_bytes()).HasField("join")


class Clock:
    """Unix seconds that tests move."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def test_tokens_are_refreshed_while_admission_allows() -> None:
    clock = Clock(time.time())
    settings = RtcSettings(tick=0.01, silence=10_000, connect=10_000, answer=10_000)
    async with serve(RecordedRelay(), settings=settings, clock=clock) as world, world.join(name="Ann") as ann:
        clock.now += 301
        fresh = world.tokens.read((await ann.expect("refresh_token")).refresh_token)
        assert (fresh.grants.identity, fresh.grants.name, fresh.grants.media) == ("guest:ann", "Ann", "demo")
        assert fresh.expires_at == pytest.approx(time.time() + 600, abs=5)
        world.gate.problem = Problem(Code.MEETING_OVER, "over")
        clock.now += 600
        assert (await ann.expect("leave")).leave.reason == DisconnectReason.ROOM_DELETED


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (RtcSettings(tick=0.01, connect=5), DisconnectReason.CONNECTION_TIMEOUT),
        (RtcSettings(tick=0.01, answer=5), DisconnectReason.STATE_MISMATCH),
        (RtcSettings(tick=0.01, silence=5), DisconnectReason.CONNECTION_TIMEOUT),
    ],
)
async def test_the_stuck_and_the_silent_are_sent_away(settings: RtcSettings, reason: DisconnectReason) -> None:
    clock = Clock(time.time())
    async with serve(RecordedRelay(), settings=settings, clock=clock) as world, world.join() as ann:
        await ann.settled()
        clock.now += 6
        assert (await ann.expect("leave")).leave.reason == reason


@pytest.mark.parametrize("step", [3600.0, -3600.0])
async def test_setting_the_servers_clock_ends_nobody(step: float) -> None:
    """What lasts is measured by a clock that nobody sets; tokens and what is told go by the one that is set."""
    clock, wall = Clock(50.0), Clock(time.time())
    relay, settings = RecordedRelay(), RtcSettings(tick=0.01, connect=30, answer=1e6)
    async with serve(relay, settings=settings, clock=clock, wall=wall) as world, world.join("ann") as ann:
        assert ann.joined.participant.joined_at == int(wall.now)
        relay.connect(f"{ann.sid}/sub")
        await ann.settled()
        wall.now += step
        async with world.join("bob") as bob:
            assert bob.joined.participant.joined_at == int(wall.now)
            assert bob.joined.room.creation_time == int(wall.now - step)
            clock.now += 29  # bob is not connected yet; ann was never asked for anything
            await asyncio.gather(ann.settled(), bob.settled())
            clock.now += 2
            assert (await bob.expect("leave")).leave.reason == DisconnectReason.CONNECTION_TIMEOUT
            kinds = await ann.settled()
            assert "leave" not in kinds
            assert "refresh_token" not in kinds
            assert [p.grants.identity for p in world.server.participants("demo")] == ["ann"]


async def test_what_a_client_says_it_can_is_told_where_we_know_it() -> None:
    said = "&client_protocol=2&capabilities=CAP_NEW,CAP_COMPRESSION_DEFLATE_RAW,CAP_UNUSED,CAP_COMPRESSION_DEFLATE_RAW"
    async with serve(RecordedRelay()) as world, world.join(query=said) as ann:
        me = ann.joined.participant
        assert (me.client_protocol, list(me.capabilities)) == (2, [ClientInfo.CAP_COMPRESSION_DEFLATE_RAW])
        assert ann.joined.server_info.version == ann.joined.server_version == "1.13.7"
        assert ann.joined.server_info.debug_info.startswith("roomctl ")
