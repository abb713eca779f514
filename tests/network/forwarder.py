"""`python -m tests.network.forwarder ADDRESS TARGET PORT DELAY JITTER SEED`: a UDP path with delay and jitter, both ways.

Takes datagrams at (ADDRESS, PORT) and brings them to (TARGET, PORT), from a socket of its own for each sender, as a NAT
does. Each way takes DELAY ± JITTER ms, drawn evenly from a seeded generator; datagrams of one way stay in order, as in a
queue whose length varies. Where it may, it goes before all other programs: a path does not slow down because the machine is
busy. Prints `ready`; ends when it is killed, or after five minutes.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

LONGEST = 300.0
"""Seconds."""
SENDERS = 64
"""At most so many; others are not served."""
Address = tuple[str, int]


class Way:
    """One direction: what is put in comes out later, in order."""

    def __init__(self, random: Random, delay: float, jitter: float, deliver: Callable[[bytes], None]) -> None:
        self._random, self._delay, self._jitter, self._deliver = random, delay / 1000, jitter / 1000, deliver
        self._last = 0.0
        self._waiting: deque[bytes] = deque()
        self._loop = asyncio.get_running_loop()

    def put(self, datagram: bytes) -> None:
        """Send on its way."""
        due = self._loop.time() + self._delay + self._random.uniform(-self._jitter, self._jitter)
        self._last = max(due, self._last)
        self._waiting.append(datagram)
        self._loop.call_at(self._last, self._next)  # timers of one time may come in any order, datagrams may not

    def _next(self) -> None:
        self._deliver(self._waiting.popleft())


class End(asyncio.DatagramProtocol):
    """A socket; what it hears goes to `heard`."""

    def __init__(self, heard: Callable[[bytes, Address], None]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Pass it on."""
        self._heard(data, (addr[0], addr[1]))


async def forward(at: Address, target: Address, delay: float, jitter: float, seed: int) -> None:
    """Serve until cancelled."""
    loop, random = asyncio.get_running_loop(), Random(seed)
    ways: dict[Address, asyncio.Future[Way]] = {}
    opened: set[asyncio.Task[None]] = set()

    async def open_way(sender: Address) -> None:
        back = Way(random, delay, jitter, lambda datagram: near.sendto(datagram, sender))
        far, _ = await loop.create_datagram_endpoint(
            lambda: End(lambda data, _: back.put(data)), local_addr=(at[0], 0), remote_addr=target
        )
        ways[sender].set_result(Way(random, delay, jitter, far.sendto))

    def heard(data: bytes, sender: Address) -> None:
        if sender not in ways:
            if len(ways) >= SENDERS:
                return
            ways[sender] = loop.create_future()
            opened.add(loop.create_task(open_way(sender)))
        if ways[sender].done():
            ways[sender].result().put(data)
        else:
            ways[sender].add_done_callback(lambda way: way.result().put(data))

    near, _ = await loop.create_datagram_endpoint(lambda: End(heard), local_addr=at)
    print("ready", flush=True)
    await asyncio.sleep(LONGEST)


if __name__ == "__main__":
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    address, relay, port, delay, jitter, seed = sys.argv[1:]
    asyncio.run(forward((address, int(port)), (relay, int(port)), float(delay), float(jitter), int(seed)))
