"""`python -m tests.network.farewell PATH`: a browser whose first and last words come after its request to leave.

`bob`, in Chromium behind a link that delays datagrams alone, joins on PATH (v0 or v1), says one thing to all, and leaves; `ann`,
near the relay, listens. His request to leave goes over TCP and is there at once. To be run in a network namespace of its own.
Prints one line of JSON: `Seen`.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack

import msgspec

from relay import Relay, RelayConfig
from signaling.rtc.settings import RtcSettings
from tests.network.estimate import far_chromium
from tests.network.links import CLIENT, PORT, RELAY, link
from tests.signaling.rtc.browser import Tab, chromium, routes
from tests.signaling.rtc.world import serve

DELAY = 120.0
"""ms each way, of datagrams."""

PATIENT = RtcSettings(linger=60.0, parting=60.0)
"""However long this machine stands still: the end of bob's connection is waited for, as his browser tells it."""

_LISTEN = """() => {
  window.seen = [];
  room.on('dataReceived', (bytes, who) => seen.push(`${who?.identity}: ${new TextDecoder().decode(bytes)}`));
  room.on('participantDisconnected', (who) => seen.push(`${who.identity} left`));
}"""
# What a browser has not sent yet ends with its connection: nobody else has it.
_SAY = """async (text) => {
  await room.localParticipant.publishData(new TextEncoder().encode(text), { reliable: true });
  const channel = room.engine.dataChannelForKind(LivekitClient.DataPacket_Kind.RELIABLE);
  while (channel.bufferedAmount > 0) await new Promise((done) => setTimeout(done, 1));
  await room.disconnect();
}"""


class Seen(msgspec.Struct):
    """What ann heard, in order."""

    heard: list[str]


async def main(path: str) -> Seen:
    """One meeting of two."""
    async with AsyncExitStack() as stack:
        laid = await stack.enter_async_context(link())
        relay = Relay.start(RelayConfig(bind=[f"{RELAY}:{PORT}"], announce=[CLIENT], tcp=False))
        stack.callback(relay.close)
        world = await stack.enter_async_context(serve(relay, host=RELAY, settings=PATIENT, routes=routes()))
        await stack.enter_async_context(laid.slow(DELAY, 0, 1))
        near = await stack.enter_async_context(chromium())
        ann = Tab(await near.new_page())
        await ann.join(world.url, world.token("ann"))
        await ann.run(_LISTEN)
        bob = await stack.enter_async_context(far_chromium(laid, world.url, path))
        await bob.join(world.url, world.token("bob"))
        await bob.run(_SAY, "farewell")
        await ann.until("seen.includes('bob left')")
        return Seen(await ann.run("seen"))


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(main(sys.argv[1]))).decode())
