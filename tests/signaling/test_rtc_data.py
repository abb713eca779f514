"""Data packets: signed by us, routed as the sender says, dropped where not allowed."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from livekit.protocol.models import ActiveSpeakerUpdate, ChatMessage, DataPacket, UserPacket
from prometheus_client import REGISTRY

from relay.messages import DataReceived, DropData, SendData
from signaling.rtc import RtcSettings
from tests.signaling.rtc.world import Client, RecordedRelay, serve


def played(relay: RecordedRelay, sender: Client, packet: DataPacket | bytes, label: str = "_reliable") -> None:
    payload = packet if isinstance(packet, bytes) else packet.SerializeToString()
    relay.play(DataReceived(f"{sender.sid}/pub", label, payload, reliable=label != "_lossy"))


def dropped(reason: str) -> float:
    return REGISTRY.get_sample_value("roomctl_rtc_data_dropped_total", {"reason": reason}) or 0.0


async def test_routing() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join("a") as a, world.join("b") as b, world.join("c") as c:
        subs = {name: f"{client.sid}/sub" for name, client in (("a", a), ("b", b), ("c", c))}
        relay.connect(*subs.values())
        await asyncio.gather(a.settled(), b.settled(), c.settled())
        spoofed = DataPacket(user=UserPacket(payload=b"hello", participant_identity="c"), participant_identity="c")
        played(relay, a, spoofed)
        played(relay, a, DataPacket(user=UserPacket(payload=b"1"), destination_identities=["b"]))
        played(relay, a, DataPacket(user=UserPacket(payload=b"2", destination_identities=["c"])), "_lossy")
        played(relay, a, DataPacket(user=UserPacket(payload=b"3", destination_sids=[c.sid])))
        played(relay, a, DataPacket(chat_message=ChatMessage(message="hi"), destination_identities=["nobody"]))
        to_all, to_b, to_c, to_sid = relay.of(SendData)
        assert set(to_all.transports) == {subs["b"], subs["c"]}
        assert (to_b.transports, to_c.transports, to_sid.transports) == ([subs["b"]], [subs["c"]], [subs["c"]])
        assert (to_b.label, to_c.label) == ("_reliable", "_lossy")
        packet = DataPacket.FromString(to_all.payload)
        assert (packet.participant_identity, packet.participant_sid) == ("a", a.sid)
        assert (packet.user.participant_identity, packet.user.payload) == ("a", b"hello")
        assert list(DataPacket.FromString(to_b.payload).destination_identities) == []


async def test_what_is_dropped() -> None:
    relay = RecordedRelay()
    settings = RtcSettings(reliable_burst=8, reliable_rate=0.001)
    async with serve(relay, settings=settings) as world, AsyncExitStack() as stack:
        a, b = [await stack.enter_async_context(world.join(name)) for name in "ab"]
        mute = await stack.enter_async_context(world.join("mute", can_publish_data=False))
        ghost = await stack.enter_async_context(world.join("ghost", hidden=True))
        relay.connect(f"{b.sid}/sub")
        hello = DataPacket(user=UserPacket(payload=b"hello"))
        played(relay, mute, hello)
        played(relay, a, hello, "chat")
        played(relay, a, b"\xff\xff\xff")
        played(relay, a, b"")
        played(relay, a, DataPacket(speaker=ActiveSpeakerUpdate()))
        played(relay, a, DataPacket(user=UserPacket(payload=b"x" * 65536)))
        named = ["b", *map(str, range(256))]
        before = dropped("too_many_destinations")
        for words in (
            DataPacket(user=UserPacket(payload=b"x"), destination_identities=named),
            DataPacket(user=UserPacket(payload=b"x", destination_identities=named[1:], destination_sids=[b.sid])),
        ):
            played(relay, a, words, "_lossy")
        assert dropped("too_many_destinations") == before + 2
        relay.play(DataReceived(f"{a.sid}/sub", "_reliable", hello.SerializeToString(), reliable=True))
        relay.play(DataReceived("PA_gone/pub", "_reliable", hello.SerializeToString(), reliable=True))
        assert relay.of(SendData) == []
        played(relay, a, DataPacket(user=UserPacket(payload=b"x"), destination_identities=named[:256]), "_lossy")
        assert [command.transports for command in relay.of(SendData)] == [[f"{b.sid}/sub"]]
        for _ in range(20):
            played(relay, a, hello)
        assert 1 < len(relay.of(SendData)) < 8
        played(relay, ghost, hello)
        assert DataPacket.FromString(relay.of(SendData)[-1].payload).participant_identity == ""


async def test_reliable_data_are_answered_whatever_becomes_of_them() -> None:
    """The relay holds back who sends more than its receivers take, and knows by the answers who gets what."""
    relay = RecordedRelay()
    settings = RtcSettings(reliable_burst=3, reliable_rate=0.001)
    async with serve(relay, settings=settings) as world, world.join("a") as a, world.join("b") as b:
        relay.connect(f"{a.sid}/sub", f"{b.sid}/sub")
        await asyncio.gather(a.settled(), b.settled())
        hello = DataPacket(user=UserPacket(payload=b"hello")).SerializeToString()
        publisher, other = f"{a.sid}/pub", f"{a.sid}/sub"
        relay.play(DataReceived(publisher, "_reliable", hello, reliable=True))
        relay.play(DataReceived(publisher, "_lossy", hello))
        assert [command.source for command in relay.of(SendData)] == [publisher, None]
        for malformed in (b"", b"\xff", hello):  # the last one is over the rate
            relay.play(DataReceived(publisher, "_reliable", malformed, reliable=True))
        relay.play(DataReceived(other, "_reliable", hello, reliable=True))
        assert [command.transport for command in relay.of(DropData)] == [publisher] * 3 + [other]


async def test_who_lost_the_right_to_subscribe_gets_no_data() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join("a") as a, world.join("b") as b, world.join("c") as c:
        relay.connect(*(f"{client.sid}/sub" for client in (a, b, c)))
        await asyncio.gather(a.settled(), b.settled(), c.settled())
        world.server.rooms["demo"].sessions[b.sid].deaf = True
        hello = DataPacket(user=UserPacket(payload=b"hello"))
        played(relay, a, hello)
        played(relay, a, DataPacket(user=UserPacket(payload=b"1"), destination_identities=["b"]), "_lossy")
        assert [command.transports for command in relay.of(SendData)] == [[f"{c.sid}/sub"]]


async def test_the_reliable_label_alone_makes_no_data_reliable() -> None:
    """Its sender is not held back, and so may not fill what waits for others on the channel that holds back the rest."""
    relay = RecordedRelay()
    async with serve(relay) as world, world.join("a") as a, world.join("b") as b:
        relay.connect(f"{a.sid}/sub", f"{b.sid}/sub")
        await asyncio.gather(a.settled(), b.settled())
        numbered = DataPacket(user=UserPacket(payload=b"hello"), sequence=7).SerializeToString()
        relay.play(DataReceived(f"{a.sid}/pub", "_reliable", numbered))
        assert [(command.label, command.source) for command in relay.of(SendData)] == [("_lossy", None)]
        room = world.server.rooms["demo"]
        assert (room.sessions[a.sid].last_sequence, len(room.history), relay.of(DropData)) == (0, 0, [])


AT_ONCE = 800 + 576 * 1024 // 64
"""Reliable messages that the relay tells of one client at once at most: what it does not space, and all that waits there."""


async def test_reliable_data_that_the_relay_spaces_are_never_over_the_rate() -> None:
    """Whatever comes lossily beside; and there is a bound beyond."""
    relay = RecordedRelay()
    async with serve(relay, clock=lambda: 1000.0) as world, world.join("a") as a, world.join("b") as b:
        relay.connect(f"{a.sid}/sub", f"{b.sid}/sub")
        await asyncio.gather(a.settled(), b.settled())
        hello = DataPacket(user=UserPacket(payload=b"hello")).SerializeToString()
        lossy = DataReceived(f"{a.sid}/pub", "_lossy", hello)
        relay.play(*[lossy] * 1100)
        assert len(relay.of(SendData)) == 1000
        reliable = DataReceived(f"{a.sid}/pub", "_reliable", hello, reliable=True)
        relay.play(*[reliable] * AT_ONCE)
        assert (len(relay.of(SendData)) - 1000, relay.of(DropData)) == (AT_ONCE, [])
        relay.play(*[reliable] * AT_ONCE)
        assert len(relay.of(DropData)) == 2 * AT_ONCE - 12_000


async def test_every_kind_of_packet_passes_but_who_speaks() -> None:
    """The server alone says who speaks; of all else it reads no more than to whom it goes."""
    relay = RecordedRelay()
    kinds = [field.name for field in DataPacket.DESCRIPTOR.oneofs_by_name["value"].fields]
    async with serve(relay) as world, world.join("a") as a, world.join("b") as b:
        relay.connect(f"{a.sid}/sub", f"{b.sid}/sub")
        await asyncio.gather(a.settled(), b.settled())
        before = dropped("malformed")
        for kind in kinds:
            packet = DataPacket()
            getattr(packet, kind).SetInParent()
            played(relay, a, packet)
        told = [DataPacket.FromString(command.payload) for command in relay.of(SendData)]
    assert [packet.WhichOneof("value") for packet in told] == [kind for kind in kinds if kind != "speaker"]
    assert {packet.participant_identity for packet in told} == {"a"}
    assert dropped("malformed") == before + 1
