"""Sessions that end at an odd moment: as they join or resume, while nobody reads, where the relay refuses. None stays."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from livekit.protocol.models import DisconnectReason, TrackType
from livekit.protocol.rtc import (
    AddTrackRequest,
    ConnectionSettings,
    JoinRequest,
    LeaveRequest,
    SessionDescription,
    SyncState,
)

from relay.messages import CloseTransport, CommandFailed, Subscribe, TransportState
from signaling.media import Leave
from signaling.rtc import RtcSettings, requests, responses
from tests.signaling.rtc import peers
from tests.signaling.rtc.breaks import active, cut, lost, publish, receive, until
from tests.signaling.rtc.world import Client, RecordedRelay, World, packed, serve

LASTING = RtcSettings(tick=0.01, silence=1e6, connect=1e6, answer=1e6)


def empty(world: World) -> bool:
    """Whether the server keeps nothing of anybody."""
    delivery = world.server._delivery
    return not delivery.places and not delivery.connections and delivery.kept == 0


async def single(world: World, request: JoinRequest, identity: str = "guest:eve", **grants: Any) -> Client:
    """A client of path V1 whose `join_request` is what it is; nothing is read."""
    query = f"?access_token={world.token(identity, **grants)}&join_request={packed(request)}"
    return Client(await world.http.ws_connect(f"{world.url}/rtc/v1{query}", max_msg_size=0))


async def test_who_is_sent_away_for_what_it_asked_as_it_joined_is_told_and_forgotten() -> None:
    bad = AddTrackRequest(cid="", type=TrackType.VIDEO)
    asked = JoinRequest(connection_settings=ConnectionSettings(auto_subscribe=True), add_track_requests=[bad] * 25)
    async with serve(RecordedRelay()) as world:
        for _ in range(3):
            eve = await single(world, asked)
            assert await eve.closed() == (1008, "too_many: bad requests, the last bad_request")
            kinds = [message.WhichOneof("message") for message in eve.seen]
            assert (kinds[0], kinds[-1]) == ("join", "leave")
        await until(lambda: empty(world))


@pytest.mark.parametrize("again", [False, True], ids=["join", "resume"])
async def test_a_fault_of_ours_in_what_a_client_asks_as_it_comes_ends_its_session_alone(
    monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    relay = RecordedRelay()
    async with serve(relay, settings=LASTING) as world, world.join("bob") as bob:
        if again:
            offer = SessionDescription(sdp=peers.SINGLE, id=1)
            eve = await single(world, JoinRequest(publisher_offer=offer))
            sid = (await eve.expect("join")).join.participant.sid
            relay.connect(f"{sid}/pub")
            await eve.settled()
            cut(eve)
            await until(lambda: lost(world, sid))
            monkeypatch.setitem(requests._HANDLERS, "sync_state", broken)
            eve = await single(world, JoinRequest(reconnect=True, participant_sid=sid, sync_state=SyncState()))
        else:
            monkeypatch.setitem(requests._HANDLERS, "offer", broken)
            eve = await single(world, JoinRequest(publisher_offer=SessionDescription(sdp=peers.SINGLE, id=1)))
        code, text = await eve.closed()
        assert (code, text.partition(":")[0]) == (1011, "internal")
        assert eve.seen[-1].WhichOneof("message") == "leave"
        await until(lambda: len(world.server._delivery.connections) == 1)
        assert [p.grants.identity for p in world.server.participants("demo")] == ["bob"]
        await bob.settled()


@asynccontextmanager
async def deaf(world: World, identity: str) -> AsyncIterator[None]:
    """A client that asks to join on a bare TCP connection, and never reads an answer."""
    host, port = world.url.removeprefix("http://").split(":")
    key = base64.b64encode(bytes(16)).decode()
    head = f"GET /rtc?access_token={world.token(identity)} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
    head += f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(peer, (host, int(port)))
        await loop.sock_sendall(peer, head.encode())
        yield


@pytest.mark.parametrize("why", ["too slow", "removed", "closes"])
async def test_who_never_reads_keeps_no_connection(why: str) -> None:
    """Its writer waits for the kernel, which waits for the client: the session's end has to end that too."""
    settings = RtcSettings(outbox_bytes=2**30 if why != "too slow" else 200_000, silence=1e6, connect=1e6, parting=0.2)
    async with serve(RecordedRelay(), settings=settings) as world, world.join("bob") as bob, deaf(world, "eve"):
        await until(lambda: len(world.server.participants("demo")) == 2)
        room = world.server.rooms["demo"]
        eve = next(session for session in room.sessions.values() if session.identity == "eve")
        for _ in range(400):  # 24 MB, more than a kernel holds
            room.effects.send([eve.sid], responses.refresh_token("x" * 60_000))
            world.server.apply(room)
            await asyncio.sleep(0)
        if why == "removed":
            world.server.remove("demo", "eve", Leave.REMOVED)
        elif why == "closes":
            room.restart(eve, DisconnectReason.SERVER_SHUTDOWN)
            world.server.apply(room)
        assert eve.sid not in room.sessions
        await until(lambda: list(world.server._delivery.connections) == [bob.sid])
        await bob.settled()


