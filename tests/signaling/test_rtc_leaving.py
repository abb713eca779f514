"""Who leaves while data of it are on their way: they arrive, and the others hear of the leave after them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from livekit.protocol.models import DataPacket, ParticipantInfo, UserPacket
from livekit.protocol.rtc import LeaveRequest

from relay.messages import (
    AwaitData,
    CloseTransport,
    DataReceived,
    DataTaken,
    DropData,
    SendData,
    TransportState,
)
from signaling.media import Leave
from signaling.rtc import RtcSettings
from tests.signaling.rtc import peers
from tests.signaling.rtc.world import Client, RecordedRelay, World, serve
from tests.signaling.test_rtc_data import played
from tests.signaling.test_rtc_publish import offer

HELLO = DataPacket(user=UserPacket(payload=b"hello"))


def told(client: Client) -> list[tuple[str, int]]:
    """(sid, state) of everybody that a client was told of, in order."""
    updates = [message.update for message in client.seen if message.WhichOneof("message") == "update"]
    return [(info.sid, info.state) for update in updates for info in update.participants]


async def gone(client: Client, other: Client) -> bool:
    """Whether a client knows by now that another left."""
    await client.settled()
    return (other.sid, ParticipantInfo.DISCONNECTED) in told(client)


@asynccontextmanager
async def left(relay: RecordedRelay, world: World, *others: Client, said: bool = True) -> AsyncIterator[Client]:
    """`a` said something, and left; the relay has not closed its transport."""
    async with world.join("a") as a:
        relay.connect(f"{a.sid}/sub", *(f"{other.sid}/sub" for other in others))
        await asyncio.gather(a.settled(), *(other.settled() for other in others))
        if said:
            played(relay, a, HELLO)
        await a.send(leave=LeaveRequest())
        await a.closed()
    yield a


async def test_what_came_of_who_leaves_goes_on() -> None:
    """The relay has acknowledged what waits there, and tells it as the transport is closed."""
    relay = RecordedRelay(closing=False)
    async with serve(relay) as world, world.join("b") as b:
        relay.connect(f"{b.sid}/sub")
        async with world.join("a") as a:
            await a.send(leave=LeaveRequest())
            await a.closed()
        assert f"{a.sid}/pub" in [command.transport for command in relay.of(CloseTransport)]
        hello = DataPacket(user=UserPacket(payload=b"hello"))
        played(relay, a, hello)
        played(relay, a, b"")
        relay.play(TransportState(f"{a.sid}/sub", "closed"))
        played(relay, a, hello)
        assert [command.transports for command in relay.of(SendData)] == [[f"{b.sid}/sub"]] * 2
        assert DataPacket.FromString(relay.of(SendData)[-1].payload).participant_identity == "a"
        assert len(relay.of(DropData)) == 1
        relay.play(TransportState(f"{a.sid}/pub", "closed"))
        played(relay, a, hello)
        assert len(relay.of(SendData)) == 2
        await b.settled()


@pytest.mark.parametrize("reason", [Leave.REMOVED, Leave.ENDED])
async def test_what_came_of_who_is_removed_goes_nowhere(reason: Leave) -> None:
    relay = RecordedRelay(closing=False)
    async with serve(relay) as world, world.join("b") as b, world.join("a") as a:
        relay.connect(f"{b.sid}/sub")
        world.server.remove("demo", "a", reason)
        played(relay, a, DataPacket(user=UserPacket(payload=b"hello")))
        assert relay.of(SendData) == []
        assert await a.closed()


async def test_who_left_is_kept_for_a_while() -> None:
    """Where the relay never says that its transport is closed; and so many at most."""
    relay, now, hello = RecordedRelay(closing=False), [1000.0], DataPacket(user=UserPacket(payload=b"hello"))
    few = RtcSettings(max_leaving=2, parting=5.0)
    async with serve(relay, settings=few, clock=lambda: now[0]) as world, world.join("b") as b:
        relay.connect(f"{b.sid}/sub")
        gone: list[Client] = []
        for name in ("x", "y", "z"):
            async with world.join(name) as client:
                await client.send(leave=LeaveRequest())
                await client.closed()
            gone.append(client)
        for client in gone:
            played(relay, client, hello)
        said = [DataPacket.FromString(command.payload).participant_identity for command in relay.of(SendData)]
        assert said == ["y", "z"]
        now[0] += 6
        played(relay, gone[-1], hello)
        assert len(relay.of(SendData)) == 2


async def test_a_leave_is_told_after_the_last_data() -> None:
    relay = RecordedRelay(closing=False)
    async with serve(relay) as world, world.join("b") as b, world.join("c") as c, left(relay, world, b, c) as a:
        assert "a" not in [session.identity for session in world.server.rooms["demo"].sessions.values()]
        played(relay, a, HELLO)
        assert not await gone(b, a)
        relay.play(TransportState(f"{a.sid}/pub", "closed"))
        asked = [command.transport for command in relay.of(AwaitData)]
        assert asked == [f"{b.sid}/sub", f"{c.sid}/sub"]
        data, ask = [relay.commands.index(relay.of(kind)[place]) for kind, place in ((SendData, -1), (AwaitData, 0))]
        assert data < ask
        assert not await gone(b, a)
        relay.play(DataTaken(a.sid, f"{b.sid}/sub"))
        assert (await gone(b, a), await gone(c, a)) == (True, False)
        relay.play(DataTaken(a.sid, f"{c.sid}/sub"))
        assert await gone(c, a)


async def test_of_who_said_nothing_a_leave_is_told_as_its_transport_is_closed() -> None:
    """Those whose media is not up get no data: they are told at once then, too."""
    relay = RecordedRelay(closing=False)
    async with serve(relay) as world, world.join("b") as b, world.join("c") as c:
        async with left(relay, world, b, said=False) as a:
            assert not await gone(b, a)
            relay.play(TransportState(f"{a.sid}/pub", "closed"))
            assert (await gone(b, a), await gone(c, a), relay.of(AwaitData)) == (True, True, [])
        async with left(relay, world, b) as a:
            relay.play(TransportState(f"{a.sid}/pub", "closed"))
            assert (await gone(b, a), await gone(c, a)) == (False, True)


async def test_the_connection_of_who_left_stays_until_its_client_ends_it() -> None:
    """Its tracks end at once, and so does what it subscribed to (path V0)."""
    relay = RecordedRelay(closing=False)
    async with (
        serve(relay, settings=RtcSettings(linger=60.0)) as world,
        world.join("b") as b,
        left(relay, world, b) as a,
    ):
        publisher = f"{a.sid}/pub"
        assert [command.transport for command in relay.of(CloseTransport)] == [f"{a.sid}/sub"]
        relay.play(TransportState(publisher, "closed"))
        assert [command.transport for command in relay.of(CloseTransport)][1:] == [publisher]


async def test_the_connection_of_who_left_stays_for_half_a_second() -> None:
    """A request to leave overtakes data."""
    relay = RecordedRelay(closing=False)
    async with serve(relay) as world, world.join("b") as b:
        async with left(relay, world, b) as a:
            async with asyncio.timeout(5):
                while CloseTransport(f"{a.sid}/pub") not in relay.commands:
                    await asyncio.sleep(0.01)
            played(relay, a, HELLO)
            assert len(relay.of(SendData)) == 2
        async with left(relay, world, b, said=False) as a:
            assert CloseTransport(f"{a.sid}/pub") in relay.commands


async def test_the_first_message_of_who_leaves_at_once_goes_on_before_its_leave() -> None:
    """It was sent before the request to leave, and comes after it: the relay has seen nothing of its channel until then."""
    relay = RecordedRelay(closing=False)
    async with serve(relay, settings=RtcSettings(linger=60.0)) as world, world.join("b") as b:
        relay.connect(f"{b.sid}/sub")
        async with world.join("a") as a:
            publisher = f"{a.sid}/pub"
            await offer(a, peers.publisher())
            relay.connect(publisher)
            await a.send(leave=LeaveRequest())
            await a.closed()
        assert [command.transport for command in relay.of(CloseTransport)] == [f"{a.sid}/sub"]
        played(relay, a, HELLO)
        relay.play(TransportState(publisher, "closed"))
        assert [command.transports for command in relay.of(SendData)] == [[f"{b.sid}/sub"]]
        assert [command.transport for command in relay.of(CloseTransport)][1:] == [publisher]
        assert [command.transport for command in relay.of(AwaitData)] == [f"{b.sid}/sub"]
        assert not await gone(b, a)
        relay.play(DataTaken(a.sid, f"{b.sid}/sub"))
        assert await gone(b, a)


@pytest.mark.parametrize(
    ("may", "end", "port"),
    [
        pytest.param(False, "pub", 9, id="no right"),
        pytest.param(True, "sub", 9, id="no connection"),
        pytest.param(True, "pub", 0, id="no channel"),
    ],
)
async def test_nobody_waits_for_who_cannot_have_sent_anything(may: bool, end: str, port: int) -> None:
    relay = RecordedRelay(closing=False)
    async with serve(relay, settings=RtcSettings(linger=60.0)) as world, world.join("b") as b:
        relay.connect(f"{b.sid}/sub")
        async with world.join("a", can_publish_data=may) as a:
            publisher = f"{a.sid}/pub"
            await offer(a, re.sub(r"m=application \d+", f"m=application {port}", peers.publisher()))
            relay.connect(f"{a.sid}/{end}")
            await a.send(leave=LeaveRequest())
            await a.closed()
        assert publisher in [command.transport for command in relay.of(CloseTransport)]
        relay.play(TransportState(publisher, "closed"))
        assert relay.of(AwaitData) == []
        assert await gone(b, a)


async def test_who_leaves_for_too_many_is_told_of_at_once_in_its_own_room() -> None:
    relay = RecordedRelay(closing=False)
    settings = RtcSettings(max_leaving=1, linger=60.0, tick=60.0)
    async with serve(relay, settings=settings) as world, world.join("b") as b, left(relay, world, b) as a:
        async with world.join("x", media="other") as x:
            await x.send(leave=LeaveRequest())
            await x.closed()
        assert CloseTransport(f"{a.sid}/pub") in relay.commands
        assert await gone(b, a)


async def test_who_gets_no_data_is_told_of_a_leave_at_once() -> None:
    """A client of V0 that may not subscribe has no connection over which it would take any."""
    relay = RecordedRelay(closing=False)
    async with serve(relay) as world, world.join("b") as b, world.join("p", can_subscribe=False) as p:
        relay.connect(f"{p.sid}/pub")
        async with left(relay, world, b) as a:
            relay.play(TransportState(f"{a.sid}/pub", "closed"))
            assert [command.transport for command in relay.of(AwaitData)] == [f"{b.sid}/sub"]
            assert (await gone(b, a), await gone(p, a)) == (False, True)


@pytest.mark.parametrize(("port", "knows"), [(0, True), (9, False)])
async def test_who_offered_no_channel_on_path_v1_is_told_of_a_leave_at_once(port: int, knows: bool) -> None:
    """What is said waits at the relay for channels that never come."""
    relay = RecordedRelay(closing=False)
    mine = re.sub(r"m=application \d+", f"m=application {port}", peers.publisher())
    async with serve(relay) as world, world.join("b") as b, world.single("v", mine) as v:
        relay.connect(f"{v.sid}/pub")
        async with left(relay, world, b) as a:
            relay.play(TransportState(f"{a.sid}/pub", "closed"))
            asked = {command.transport for command in relay.of(AwaitData)}
            assert asked == {f"{b.sid}/sub"} | (set() if knows else {f"{v.sid}/pub"})
            assert (await gone(b, a), await gone(v, a)) == (False, knows)


async def test_a_leave_is_told_after_a_while_whoever_takes_no_data() -> None:
    relay, now = RecordedRelay(closing=False), [1000.0]
    settings = RtcSettings(parting=5.0, tick=0.01, silence=1e9)
    async with serve(relay, settings=settings, clock=lambda: now[0]) as world, world.join("b") as b:
        async with left(relay, world, b) as a:
            now[0] += 4.9
            await asyncio.sleep(0.1)  # ten ticks
            assert not await gone(b, a)
            now[0] += 0.2
            while not await gone(b, a):
                await asyncio.sleep(0.01)
        assert relay.of(AwaitData) == []


async def test_who_comes_back_is_told_after_its_end() -> None:
    """Clients know others by identity, and would take the end of the older one for that of the new one."""
    relay = RecordedRelay(closing=False)
    async with serve(relay) as world, world.join("b") as b, left(relay, world, b) as a, world.join("a") as again:
        await b.settled()
        assert told(b)[-2:] == [(a.sid, ParticipantInfo.DISCONNECTED), (again.sid, ParticipantInfo.JOINED)]
        played(relay, a, HELLO)
        assert len(relay.of(SendData)) == 2, "it has left by itself: what it had said goes on"
        relay.play(TransportState(f"{a.sid}/pub", "closed"))
        await b.settled()
        assert told(b)[-1] == (again.sid, ParticipantInfo.JOINED)


async def test_a_lost_session_is_told_after_its_data() -> None:
    """Its media failed: the relay tells of its data before."""
    relay = RecordedRelay(closing=False)
    async with serve(relay) as world, world.join("b") as b, world.join("a") as a:
        relay.connect(f"{b.sid}/sub")
        hello = DataReceived(f"{a.sid}/pub", "_reliable", HELLO.SerializeToString(), reliable=True)
        relay.play(hello, TransportState(f"{a.sid}/pub", "closed"))
        assert [command.transport for command in relay.of(AwaitData)] == [f"{b.sid}/sub"]
        assert not await gone(b, a)
        relay.play(DataTaken(a.sid, f"{b.sid}/sub"))
        assert await gone(b, a)


@pytest.mark.parametrize("whom", ["a", None])
async def test_what_came_of_who_is_removed_after_it_left_goes_nowhere(whom: str | None) -> None:
    """Nor does anything else of it, and all know."""
    relay = RecordedRelay(closing=False)
    async with serve(relay) as world, world.join("b") as b, left(relay, world, b) as a:
        if whom is None:
            world.server.end("other", Leave.ENDED)
            assert not await gone(b, a)
            world.server.silence("demo")
        else:
            world.server.remove("demo", "b's friend", Leave.REMOVED)
            world.server.remove("demo", whom, Leave.LEFT)
            assert not await gone(b, a)
            world.server.remove("demo", whom, Leave.REMOVED)
        assert await gone(b, a)
        played(relay, a, HELLO)
        assert len(relay.of(SendData)) == 1
