"""A network of two hosts on this machine: the relay's, and a client's behind a link that is narrowed, lossy or slow.

The relay's host is the namespace of this process, which must be one of its own. The client's is made beside it, and goes
with it. Rate by TBF, loss by nftables, delay and jitter by `forwarder`; the kernels these tests run on have no netem.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

RELAY, CLIENT = "10.77.0.1", "10.77.0.2"
PORT = 28002
BURST = 1600
"""Bytes that pass at once: little more than a packet, or short probes see the bucket instead of the link."""
SSRC = "@th,128,32"
"""Where nftables finds the SSRC of an RTP packet in UDP: bits from its header on, and how many (RFC 768, RFC 3550)."""
QUEUE = 300
"""ms of the link's rate that wait at its head; what comes beyond is lost."""
LONGEST = 300
"""Seconds after which the client's host ends by itself."""


class Head(msgspec.Struct):
    """The narrowed link's head: bytes waiting, bytes that passed (with Ethernet's headers) and packets it dropped."""

    backlog: int = 0
    bytes: int = 0
    drops: int = 0


def run(*commands: str) -> None:
    """Run commands to their end. Raises CalledProcessError."""
    for command in commands:
        subprocess.run(shlex.split(command), check=True, stdout=subprocess.DEVNULL)


class Link:
    """What leads from the relay's host to the client's. Only that direction is narrowed; each may lose packets."""

    def __init__(self, host: Process) -> None:
        self.host = host
        self.rate: int | None = None

    @property
    def inside(self) -> str:
        """The command that runs another on the client's host."""
        return f"nsenter --net=/proc/{self.host.pid}/ns/net"

    def connect(self) -> None:
        """Lay it."""
        run(
            "ip link set lo up",
            f"ip link add near type veth peer name far netns {self.host.pid}",
            f"ip addr add {RELAY}/24 dev near",
            # One packet at a time, so that loss and the queue's length are those of packets.
            "ip link set near gso_max_segs 1",
            "ip link set near up",
            "ip route add default dev near",
            f"{self.inside} ip link set lo up",
            f"{self.inside} ip addr add {CLIENT}/24 dev far",
            f"{self.inside} ip link set far up",
            f"{self.inside} ip route add default dev far",
        )

    def move(self, address: str) -> None:
        """The client's host has another address from now on, and none between."""
        run(
            f"{self.inside} ip addr del {CLIENT}/24 dev far",
            f"{self.inside} ip addr add {address}/24 dev far",
            f"{self.inside} ip route replace default dev far",
        )

    def narrow(self, rate: int) -> None:
        """Let through so many bit/s from now on."""
        verb = "add" if self.rate is None else "change"
        run(f"tc qdisc {verb} dev near root tbf rate {rate}bit burst {BURST} latency {QUEUE}ms")
        self.rate = rate

    def lose(self, percent: int) -> None:
        """Lose so many of a hundred UDP packets from now on, at random."""
        run(
            f"{self.inside} nft add table inet lossy",
            f"{self.inside} nft add chain inet lossy in {{ type filter hook input priority 0 ; }}",
            f"{self.inside} nft add rule inet lossy in meta l4proto udp numgen random mod 100 < {percent} drop",
        )

    def lose_upward(self, percent: int, counted: int = 0) -> None:
        """Lose so many of a hundred UDP packets that come from the client from now on, at random; 0 for none.

        Those of the RTP stream with the SSRC `counted` are counted.
        """
        run(
            "nft add table inet upward",
            "nft add chain inet upward in { type filter hook input priority 0 ; }",
            "nft flush chain inet upward in",
            "nft add chain inet upward lost",
            "nft flush chain inet upward lost",
            f"nft add rule inet upward lost {SSRC} {counted} counter",
            "nft add rule inet upward lost drop",
        )
        if percent:
            some = f"numgen random mod 100 < {percent}" if percent < 100 else ""
            run(f"nft add rule inet upward in iifname near meta l4proto udp {some} jump lost")

    def lost_upward(self) -> int:
        """Packets of the counted stream that were lost since `lose_upward`."""
        command = "nft --json list chain inet upward lost"
        said = subprocess.run(shlex.split(command), check=True, capture_output=True).stdout
        rules = msgspec.json.decode(said)["nftables"]
        return int(rules[-2]["rule"]["expr"][-1]["counter"]["packets"])

    async def head(self) -> Head:
        """How it does, where it was narrowed."""
        if self.rate is None:
            return Head()
        process = await asyncio.create_subprocess_exec(*shlex.split("tc -s -j qdisc show dev near"), stdout=PIPE)
        said, _ = await process.communicate()
        (head,) = msgspec.json.decode(said, type=list[Head])
        return head

    def program(self, folder: Path, name: str) -> str:
        """A file in `folder` that runs a program on the client's host."""
        program = shutil.which(name)
        assert program is not None
        script = folder / Path(name).name
        script.write_text(f'#!/bin/sh\nexec {self.inside} {shlex.quote(program)} "$@"\n')
        script.chmod(0o755)
        return str(script)

    @asynccontextmanager
    async def slow(self, delay: float, jitter: float, seed: int) -> AsyncIterator[None]:
        """Packets to and from (CLIENT, PORT) reach the relay, each way after `delay` ± `jitter` ms."""
        command = [sys.executable, "-m", "tests.network.forwarder", CLIENT, RELAY, str(PORT)]
        process = await asyncio.create_subprocess_exec(
            *shlex.split(self.inside), *command, str(delay), str(jitter), str(seed), stdout=PIPE
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(10):
                assert await process.stdout.readline() == b"ready\n"
            yield
        finally:
            await _end(process)


@asynccontextmanager
async def link() -> AsyncIterator[Link]:
    """Two hosts and what is between them."""
    host = await asyncio.create_subprocess_exec("unshare", "--net", "sleep", str(LONGEST))
    try:
        async with asyncio.timeout(10):
            while os.readlink(f"/proc/{host.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
                await asyncio.sleep(0.01)
        laid = Link(host)
        laid.connect()
        yield laid
    finally:
        await _end(host)


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def in_own_network(seconds: float, module: str, *arguments: str) -> bytes:
    """Run a module in a network namespace of its own; the last line that it prints. It is ended after `seconds`."""
    process = await asyncio.create_subprocess_exec(
        "unshare", "--net", "--kill-child", sys.executable, "-m", module, *arguments, stdout=PIPE
    )
    try:
        async with asyncio.timeout(seconds):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    assert process.returncode == 0, said
    return said.splitlines()[-1]
