"""One joined media session: WebSocket, the two peer connections, the tracks. Ends once; a new one is made to rejoin."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcrtpsender import RTCRtpSender
from aiortc.sdp import candidate_from_sdp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from roomctl.media import loopback
from roomctl.media.camera import CameraTrack
from roomctl.media.signal import (
    MAX_FRAME,
    PROTOCOL,
    Answered,
    Candidate,
    Ended,
    Joined,
    MuteAsked,
    Offered,
    Published,
    SignalClient,
    SignalEvent,
    Target,
    TokenRenewed,
)
from roomctl.media.source import Source
from wire.problems import Code, Problem

log = logging.getLogger(__name__)

CONNECT_TIMEOUT: Final = 8.0  # seconds, for the WebSocket
JOIN_TIMEOUT: Final = 15.0  # seconds, from then until media flows
LEAVE_TIMEOUT: Final = 1.0  # seconds
CODECS: Final = {"video": ("video/vp8", "video/rtx"), "audio": ("audio/opus",)}


@dataclass(frozen=True)
class Hooks:
    """What the owner wants to hear: anything changed, a new token, a track that somebody remote muted."""

    changed: Callable[[], None]
    renewed: Callable[[str], None]
    muted: Callable[[str], None]  # kind: audio or video


class Session:
    """Joins with `run`, which returns why it ended. `url` is the LiveKit server's base (ws or wss)."""

    def __init__(self, url: str, token: str, source: Source, hooks: Hooks, *, mic: bool, camera: bool) -> None:
        self.connected = False
        self._url = f"{url.rstrip('/')}/rtc?auto_subscribe=0&sdk=python&protocol={PROTOCOL}"
        self._token = token
        self._hooks = hooks
        self._signal = SignalClient()
        self._tracks = source.tracks(hooks.changed, mic=mic, camera=camera)
        self._size = source.size
        self._open = {"audio": mic, "video": camera}
        self._sids: dict[str, str] = {}  # kind -> sid
        self._peers: dict[Target, RTCPeerConnection] = {}
        self._early: list[Candidate] = []  # until the answer is there
        self._wake = asyncio.Event()
        self._over: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._ping_interval, self._ping_timeout = 10.0, 20.0

    async def run(self) -> Ended:
        """Join and stay until it is over."""
        headers = {"Authorization": f"Bearer {self._token}"}  # not in the address: addresses are logged
        try:
            async with connect(
                self._url,
                additional_headers=headers,
                open_timeout=CONNECT_TIMEOUT,
                close_timeout=LEAVE_TIMEOUT,
                ping_interval=None,
                max_size=MAX_FRAME,
                proxy=None,
            ) as socket:
                return await self._stay(socket)
        except InvalidStatus as error:
            return Ended(_problem_of(error), again=True)
        except (OSError, TimeoutError, WebSocketException) as error:
            return Ended(Problem(Code.UNAVAILABLE, f"the media server cannot be reached: {error}"), again=True)
        finally:
            self.connected = False
            await self._release()

    def leave(self) -> None:
        """Go: `run` returns soon."""
        self._signal.leave()
        self._end(Ended(Problem(Code.MEETING_OVER, "left"), again=False))

    @property
    def sent(self) -> dict[str, bool]:
        """Of `audio` and `video`: what was asked for is sent; not where there is none, or no picture of the camera came."""
        flows = {kind: not isinstance(track, CameraTrack) or track.live for kind, track in self._tracks.items()}
        return {kind: is_open and flows.get(kind, False) for kind, is_open in self._open.items()}

    def switch(self, *, mic: bool, camera: bool) -> None:
        """Open or close the tracks: a closed one sends nothing, and everyone is told."""
        for kind, wanted in (("audio", mic), ("video", camera)):
            if self._open[kind] != wanted:
                self._open[kind] = wanted
                if kind in self._tracks:
                    self._tracks[kind].switch(wanted)
                if kind in self._sids:
                    self._signal.mute(self._sids[kind], not wanted)
        self._wake.set()

    # --- inside ---------------------------------------------------------------------------------------------------

    async def _stay(self, socket: ClientConnection) -> Ended:
        tasks = [asyncio.create_task(self._read(socket)), asyncio.create_task(self._write(socket))]
        for task in tasks:
            task.add_done_callback(self._broke)
        limit = asyncio.get_running_loop().call_later(JOIN_TIMEOUT, self._check_joined)
        try:
            ended = await asyncio.shield(self._over)
            async with asyncio.timeout(LEAVE_TIMEOUT):
                await self._flush(socket)
            return ended
        finally:
            limit.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _end(self, ended: Ended) -> None:
        if not self._over.done():
            self._over.set_result(ended)

    def _broke(self, task: asyncio.Task[None]) -> None:
        """Reader or writer is over: so is the session."""
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, OSError | TimeoutError | WebSocketException):
            log.error("media session broke", exc_info=error)
        self._end(Ended(Problem(Code.UNAVAILABLE, "the media server is gone"), again=True))

    def _check_joined(self) -> None:
        if not self.connected:
            self._end(Ended(Problem(Code.UNAVAILABLE, "no way for media to the server"), again=True))

    async def _read(self, socket: ClientConnection) -> None:
        async for frame in socket:
            if isinstance(frame, str):
                continue
            for event in self._signal.receive(frame, _now_ms()):
                await self._take(event)
            self._wake.set()

    async def _write(self, socket: ClientConnection) -> None:
        """Send what waits; ping; give up on silence."""
        loop = asyncio.get_running_loop()
        pinged, silent = loop.time(), 0.0
        while True:
            self._wake.clear()
            await self._flush(socket)
            try:
                async with asyncio.timeout_at(pinged + self._ping_interval):
                    await self._wake.wait()
            except TimeoutError:
                silent = 0.0 if self._signal.heard else silent + self._ping_interval
                if silent >= self._ping_timeout:
                    raise
                self._signal.heard, pinged = False, loop.time()
                self._signal.ping(_now_ms())

    async def _flush(self, socket: ClientConnection) -> None:
        for frame in self._signal.take():
            await socket.send(frame)

    async def _take(self, event: SignalEvent) -> None:
        match event:
            case Joined():
                self._ping_interval, self._ping_timeout = event.ping_interval, event.ping_timeout
                await self._publish(event)
            case Answered(sdp, _):
                await self._peers[Target.PUBLISHER].setRemoteDescription(RTCSessionDescription(sdp, "answer"))
                early, self._early = self._early, []
                for candidate in early:
                    await self._add_candidate(candidate)
            case Offered(sdp, id):
                await self._answer(sdp, id)
            case Candidate():
                await self._add_candidate(event)
            case Published(cid, sid):
                self._announced(cid, sid)
            case MuteAsked(sid):
                for kind, known in self._sids.items():
                    if known == sid:
                        self._hooks.muted(kind)
            case TokenRenewed(token):
                self._hooks.renewed(token)
            case Ended():
                self._end(event)

    async def _publish(self, joined: Joined) -> None:
        """Announce the tracks and offer the publisher connection."""
        peer = self._peer(Target.PUBLISHER, joined)
        for track in self._tracks.values():
            transceiver = peer.addTransceiver(track, direction="sendonly")
            codecs = RTCRtpSender.getCapabilities(track.kind).codecs
            transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType.lower() in CODECS[track.kind]])
        if (audio := self._tracks.get("audio")) is not None:
            self._signal.add_audio(audio.id, muted=not self._open["audio"])
        width, height = self._size
        self._signal.add_video(self._tracks["video"].id, width=width, height=height, muted=not self._open["video"])
        self._peer(Target.SUBSCRIBER, joined)
        await peer.setLocalDescription(await peer.createOffer())
        self._signal.offer(peer.localDescription.sdp)

    def _peer(self, target: Target, joined: Joined) -> RTCPeerConnection:
        """A peer connection. STUN would tell nothing to a server that learns our address from checks; TURN may help."""
        relays = [
            RTCIceServer(urls=[url for url in urls if url.startswith("turn")], username=user, credential=word)
            for urls, user, word in joined.ice_servers
            if any(url.startswith("turn") for url in urls)
        ]
        # not max-bundle: aiortc would read candidates from the last section, servers write them in the first
        peer = self._peers[target] = RTCPeerConnection(RTCConfiguration(iceServers=relays))
        if target is Target.PUBLISHER:
            peer.on("connectionstatechange", self._state_changed)
        return peer

    def _state_changed(self) -> None:
        peer = self._peers.get(Target.PUBLISHER)
        state = peer.connectionState if peer is not None else "closed"
        connected = state == "connected"
        if connected != self.connected:
            self.connected = connected
            self._hooks.changed()
        if state == "failed":
            self._end(Ended(Problem(Code.UNAVAILABLE, "the way for media broke"), again=True))

    async def _answer(self, sdp: str, id: int) -> None:
        """Answer the server's offer; whatever tracks it offers are not taken."""
        peer = self._peers[Target.SUBSCRIBER]
        await peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        for transceiver in peer.getTransceivers():
            transceiver.direction = "inactive"
        await peer.setLocalDescription(await peer.createAnswer())
        self._signal.answer(peer.localDescription.sdp, id)

    async def _add_candidate(self, candidate: Candidate) -> None:
        peer = self._peers.get(candidate.target)
        if peer is None or peer.remoteDescription is None:
            self._early.append(candidate)
            return
        try:
            parsed = candidate_from_sdp(candidate.candidate.partition(":")[2])
        except (ValueError, AssertionError, IndexError):
            return
        parsed.sdpMid, parsed.sdpMLineIndex = candidate.mid, candidate.index
        await peer.addIceCandidate(parsed)

    def _announced(self, cid: str, sid: str) -> None:
        """The server took a track; tell it where a switch was moved meanwhile."""
        for kind, track in self._tracks.items():
            if track.id == cid:
                self._sids[kind] = sid
                self._signal.mute(sid, not self._open[kind])

    async def _release(self) -> None:
        """Close the camera and the microphone, and every socket."""
        for track in self._tracks.values():
            track.stop()
        peers, self._peers = self._peers, {}
        for outcome in await asyncio.gather(*(peer.close() for peer in peers.values()), return_exceptions=True):
            if isinstance(outcome, BaseException):
                log.error("a peer connection did not close", exc_info=outcome)


def _problem_of(error: InvalidStatus) -> Problem:
    """The server's own words, where it gave them."""
    body: Any = error.response.body
    try:
        return msgspec.json.decode(body or b"", type=Problem)
    except msgspec.MsgspecError:
        code = Code.TOKEN_INVALID if error.response.status_code in (401, 403) else Code.UNAVAILABLE
        return Problem(code, f"the media server answered {error.response.status_code}")


loopback.allow()
logging.getLogger("aioice").setLevel(logging.WARNING)  # it tells of every pair it checks


def _now_ms() -> int:
    return int(time.time() * 1000)
