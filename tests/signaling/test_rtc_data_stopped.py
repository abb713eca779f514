"""A client that is sent reliable data and reads none of it: a process that is stopped, as a computer is that sleeps."""

from __future__ import annotations

import asyncio

import pytest
from livekit import rtc
from livekit.protocol.models import DataPacket

from relay import Relay
from signaling.media import Leave
from tests.signaling.rtc.aio import subscriber
from tests.signaling.rtc.listener import Listener, listener, numbered
from tests.signaling.rtc.world import World, serve
from tests.signaling.test_rtc_python_paths import Person, person

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]
SIZE, COUNT = 15_000, 300
"""Bytes of a message, and how many: 4.5 MB."""
AT_ONCE = 20
"""Messages that are said before they are listened to: far fewer than may wait."""
BACKLOG = 1024 * 1024
"""Bytes that may wait for one reader (docs/limits.md)."""


async def say(who: Person, number: int) -> None:
    """To everybody, reliably."""
    await who.room.local_participant.publish_data(numbered(number, SIZE), reliable=True)


async def heard(who: Person) -> int:
    """The number of the next message."""
    packet: rtc.DataPacket = await who.data.get()
    return int.from_bytes(packet.data[:4], "big")


async def reached(ann: Person, bob: Person, eve: Listener) -> None:
    """Until both hear ann; what she said for that (0) is heard."""
    first = [asyncio.create_task(heard(bob)), asyncio.create_task(eve.next())]
    while not all(task.done() for task in first):
        await say(ann, 0)
        await asyncio.wait(first, timeout=0.2)
    await say(ann, 1)
    while await heard(bob) != 1:
        pass
    while await eve.next() != 1:
        pass


async def backlogs(relay: Relay, world: World) -> dict[str, int]:
    """Messages dropped because too many waited, by who was to get them."""
    names = {session.sid: session.identity for session in world.server.rooms["demo"].sessions.values()}
    found: dict[str, int] = {}
    for transport in (await relay.stats("demo")).transports:
        name = names[transport.transport.split("/")[0]]
        found[name] = found.get(name, 0) + transport.dropped.get("data_backlog", 0)
    return found


async def test_who_is_stopped_loses_reliable_data_and_nobody_else_does(relay: Relay) -> None:
    """The others get all of it meanwhile; a bounded part waits, is there when the process goes on, and then all is well."""
    async with (
        serve(relay) as world,
        person(world, "ann") as ann,
        person(world, "bob") as bob,
        listener(world, "eve") as eve,
    ):
        await reached(ann, bob, eve)
        eve.stop()
        for first in range(2, COUNT + 2, AT_ONCE):
            numbers = range(first, first + AT_ONCE)
            for number in numbers:
                await say(ann, number)
            assert [await heard(bob) for _ in numbers] == list(numbers)
        lost = await backlogs(relay, world)
        assert (lost["ann"], lost["bob"]) == (0, 0)
        kept = COUNT - lost["eve"]
        assert BACKLOG // 2 < kept * SIZE <= BACKLOG
        eve.go_on()
        waited = [await eve.next() for _ in range(kept)]
        assert waited == list(range(2, kept + 2)), "the first ones, in order"
        await say(ann, COUNT + 2)
        assert (await eve.next(), await heard(bob)) == (COUNT + 2, COUNT + 2)
        assert await backlogs(relay, world) == lost


async def test_what_the_relay_has_of_who_leaves_arrives(relay: Relay) -> None:
    """Short messages, faster than the relay passes them on: the rest of them is there as their sender leaves."""
    last = 2000
    async with serve(relay) as world, subscriber(world, "bob") as bob:

        async def next_number() -> int:
            while True:
                packet = DataPacket.FromString(await bob.messages.get())
                if packet.WhichOneof("value") == "user":
                    return int.from_bytes(packet.user.payload[:4], "big")

        async with person(world, "ann") as ann:
            first = asyncio.create_task(next_number())
            while not first.done():
                await ann.room.local_participant.publish_data(numbered(0, 8), reliable=True)
                await asyncio.wait([first], timeout=0.2)
            for number in range(1, last + 1):
                await ann.room.local_participant.publish_data(numbered(number, 8), reliable=True)
            while await next_number() < 1200:
                pass
            room = world.server.rooms["demo"]
            leaving = next(session for session in room.sessions.values() if session.identity == "ann")
            room.leave(leaving, Leave.LEFT)  # as by a request that comes before its connection ends
            world.server.apply(room)
            async with asyncio.timeout(15):
                rest = [await next_number() for _ in range(last - 1200)]
        assert rest == list(range(1201, last + 1))
