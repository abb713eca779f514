"""What announces itself elsewhere is not believed: nothing is dialled outside of our own networks."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from devices.mdns import Announced, Heard, announced
from devices.networks import near, own_networks
from devices.ups.driver import UpsSupply
from tests.devices.test_mdns import SECONDS

LOOPBACK = IPv4Network("127.0.0.0/8")
HERE = Announced("_nut._tcp", "here", "127.0.0.9", 9)
ELSEWHERE = Announced("_nut._tcp", "elsewhere", "203.0.113.7", 3493)


def test_our_networks_are_those_of_our_interfaces() -> None:
    assert LOOPBACK in own_networks()
    assert own_networks(["127.0.0.1"]) == [LOOPBACK]
    assert own_networks(["203.0.113.7"]) == []


def test_an_address_is_near_when_it_is_within() -> None:
    networks = [LOOPBACK, IPv4Network("10.20.0.0/22")]
    said = ["127.9.9.9", "10.20.3.255", "10.20.4.0", "203.0.113.7", "0.0.0.0", "fe80::1", "x", ""]
    assert near(said, networks) == ["127.9.9.9", "10.20.3.255"]


@given(st.ip_addresses(v=4))
def test_any_other_address_is_far(address: IPv4Address) -> None:
    assert (near([str(address)], [LOOPBACK]) != []) == (address in LOOPBACK)


@asynccontextmanager
async def announcing(*services: Announced) -> AsyncIterator[None]:
    """Each from a computer of its own."""
    ours = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    try:
        for one in services:
            kind, at = f"{one.kind}.local.", [socket.inet_aton(one.host)]
            told = ServiceInfo(kind, f"{one.name}.{kind}", one.port, addresses=at, server=f"{one.name}.local.")
            await (await ours.async_register_service(told))
        yield
    finally:
        await ours.async_close()


async def test_an_announcement_that_names_an_address_elsewhere_is_not_believed() -> None:
    async with announcing(HERE, ELSEWHERE):
        assert await announced("_nut._tcp", seconds=SECONDS) == Heard([HERE], [ELSEWHERE])


async def test_no_supply_is_searched_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled = []

    async def supplies(host: str, port: int, seconds: float) -> list[object]:
        dialled.append(host)
        await asyncio.sleep(0)
        return []

    monkeypatch.setattr(UpsSupply, "_supplies", supplies)
    async with announcing(HERE, ELSEWHERE):
        found = await UpsSupply.discover(1.5 * SECONDS)
    assert sorted(dialled) == ["127.0.0.1", HERE.host]
    assert [(one.elsewhere, one.settings) for one in found] == [("203.0.113.7:3493", {})]
