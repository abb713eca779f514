"""The relay as DTLS client of a real peer (aiortc over OpenSSL) that is the server: keys, sound, data both ways."""

from __future__ import annotations

import asyncio

from relay import Relay
from relay.messages import (
    CommandFailed,
    DataChannelOpened,
    DataReceived,
    OpenDataChannel,
    SendData,
    TransportState,
)
from tests.relay.media import loudness, publish, subscribe
from tests.relay.peer import Events, Peer


async def test_calls_a_passive_peer_and_carries_data_both_ways(relay: Relay, events: Events) -> None:
    peer = Peer("a", "room", relay_role="client")
    opened = peer.open(relay)
    relay.submit(OpenDataChannel(transport="a", label="_reliable"))
    await peer.connect(relay, opened)
    state = await events.wait_for(TransportState, phase="connected")
    assert (state.srtp_profile, state.dtls) == ("AEAD_AES_256_GCM", "1.2")
    await peer.start_sctp()
    await events.wait_for(DataChannelOpened, label="_reliable")
    channel = peer.open_channel("theirs")
    await events.wait_for(DataChannelOpened, label="theirs")
    assert (peer.channels["_reliable"].id, channel.id) == (0, 1)
    large = bytes(range(256)) * 256
    channel.send(large)
    assert (await events.wait_for(DataReceived, label="theirs")).payload == large
    relay.submit(SendData(transports=["a"], label="_reliable", payload=large))
    async with asyncio.timeout(10):
        assert await peer.received.get() == ("_reliable", large)
    await peer.close()


async def test_sound_from_a_passive_peer_to_another(relay: Relay, events: Events) -> None:
    speaker, listener = Peer("a", "room", relay_role="client"), Peer("b", "room", relay_role="client")
    await speaker.connect(relay)
    await listener.connect(relay)
    sender = await publish(speaker, relay, "audio", "sound")
    sound = await subscribe(listener, relay, "audio", "sound")
    async with asyncio.timeout(15):
        assert await loudness(sound, 50) > 0.05
    await sound.stop()
    await sender.stop()
    await speaker.close()
    await listener.close()


async def test_the_role_may_not_change(relay: Relay, events: Events) -> None:
    peer = Peer("a", "room", relay_role="client")
    await peer.connect(relay)
    await events.wait_for(TransportState, phase="connected")
    peer.relay_role = "server"
    relay.submit(peer.remote())
    failed = await events.wait_for(CommandFailed)
    assert (failed.command, failed.code) == ("set_remote", "invalid")
    await peer.close()
