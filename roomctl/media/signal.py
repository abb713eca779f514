"""The LiveKit signal protocol (V0) of a client that publishes, sans-IO: protobuf frames in, events out, and back.

Messages: `livekit.protocol.rtc`. After `join` the client adds its tracks, offers on the publisher connection, and
answers the server's offers on the subscriber connection (data channels only: it subscribes to nothing).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from google.protobuf.message import DecodeError
from livekit.protocol import models, rtc

from wire.problems import Code, Problem

PROTOCOL: Final = 15  # of the LiveKit client protocol
MAX_FRAME: Final = 1024 * 1024  # bytes


class Target(StrEnum):
    """Which of the two peer connections."""

    PUBLISHER = "publisher"
    SUBSCRIBER = "subscriber"


@dataclass(frozen=True)
class Joined:
    """We are in. `ping_interval`, `ping_timeout` in seconds."""

    sid: str
    ice_servers: tuple[tuple[tuple[str, ...], str, str], ...]  # urls, username, credential
    ping_interval: float
    ping_timeout: float


@dataclass(frozen=True)
class Answered:
    """The server's answer to our offer `id` on the publisher connection."""

    sdp: str
    id: int


@dataclass(frozen=True)
class Offered:
    """The server's offer `id` on the subscriber connection."""

    sdp: str
    id: int


@dataclass(frozen=True)
class Candidate:
    """An ICE candidate of the server, as `candidate:…`, for a media section."""

    target: Target
    candidate: str
    mid: str | None
    index: int | None


@dataclass(frozen=True)
class Published:
    """The track we called `cid` is known as `sid`."""

    cid: str
    sid: str


@dataclass(frozen=True)
class MuteAsked:
    """Somebody with the right to do so asks us to stop sending a track. Never to start."""

    sid: str


@dataclass(frozen=True)
class TokenRenewed:
    """The token for the next reconnect."""

    token: str


@dataclass(frozen=True)
class Ended:
    """The session is over; `again`: join anew."""

    problem: Problem
    again: bool


SignalEvent = Joined | Answered | Offered | Candidate | Published | MuteAsked | TokenRenewed | Ended

_PROBLEMS: Final = {
    models.DisconnectReason.DUPLICATE_IDENTITY: Problem(Code.AGENT_REPLACED, "another session speaks for this room"),
    models.DisconnectReason.PARTICIPANT_REMOVED: Problem(Code.FORBIDDEN, "the room was removed from the meeting"),
    models.DisconnectReason.ROOM_DELETED: Problem(Code.MEETING_OVER, "the meeting is over"),
    models.DisconnectReason.ROOM_CLOSED: Problem(Code.MEETING_OVER, "the meeting is over"),
}


