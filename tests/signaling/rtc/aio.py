"""A subscriber made of aiortc, on path V0: it decodes VP8 and H.264, and says so in its answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from livekit.protocol.rtc import SessionDescription

from tests.signaling.rtc.world import Client, World


class AioSubscriber:
    """Answers every offer, counts the frames it decodes by track sid, and keeps the messages of its data channels."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.frames: dict[str, int] = {}
        self.codecs: list[str] = []  # of the last answer
        self.messages: asyncio.Queue[bytes] = asyncio.Queue()
        self._connection = RTCPeerConnection(RTCConfiguration(bundlePolicy=RTCBundlePolicy.MAX_COMPAT))
        self._watching: set[asyncio.Task[None]] = set()
        self._more = asyncio.Event()
        self._connection.on("track", self._on_track)
        self._connection.on("datachannel", self._on_channel)

    async def run(self) -> None:
        """Serve the signal connection until cancelled."""
        try:
            while True:
                made = (await self.client.expect("offer")).offer
                await self._connection.setRemoteDescription(RTCSessionDescription(made.sdp, "offer"))
                await self._connection.setLocalDescription(await self._connection.createAnswer())
                sdp = self._connection.localDescription.sdp
                self.codecs = [line.split(" ")[1] for line in sdp.splitlines() if line.startswith("a=rtpmap:")]
                await self.client.send(answer=SessionDescription(type="answer", sdp=sdp, id=made.id))
        finally:
            for task in self._watching:
                task.cancel()
            await asyncio.gather(*self._watching, return_exceptions=True)
            await self._connection.close()

    async def more(self, count: int) -> None:
        """Wait for so many more decoded frames."""
        target = sum(self.frames.values()) + count
        while sum(self.frames.values()) < target:
            self._more.clear()
            await self._more.wait()

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "video":
            self._watching.add(asyncio.create_task(self._watch(track)))

    def _on_channel(self, channel: RTCDataChannel) -> None:
        channel.on("message", self.messages.put_nowait)

    async def _watch(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                await track.recv()
            except MediaStreamError:
                return
            self.frames[track.id] = self.frames.get(track.id, 0) + 1
            self._more.set()


@asynccontextmanager
async def subscriber(world: World, identity: str) -> AsyncIterator[AioSubscriber]:
    """A session that only receives."""
    async with world.join(identity) as client:
        made = AioSubscriber(client)
        task = asyncio.create_task(made.run())
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
