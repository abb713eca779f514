"""`python -m tests.network.moves MOVE`: a browser whose address changes in mid-call, and what comes of its meeting.

`bob`, in Chromium behind a link, and `ann`, near the relay, see each other. To be run in a network namespace of its own. Prints
one line of JSON: `Seen`. MOVE is one of `MOVES`.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack

import msgspec

from relay import Relay, RelayConfig
from tests.network.estimate import far_chromium
from tests.network.links import CLIENT, PORT, RELAY, link
from tests.network.watching import film
from tests.signaling.rtc.browser import Tab, chromium, routes
from tests.signaling.rtc.world import World, serve

LAYER = (320, 180, 150_000)
"""Of both pictures."""
ELSEWHERE = "10.77.0.3"
"""Where bob is once his address was replaced."""
DELAY = 1.0
"""ms each way through the NAT."""
FRAMES = 24
"""Of a picture that flows."""
PATIENCE = 60.0
"""Seconds until pictures flow again."""
MOVES = ("mapping", "address")
"""The NAT between gives bob another port; his own address is replaced by another."""


class Call(msgspec.Struct):
    """How it stands: sessions and transports by name, and the tracks in the room."""

    sessions: list[str]
    transports: list[str]
    tracks: list[str]


class Seen(msgspec.Struct):
    """Before the move and when both pictures flowed again; room events that told bob of an interruption, in order."""

    before: Call
    after: Call
    heard: list[str]


async def stands(relay: Relay, world: World) -> Call:
    """Now."""
    sessions = world.server.rooms["demo"].sessions
    tracks = sorted(track.sid for session in sessions.values() for track in session.publisher.tracks)
    stats = await relay.stats("demo")
    return Call(sorted(sessions), sorted(transport.transport for transport in stats.transports), tracks)


async def pinged(world: World) -> None:
    """Until bob asks whether the server is there and is answered: the worst moment, for he will be sure of it for longest."""
    (bob,) = [session for session in world.server.rooms["demo"].sessions.values() if session.identity == "bob"]
    before = bob.heard_at
    async with asyncio.timeout(PATIENCE):
        while bob.heard_at == before:
            await asyncio.sleep(0.01)


async def flows(tab: Tab, whose: str) -> None:
    """Until a picture has brought FRAMES more, of the track as it is then."""
    target = await tab.frames(whose) + FRAMES
    await tab.until(f"((await inbound())['{whose} video'] || {{}}).framesDecoded >= {target}", PATIENCE)


async def main(move: str) -> Seen:
    """One meeting of two."""
    async with AsyncExitStack() as stack:
        laid = await stack.enter_async_context(link())
        # With a NAT between, the relay is reached through it alone.
        announce = [CLIENT] if move == "mapping" else []
        relay = Relay.start(RelayConfig(bind=[f"{RELAY}:{PORT}"], announce=announce, tcp=False))
        stack.callback(relay.close)
        world = await stack.enter_async_context(serve(relay, host=RELAY, routes=routes()))
        nat = AsyncExitStack()
        await stack.enter_async_context(nat)
        if announce:
            await nat.enter_async_context(laid.slow(DELAY, 0, 1))
        near = await stack.enter_async_context(chromium(f"--unsafely-treat-insecure-origin-as-secure={world.url}"))
        ann = Tab(await near.new_page())
        bob = await stack.enter_async_context(far_chromium(laid, world.url))
        for tab, name in ((ann, "ann"), (bob, "bob")):
            await tab.join(world.url, world.token(name))
            await film(tab, name, [LAYER])
        await asyncio.gather(flows(bob, "ann"), flows(ann, "bob"))

        before = await stands(relay, world)
        await bob.run("heard.length = 0")
        await pinged(world)
        if announce:
            await nat.aclose()
            await nat.enter_async_context(laid.slow(DELAY, 0, 2))
        else:
            laid.move(ELSEWHERE)
        await asyncio.gather(flows(bob, "ann"), flows(ann, "bob"))
        told = {"signalReconnecting", "reconnecting", "reconnected", "disconnected", "trackUnsubscribed"}
        heard = [name for name in await bob.run("heard") if name in told]
        return Seen(before, await stands(relay, world), heard)


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(main(sys.argv[1]))).decode())
