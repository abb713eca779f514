"""A small LiveKit server (V0) for tests, on aiortc: decodes what is published and counts it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from livekit.protocol import models, rtc
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed


class MediaServer:
    """Takes one session at a time."""

    def __init__(self) -> None:
        self.port = 0
        self.tokens: list[str] = []
        self.queries: list[str] = []
        self.requests: list[rtc.SignalRequest] = []
        self.pings = (5, 15)  # interval and time-out that it announces, s
        self.forgetful = False  # answers every other ping
        self.frames = 0  # pictures decoded
        self.energy = 0.0  # sum of squared samples
        self.last_picture: Any = None
        self._news = asyncio.Condition()
        self._socket: ServerConnection | None = None
        self._server: Server | None = None
        self._peers: list[RTCPeerConnection] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen, on the same port as before."""
        self._server = await serve(self._converse, "127.0.0.1", self.port, ping_interval=None)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Die: WebSocket and media."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        peers, self._peers = self._peers, []
        await asyncio.gather(*(peer.close() for peer in peers))
        await asyncio.gather(*self._tasks)

    async def until(self, wanted: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait for something to be true; looked at with every frame and request."""
        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(wanted)

    def said(self, kind: str) -> list[Any]:
        """Requests of a kind, in order."""
        return [getattr(request, kind) for request in self.requests if request.WhichOneof("message") == kind]

    async def send(self, response: rtc.SignalResponse) -> None:
        assert self._socket is not None
        await self._socket.send(response.SerializeToString())

    async def _converse(self, socket: ServerConnection) -> None:
        self._socket = socket
        assert socket.request is not None
        self.queries.append(socket.request.path)
        self.tokens.append(socket.request.headers["Authorization"].removeprefix("Bearer "))
        me = models.ParticipantInfo(sid="PA_1", identity="room:x")
        interval, timeout = self.pings
        join = rtc.JoinResponse(participant=me, ping_interval=interval, ping_timeout=timeout)
        await self.send(rtc.SignalResponse(join=join))
        try:
            async for frame in socket:
                assert isinstance(frame, bytes)
                request = rtc.SignalRequest()
                request.ParseFromString(frame)
                await self._take(request)
        except ConnectionClosed:
            return

    async def _take(self, request: rtc.SignalRequest) -> None:
        match request.WhichOneof("message"):
            case "add_track":
                sid = f"TR_{request.add_track.name}"
                published = rtc.TrackPublishedResponse(cid=request.add_track.cid, track=models.TrackInfo(sid=sid))
                await self.send(rtc.SignalResponse(track_published=published))
            case "offer":
                await self._offered(request.offer)
            case "ping_req" if not (self.forgetful and len(self.said("ping_req")) % 2):
                pong = rtc.Pong(last_ping_timestamp=request.ping_req.timestamp)
                await self.send(rtc.SignalResponse(pong_resp=pong))
        async with self._news:
            self.requests.append(request)
            self._news.notify_all()

    async def _offered(self, offer: rtc.SessionDescription) -> None:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peers.append(peer)
        peer.on("track", self._listen)
        await peer.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        answer = rtc.SessionDescription(type="answer", sdp=peer.localDescription.sdp, id=offer.id)
        candidate = json.dumps({"candidate": "", "sdpMid": "0"})
        await self.send(rtc.SignalResponse(trickle=rtc.TrickleRequest(candidateInit=candidate)))
        await self.send(rtc.SignalResponse(answer=answer))

    def _listen(self, track: MediaStreamTrack) -> None:
        task = asyncio.ensure_future(self._count(track))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _count(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame: Any = await track.recv()
            except MediaStreamError:
                return
            async with self._news:
                if track.kind == "video":
                    self.frames += 1
                    self.last_picture = frame
                else:
                    samples = frame.to_ndarray().astype(np.float64) / 32768
                    self.energy += float((samples * samples).sum())
                self._news.notify_all()


@asynccontextmanager
async def media_server() -> AsyncIterator[MediaServer]:
    """A server for the length of a test."""
    server = MediaServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
