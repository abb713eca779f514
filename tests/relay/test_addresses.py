"""Where a relay listens and what it announces: several addresses, both families, a wildcard behind other addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from relay import Relay, RelayConfig
from relay.messages import TransportState
from tests.relay.peer import Events, Peer

BIND = ["127.0.0.1:21210", "127.0.0.2:21210", "[::1]:21210"]


@asynccontextmanager
async def running(bind: Sequence[str], announce: Sequence[str] = ()) -> AsyncIterator[tuple[Relay, Events]]:
    relay = Relay.start(RelayConfig(bind=list(bind), announce=list(announce)))
    events = Events()
    relay.listen(events)
    yield relay, events
    relay.close()


async def test_each_of_several_addresses_is_announced_by_udp_and_tcp() -> None:
    async with running(BIND) as (relay, _):
        addresses = ["127.0.0.1", "127.0.0.2", "::1"]
        expected = [(address, 21210, protocol) for protocol in ("udp", "tcp") for address in addresses]
        assert relay.candidates("room") == expected


@pytest.mark.parametrize("which", range(len(BIND)))
async def test_who_knows_one_of_several_addresses_connects(which: int) -> None:
    async with running(BIND) as (relay, events):
        peer = Peer("a", "room")
        await peer.connect(relay, candidates=relay.candidates("room")[which : which + 1])
        state = await events.wait_for(TransportState, phase="connected")
        assert state.protocol == "udp"
        await peer.close()


@pytest.mark.parametrize("announced", ["127.0.0.3", "127.0.0.1"])
async def test_a_wildcard_answers_from_the_address_it_was_asked_at(announced: str) -> None:
    async with running(["0.0.0.0:21211", "[::]:21211"], [announced, "::1"]) as (relay, events):
        candidates = relay.candidates("room")
        assert candidates[:2] == [(announced, 21211, "udp"), ("::1", 21211, "udp")]
        peer = Peer("a", "room")
        await peer.connect(relay, candidates=candidates[:1])
        await events.wait_for(TransportState, phase="connected")
        await peer.close()


async def test_an_announced_address_is_told_once_however_many_are_bound() -> None:
    async with running(BIND[:2], ["203.0.113.7"]) as (relay, _):
        assert relay.candidates("room") == [("203.0.113.7", 21210, "udp"), ("203.0.113.7", 21210, "tcp")]


async def test_tcp_can_be_turned_off() -> None:
    relay = Relay.start(RelayConfig(bind=["127.0.0.1:0"], tcp=False))
    assert [protocol for _, _, protocol in relay.candidates("room")] == ["udp"]
    relay.close()
