"""Signal connections that break under a session, and clients that come back to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from livekit.protocol.models import (
    DataPacket,
    TrackSource,
    TrackType,
    UserPacket,
)
from livekit.protocol.rtc import (
    AddTrackRequest,
    LeaveRequest,
    SessionDescription,
)

from signaling.rtc import RtcSettings
from tests.signaling.rtc import peers
from tests.signaling.rtc.world import Client, RecordedRelay, World, serve

SETTINGS = RtcSettings(tick=0.01, silence=1e6, connect=1e6, answer=1e6)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for the server to have done something."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def active(relay: RecordedRelay, client: Client) -> None:
    """Past the join: media is connected, the first offer answered."""
    offer = (await client.expect("offer")).offer
    await client.send(answer=SessionDescription(type="answer", sdp=peers.answer(offer.sdp), id=offer.id))
    relay.connect(f"{client.sid}/pub", f"{client.sid}/sub")
    await client.settled()


async def publish(client: Client) -> dict[str, str]:
    """Publish the recorded microphone and camera; sids by kind."""
    kinds = {"audio": (peers.AUDIO_ID, TrackType.AUDIO, TrackSource.MICROPHONE)}
    kinds["video"] = (peers.VIDEO_ID, TrackType.VIDEO, TrackSource.CAMERA)
    sids = {}
    for kind, (cid, track_type, source) in kinds.items():
        await client.send(add_track=AddTrackRequest(cid=cid, type=track_type, source=source))
        sids[kind] = (await client.expect("track_published")).track_published.track.sid
    await client.send(offer=SessionDescription(type="offer", sdp=peers.publisher(), id=1))
    await client.expect("answer")
    return sids


async def receive(client: Client) -> SessionDescription:
    """Answer the next offer."""
    offer = (await client.expect("offer")).offer
    await client.send(answer=SessionDescription(type="answer", sdp=peers.answer(offer.sdp), id=offer.id))
    await client.settled()
    return offer


def cut(client: Client) -> None:
    """The TCP connection breaks, without a close frame."""
    assert client.socket._response.connection is not None
    transport = client.socket._response.connection.transport
    assert transport is not None
    transport.abort()


def lost(world: World, sid: str) -> bool:
    """Whether the server saw the connection break."""
    return any(
        s.sid == sid and s.lost_at is not None for room in world.server.rooms.values() for s in room.sessions.values()
    )


def text(words: str, sequence: int) -> bytes:
    return DataPacket(user=UserPacket(payload=words.encode()), sequence=sequence).SerializeToString()


async def refused(world: World, sid: str, identity: str = "guest:ann", *, single: bool = False, **grants: bool) -> None:
    """A try to come back that is asked to join again."""
    async with world.back(sid, identity, single=single, **grants) as client:
        leave = (await client.receive()).leave
        assert (leave.action, leave.can_reconnect) == (LeaveRequest.RECONNECT, True)
        assert (await client.closed())[0] == 1000


@asynccontextmanager
async def cut_off(settings: RtcSettings = SETTINGS) -> AsyncIterator[tuple[RecordedRelay, World, Client]]:
    """Ann, whose signal connection broke while her media was up."""
    relay = RecordedRelay()
    async with serve(relay, settings=settings) as world, world.join() as ann:
        await active(relay, ann)
        cut(ann)
        await until(lambda: lost(world, ann.sid))
        yield relay, world, ann
