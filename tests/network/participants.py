"""A participant of path V0 around any WebRTC stack: LiveKit signaling here, two peer connections of the stack's."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from livekit.protocol.models import TrackType, VideoQuality
from livekit.protocol.rtc import SignalRequest, SignalResponse, UpdateTrackSettings

from roomctl.media.signal import PROTOCOL, Answered, Ended, Joined, Offered, SignalClient

PATIENCE = 20.0
"""Seconds until the own camera is taken."""


class Received:
    """What a peer connection received, by media section: pictures decoded, and samples of sound that is not silence."""

    def __init__(self) -> None:
        self.frames: Counter[str] = Counter()
        self.sounds: Counter[str] = Counter()

    def pictures(self, frames: int) -> int:
        """How many people's cameras brought so many frames."""
        return sum(count >= frames for count in self.frames.values())

    def voices(self) -> int:
        """How many people were heard."""
        return sum(count > 0 for count in self.sounds.values())


class Stack(Protocol):
    """One peer connection."""

    async def offer(self) -> str:
        """Offer a microphone and a camera; the SDP."""

    async def answered(self, sdp: str) -> None:
        """Take the server's answer and begin to send."""

    async def accept(self, sdp: str) -> str:
        """Answer an offer."""

    async def close(self) -> None:
        """End."""


class Participant:
    """One person in a meeting; `received` counts."""

    def __init__(self, publisher: Stack, subscriber: Stack, received: Received) -> None:
        self.received = received
        self._publisher, self._subscriber = publisher, subscriber
        self._signal = SignalClient()
        self._taken = asyncio.Event()

    async def run(self, socket: ClientWebSocketResponse) -> None:
        """Speak until the socket closes."""
        async for message in socket:
            assert message.type is WSMsgType.BINARY, message
            await self._want_small(socket, SignalResponse.FromString(message.data))
            for event in self._signal.receive(message.data, int(time.time() * 1000)):
                match event:
                    case Joined():
                        self._signal.add_audio("mic", muted=False)
                        self._signal.add_video("camera", width=320, height=180, muted=False)
                        self._signal.offer(await self._publisher.offer())
                    case Answered(sdp):
                        await self._publisher.answered(sdp)
                        self._taken.set()
                    case Offered(sdp, id):
                        self._signal.answer(await self._subscriber.accept(sdp), id)
                    case Ended():
                        raise AssertionError(event.problem.message)
            await self._send(socket)

    async def _want_small(self, socket: ClientWebSocketResponse, response: SignalResponse) -> None:
        """Of cameras with layers the lowest is enough: this machine decodes for everybody."""
        people = [*response.update.participants, *response.join.other_participants]
        sids = [track.sid for person in people for track in person.tracks if track.type == TrackType.VIDEO]
        if sids:
            wanted = UpdateTrackSettings(track_sids=sids, quality=VideoQuality.LOW)
            await socket.send_bytes(SignalRequest(track_setting=wanted).SerializeToString())

    async def stay(self, socket: ClientWebSocketResponse) -> None:
        """Say now and then that we are there."""
        while True:
            await asyncio.sleep(5)
            self._signal.ping(int(time.time() * 1000))
            await self._send(socket)

    async def joined(self) -> None:
        """Until the server has taken what we offered."""
        async with asyncio.timeout(PATIENCE):
            await self._taken.wait()

    async def _send(self, socket: ClientWebSocketResponse) -> None:
        for frame in self._signal.take():
            await socket.send_bytes(frame)

    async def leave(self, socket: ClientWebSocketResponse) -> None:
        """Say so, and end."""
        self._signal.leave()
        with contextlib.suppress(ConnectionError):
            await self._send(socket)
        await self._publisher.close()
        await self._subscriber.close()


@asynccontextmanager
async def participant(url: str, token: str, stack: Callable[[Received], Stack]) -> AsyncIterator[Participant]:
    """Join, send a picture and sound, take everybody else's, until left."""
    received = Received()
    who = Participant(stack(received), stack(received), received)
    async with (
        ClientSession() as http,
        http.ws_connect(f"{url}/rtc?protocol={PROTOCOL}&access_token={token}", max_msg_size=0) as socket,
        asyncio.TaskGroup() as tasks,
    ):
        both = [tasks.create_task(who.run(socket)), tasks.create_task(who.stay(socket))]
        try:
            await who.joined()
            yield who
        finally:
            for task in both:
                task.cancel()
            await who.leave(socket)
