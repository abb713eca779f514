"""The asyncio face with real clients over real loopback UDP: connecting, data, refusals, a loop that sleeps, noise."""

from __future__ import annotations

import asyncio
import random
import socket

import pytest

from relay import Relay, RelayConfig
from relay.messages import (
    CloseTransport,
    CommandFailed,
    DataChannelOpened,
    DataReceived,
    OpenDataChannel,
    SendData,
    TransportState,
)
from tests.relay.peer import Events, Peer


async def test_connects_with_gcm(relay: Relay, events: Events) -> None:
    peer = Peer("a", "room")
    await peer.connect(relay)
    state = await events.wait_for(TransportState, phase="connected")
    assert (state.srtp_profile, state.dtls) == ("AEAD_AES_256_GCM", "1.2")
    assert state.remote is not None
    phases = [event.phase for event in events.of(TransportState)]
    assert phases == ["connecting", "connected"]
    await peer.close()


async def test_connects_a_client_that_knows_only_the_old_cipher(relay: Relay, events: Events) -> None:
    peer = Peer("a", "room")
    peer.dtls._srtp_profiles = [
        profile for profile in peer.dtls._srtp_profiles if b"SHA1_80" in profile.openssl_profile
    ]
    await peer.connect(relay)
    state = await events.wait_for(TransportState, phase="connected")
    assert state.srtp_profile == "AES_CM_128_HMAC_SHA1_80"
    await peer.close()


async def test_a_certificate_that_is_not_the_sdps_fails(relay: Relay, events: Events) -> None:
    peer = Peer("a", "room")
    opened = peer.open(relay)
    relay.submit(peer.remote(fingerprint=":".join(["AB"] * 32)))
    async with asyncio.TaskGroup() as group:
        start = group.create_task(peer.start(relay, opened))
        failed = await events.wait_for(TransportState, phase="failed")
        await peer.dtls.stop()
        await peer.ice.stop()
        start.cancel()
    assert failed.reason == "fingerprint"


async def test_data_channels_both_ways(relay: Relay, events: Events) -> None:
    peer = Peer("a", "room")
    await peer.connect(relay)
    await peer.start_sctp()
    channel = peer.open_channel("_reliable")
    await events.wait_for(DataChannelOpened, label="_reliable")
    large = random.Random(1).randbytes(64 * 1024)
    channel.send(large)
    received = await events.wait_for(DataReceived, label="_reliable")
    assert received.payload == large
    relay.submit(OpenDataChannel(transport="a", label="_lossy", ordered=False, max_retransmits=0))
    await events.wait_for(DataChannelOpened, label="_lossy")
    relay.submit(SendData(transports=["a", "nobody"], label="_lossy", payload=b"lossy"))
    relay.submit(SendData(transports=["a"], label="_reliable", payload=large))
    async with asyncio.timeout(10):
        both = {await peer.received.get(), await peer.received.get()}
    assert both == {("_lossy", b"lossy"), ("_reliable", large)}
    assert peer.channels["_lossy"].ordered is False
    await peer.close()


async def test_closing_frees_the_id_and_what_fails_is_said(relay: Relay, events: Events) -> None:
    peer = Peer("a", "room")
    await peer.connect(relay)
    relay.submit(CloseTransport(transport="a"), CloseTransport(transport="a"))
    failed = await events.wait_for(CommandFailed)
    assert (failed.command, failed.id, failed.code) == ("close_transport", "a", "unknown_transport")
    await events.wait_for(TransportState, phase="closed")
    again = Peer("a", "room")
    await again.connect(relay)
    await peer.close()
    await again.close()


async def test_statistics_count_what_passed(relay: Relay, events: Events) -> None:
    peer = Peer("a", "room")
    await peer.connect(relay)
    stats = await relay.stats("room")
    [transport] = stats.transports
    assert transport.phase == "connected"
    assert transport.packets_received >= 4
    assert transport.bytes_sent > 500  # a certificate at least
    assert (await relay.stats("elsewhere")).transports == []
    together = await asyncio.gather(*(relay.stats() for _ in range(20)))
    assert len({stats.request for stats in together}) == 20
    await peer.close()


async def test_noise_on_the_port_neither_ends_nor_slows(relay: Relay, events: Events) -> None:
    peer = Peer("a", "room")
    await peer.connect(relay)
    await peer.start_sctp()
    channel = peer.open_channel("_reliable")
    await events.wait_for(DataChannelOpened)
    noise = random.Random(7)
    address, port, _ = relay.candidates("room")[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for number in range(100):
            for _ in range(100):
                first = noise.choice(b"\x00\x01\x16\x17\x80\x90\xff").to_bytes(1, "big")
                stranger.sendto(first + noise.randbytes(noise.randrange(1200)), (address, port))
            channel.send(number.to_bytes(4, "big"))
            await asyncio.sleep(0)
    async with asyncio.timeout(10):
        while len(events.of(DataReceived)) < 100:
            events.arrived.clear()
            await events.arrived.wait()
    [shard] = (await relay.stats()).shards
    assert sum(shard.dropped.values()) > 5000
    assert "panicked" not in shard.dropped
    assert peer.dtls.state == "connected"
    await peer.close()


async def test_settings_that_make_no_sense_are_refused() -> None:
    for config in (
        RelayConfig(bind=[]),
        RelayConfig(bind=["nowhere"]),
        RelayConfig(bind=["127.0.0.1:0"], shards=0),
        RelayConfig(bind=["127.0.0.1:65535"], shards=2),
        RelayConfig(bind=["127.0.0.1:0"], announce=["example.org"]),
    ):
        with pytest.raises(ValueError):
            Relay.start(config)


async def test_a_taken_port_is_said(relay: Relay) -> None:
    address, port, _ = relay.candidates("any")[0]
    with pytest.raises(OSError, match="in use"):
        Relay.start(RelayConfig(bind=[f"{address}:{port}"]))


async def test_rooms_spread_over_shards_and_ports() -> None:
    relay = Relay.start(RelayConfig(bind=["127.0.0.1:21100"], shards=3))
    ports = {relay.candidates(f"room-{number}")[0][1] for number in range(100)}
    assert ports == {21100, 21101, 21102}
    assert relay.candidates("room-5") == relay.candidates("room-5")
    assert len((await relay.stats()).shards) == 3
    relay.close()
    relay.close()


@pytest.mark.parametrize("bind", ["0.0.0.0:0", "[::1]:0", "[::]:0"])
async def test_connects_on_wildcards_and_ipv6(bind: str) -> None:
    relay = Relay.start(RelayConfig(bind=[bind]))
    events = Events()
    relay.listen(events)
    peer = Peer("a", "room")
    await peer.connect(relay)
    await events.wait_for(TransportState, phase="connected")
    await peer.close()
    relay.close()