class SignalClient:
    """One session's signalling. `take` gives the frames to send."""

    def __init__(self) -> None:
        self.joined = False
        self._offer_id = 0
        self._outbox: list[bytes] = []
        self._rtt = 0  # ms
        self.heard = False  # the server said something since this was last cleared

    # --- in -------------------------------------------------------------------------------------------------------

    def receive(self, frame: bytes, now_ms: int) -> list[SignalEvent]:
        """One frame of the server. What we do not use is passed over, as the protocol asks; garbage ends the session."""
        self.heard = True
        response = rtc.SignalResponse()
        try:
            response.ParseFromString(frame)
        except DecodeError:
            return [Ended(Problem(Code.BAD_REQUEST, "the media server sent garbage"), again=True)]
        kind = response.WhichOneof("message")
        if not self.joined and kind not in ("join", "leave"):
            return [Ended(Problem(Code.BAD_REQUEST, f"the media server said {kind} before join"), again=True)]
        return self._take(kind, response, now_ms)

    def _take(self, kind: str | None, response: rtc.SignalResponse, now_ms: int) -> list[SignalEvent]:
        match kind:
            case "join":
                self.joined = True
                return [_joined(response.join)]
            case "answer":
                return [Answered(response.answer.sdp, response.answer.id)]
            case "offer":
                return [Offered(response.offer.sdp, response.offer.id)]
            case "trickle":
                return _candidate(response.trickle)
            case "track_published":
                return [Published(response.track_published.cid, response.track_published.track.sid)]
            case "mute":
                return [MuteAsked(response.mute.sid)] if response.mute.muted else []
            case "refresh_token":
                return [TokenRenewed(response.refresh_token)]
            case "pong_resp":
                self._rtt = max(0, now_ms - response.pong_resp.last_ping_timestamp)
            case "leave":
                return [_ended(response.leave)]
        return []

    # --- out ------------------------------------------------------------------------------------------------------

    def add_audio(self, cid: str, *, muted: bool) -> None:
        """Announce the microphone."""
        self._add(cid, "microphone", models.TrackType.AUDIO, models.TrackSource.MICROPHONE, muted)

    def add_video(self, cid: str, *, width: int, height: int, muted: bool) -> None:
        """Announce the camera."""
        self._add(cid, "camera", models.TrackType.VIDEO, models.TrackSource.CAMERA, muted, width, height)

    def offer(self, sdp: str) -> int:
        """Offer the publisher connection; the id its answer will echo."""
        self._offer_id += 1
        self._send(rtc.SignalRequest(offer=rtc.SessionDescription(type="offer", sdp=sdp, id=self._offer_id)))
        return self._offer_id

    def answer(self, sdp: str, id: int) -> None:
        """Answer the server's offer `id` on the subscriber connection."""
        self._send(rtc.SignalRequest(answer=rtc.SessionDescription(type="answer", sdp=sdp, id=id)))

    def mute(self, sid: str, muted: bool) -> None:
        """Tell everyone that a track is closed or open."""
        self._send(rtc.SignalRequest(mute=rtc.MuteTrackRequest(sid=sid, muted=muted)))

    def ping(self, now_ms: int) -> None:
        """Say that we are alive; the answer tells the round trip."""
        self._send(rtc.SignalRequest(ping_req=rtc.Ping(timestamp=now_ms, rtt=self._rtt)))

    def leave(self) -> None:
        """Say that we go."""
        reason = models.DisconnectReason.CLIENT_INITIATED
        self._send(rtc.SignalRequest(leave=rtc.LeaveRequest(reason=reason, action=rtc.LeaveRequest.Action.DISCONNECT)))

    def take(self) -> list[bytes]:
        """The frames to send now, in order."""
        frames, self._outbox = self._outbox, []
        return frames

    def _add(
        self,
        cid: str,
        name: str,
        kind: models.TrackType,
        source: models.TrackSource,
        muted: bool,
        width: int = 0,
        height: int = 0,
    ) -> None:
        request = rtc.AddTrackRequest(
            cid=cid, name=name, type=kind, source=source, muted=muted, width=width, height=height, disable_red=True
        )
        self._send(rtc.SignalRequest(add_track=request))

    def _send(self, request: rtc.SignalRequest) -> None:
        self._outbox.append(request.SerializeToString())


def _joined(join: rtc.JoinResponse) -> Joined:
    servers = tuple((tuple(server.urls), server.username, server.credential) for server in join.ice_servers)
    return Joined(join.participant.sid, servers, join.ping_interval or 10.0, join.ping_timeout or 20.0)


def _candidate(trickle: rtc.TrickleRequest) -> list[SignalEvent]:
    target = Target.SUBSCRIBER if trickle.target == rtc.SignalTarget.SUBSCRIBER else Target.PUBLISHER
    try:
        init = json.loads(trickle.candidateInit)
        text, mid, index = str(init["candidate"]), init.get("sdpMid"), init.get("sdpMLineIndex")
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
    if not text:
        return []
    return [Candidate(target, text, mid if isinstance(mid, str) else None, index if isinstance(index, int) else None)]


def _ended(leave: rtc.LeaveRequest) -> Ended:
    known = _PROBLEMS.get(leave.reason)
    again = leave.action != rtc.LeaveRequest.Action.DISCONNECT or (known is None and leave.can_reconnect)
    problem = known or Problem(Code.UNAVAILABLE, "the media server ended the session")
    return Ended(problem, again or known is None)