@pytest.mark.parametrize("command", ["open_transport", "add_track", "subscribe"])
async def test_what_the_relay_refuses_for_good_is_joined_anew(command: str) -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=LASTING) as world, world.join("bob") as bob, world.join("eve") as eve:
        await active(relay, eve)
        await publish(bob)
        await receive(eve)
        names = {
            "open_transport": f"{eve.sid}/sub",
            "subscribe": relay.of(Subscribe)[-1].subscription,
            "add_track": (await publish(eve))["audio"],
        }
        relay.play(CommandFailed(command, names[command], "unknown_track", "it has just ended"))
        assert "leave" not in await eve.settled()
        relay.play(CommandFailed(command, names[command], "limit", "there are too many"))
        leave = (await eve.expect("leave")).leave
        assert (leave.action, leave.reason) == (LeaveRequest.RECONNECT, DisconnectReason.MEDIA_FAILURE)
        assert {c.transport for c in relay.of(CloseTransport)} == {f"{eve.sid}/pub", f"{eve.sid}/sub"}
        relay.play(CommandFailed("set_remote", f"{bob.sid}/pub", "invalid", "what was that"))
        assert "leave" not in await bob.settled()


@pytest.mark.parametrize("end", ["pub", "sub"])
async def test_a_connection_that_its_peer_closed_leaves_no_ghost(end: str) -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=LASTING) as world, world.join("bob") as bob, world.join("eve") as eve:
        await active(relay, eve)
        relay.play(TransportState(f"{eve.sid}/{end}", "closed", reason="close_notify"))
        leave = (await eve.expect("leave")).leave
        assert (leave.action, leave.reason) == (LeaveRequest.RECONNECT, DisconnectReason.MEDIA_FAILURE)
        relay.play(TransportState(f"{eve.sid}/{end}", "closed", reason="close_notify"))  # of what we closed ourselves
        await bob.settled()
        assert [p.grants.identity for p in world.server.participants("demo")] == ["bob"]


async def test_ones_own_ghost_keeps_nobody_out_of_a_full_room() -> None:
    relay, settings = RecordedRelay(), RtcSettings(tick=0.01, silence=1e6, connect=1e6, answer=1e6, max_sessions=2)
    async with serve(relay, settings=settings) as world, world.join("bob") as bob, world.join("ann") as ann:
        await active(relay, ann)
        cut(ann)
        await until(lambda: lost(world, ann.sid))
        for identity, status in (("ann", 200), ("eve", 503)):
            async with world.http.get(f"{world.url}/rtc/validate?access_token={world.token(identity)}") as answer:
                assert answer.status == status
        async with world.join("ann") as again:
            assert again.sid != ann.sid
            await bob.settled()
            assert [p.grants.identity for p in world.server.participants("demo")] == ["bob", "ann"]


async def test_who_comes_at_once_does_not_overfill_a_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the check and the upgrade another may take the last place."""
    ready, both = asyncio.Event(), 0
    prepare = web.WebSocketResponse.prepare

    async def together(response: web.WebSocketResponse, request: web.BaseRequest) -> object:
        nonlocal both
        both += 1
        if both == 2:
            ready.set()
        await ready.wait()
        return await prepare(response, request)

    monkeypatch.setattr(web.WebSocketResponse, "prepare", together)
    async with serve(RecordedRelay(), settings=RtcSettings(max_sessions=1)) as world:
        urls = [f"{world.url}/rtc?access_token={world.token(name)}" for name in ("ann", "bob")]
        sockets = await asyncio.gather(*(world.http.ws_connect(url) for url in urls))
        first = [(await Client(socket).receive()).WhichOneof("message") for socket in sockets]
        assert sorted(map(str, first)) == ["join", "leave"]
        assert len(world.server.participants("demo")) == 1
        for socket in sockets:
            await socket.close()
