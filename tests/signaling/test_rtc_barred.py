"""Firewalls between browser and relay: TCP where no UDP comes through, a real coturn where nothing does.

Chromium decodes frames in each; which way they went is what Chromium and the relay say about their ends.
"""

from __future__ import annotations

import asyncio
import shutil
import sys

import msgspec
import pytest

from tests.network.marks import BROWSERS
from tests.signaling.rtc.barred import FRAMES, IPV6, OUTSIDE, RELAY, TURN, Allocated, Seen

pytestmark = [*BROWSERS, pytest.mark.timeout(120)]


async def behind(barrier: str) -> Seen:
    """What is seen behind a barrier, in a network of its own."""
    seen = msgspec.json.decode(await said_behind(barrier), type=Seen)
    assert seen.frames >= FRAMES
    return seen


async def said_behind(barrier: str) -> bytes:
    """The line that is printed there."""
    unshare = shutil.which("unshare")
    assert unshare is not None
    process = await asyncio.create_subprocess_exec(
        unshare, "--net", "--kill-child", sys.executable, "-m", "tests.signaling.rtc.barred", barrier,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(100):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    return said.splitlines()[-1]


async def test_udp_is_preferred_where_all_is_open() -> None:
    seen = await behind("none")
    assert seen.pair == ["host", "udp", None, RELAY]
    assert [protocol for protocol, _ in seen.transports] == ["udp", "udp"]


async def test_tcp_where_udp_is_blocked() -> None:
    seen = await behind("udp")
    assert seen.pair[1:] == ["tcp", None, RELAY]
    assert [protocol for protocol, _ in seen.transports] == ["tcp", "tcp"]


async def test_tcp_takes_over_where_udp_is_blocked_in_mid_call() -> None:
    seen = await behind("udp-later")
    assert seen.pair[1:] == ["tcp", None, RELAY]
    assert [protocol for protocol, _ in seen.transports[:2]] == ["udp", "udp"]
    assert {protocol for protocol, _ in seen.transports[2:]} == {"tcp"}


@pytest.mark.parametrize(("barrier", "way"), [("ipv6", "udp"), ("ipv6-udp", "tcp")])
async def test_ipv6(barrier: str, way: str) -> None:
    seen = await behind(barrier)
    assert seen.pair[1:] == [way, None, IPV6]
    assert [protocol for protocol, _ in seen.transports] == [way, way]
    assert all(address.startswith("[") for _, address in seen.transports), seen


@pytest.mark.parametrize(("barrier", "way"), [("nat", "udp"), ("nat-udp", "tcp")])
async def test_the_announced_address_of_a_nat_leads_to_the_bound_one(barrier: str, way: str) -> None:
    seen = await behind(barrier)
    assert seen.pair[1:] == [way, None, OUTSIDE]
    assert [protocol for protocol, _ in seen.transports] == [way, way]


@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
async def test_turn_where_nothing_comes_through(way: str) -> None:
    seen = await behind(f"turn-{way}")
    assert seen.pair == ["relay", "udp", way, RELAY]
    for protocol, address in seen.transports:
        assert protocol == "udp"
        assert address.rpartition(":")[0] == TURN != RELAY, "the relay sees the TURN server"


async def test_turn_credentials_that_ended_are_refused() -> None:
    allocated = msgspec.json.decode(await said_behind("turn-expired"), type=Allocated)
    assert allocated == Allocated(fresh=None, expired=401)
