"""The agent's end of the control link (`wire.link`), sans-IO: one object per connection.

Frames and time in (`receive`, `tick`), events out; frames to send are taken with `take`. `now` is a monotonic clock in
seconds; `wall` is Unix seconds. The link closes itself by a `Closed` event: after a refusal, a frame it cannot accept,
a gap in a document, or silence.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import msgspec

from roomctl.keys import AgentKey
from wire.link import (
    MAX_FRAME,
    PROTOCOL,
    Beat,
    Challenge,
    Command,
    Document,
    FromAgent,
    FromServer,
    Hello,
    Refused,
    Reply,
    Report,
    Request,
    Result,
    Welcome,
)
from wire.live import Json, Replica, RevisionGap
from wire.problems import Code, Problem

log = logging.getLogger(__name__)

HANDSHAKE = 10.0  # seconds for challenge and welcome to arrive
REQUEST_TIMEOUT = 10.0  # seconds
MAX_PENDING = 64  # requests under way
MAX_OUTBOX = 512  # frames waiting to be written
MAX_TOPICS = 8
Op = Literal[
    "start_meeting",
    "answer",
    "decline",
    "leave",
    "end",
    "add_rooms",
    "remove",
    "invite",
    "revoke_invitations",
    "media",
    "help",
]
HEARTBEAT_BOUNDS = (1.0, 60.0)  # seconds


class LinkPhase(StrEnum):
    """Where a connection stands."""

    NEW = "new"  # waiting for the challenge
    PROVING = "proving"  # hello sent
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True)
class Opened:
    """The server accepted us. `offset`: server clock minus ours in seconds."""

    welcome: Welcome
    offset: float


@dataclass(frozen=True)
class ClockSeen:
    """A heartbeat told the server's clock. `offset`: it minus ours in seconds, the way of the message included."""

    offset: float


@dataclass(frozen=True)
class Commanded:
    """The server asks the room."""

    command: Command


@dataclass(frozen=True)
class Answered:
    """A request came back: `problem` or `result`."""

    id: int
    result: Json | None
    problem: Problem | None


@dataclass(frozen=True)
class Changed:
    """A document changed; `data` is the whole of it."""

    topic: str
    data: Json


@dataclass(frozen=True)
class Closed:
    """The connection is over. `refusal` when the server said why it does not accept us."""

    reason: str
    refusal: Problem | None = None


LinkEvent = Opened | ClockSeen | Commanded | Answered | Changed | Closed


class Link:
    """One connection to the server."""

    def __init__(self, room: str, key: AgentKey, *, boot: str, software: str, now: float) -> None:
        self.phase = LinkPhase.NEW
        self.choked = False  # more waited than we hold: drop the connection and start again from a snapshot
        self._room = room
        self._key = key
        self._boot = boot
        self._software = software
        self._heartbeat = HANDSHAKE / 3
        self._heard = now
        self._next_beat = now + HANDSHAKE
        self._ids = 0
        self._pending: dict[int, float] = {}  # request id -> when it times out
        self._outbox: list[str] = []
        self._documents: dict[str, Replica] = {}

    # --- in -------------------------------------------------------------------------------------------------------

    def receive(self, frame: str | bytes, now: float, wall: float) -> list[LinkEvent]:
        """One frame from the server. Anything malformed or out of turn closes the link."""
        if self.phase is LinkPhase.CLOSED:
            return []
        if len(frame) > MAX_FRAME:
            return self._close("frame too large")
        try:
            message = _decoder.decode(frame)
        except (msgspec.MsgspecError, UnicodeError) as error:
            return self._close(f"malformed frame: {error}")
        self._heard = now
        match message:
            case Refused(problem):
                return self._close(f"refused: {problem.code}", problem)
            case Beat(at):
                return [ClockSeen(at - wall)] if self.phase is LinkPhase.OPEN else []
            case Challenge(nonce) if self.phase is LinkPhase.NEW:
                return self._prove(nonce)
            case Welcome() if self.phase is LinkPhase.PROVING:
                return self._welcomed(message, now, wall)
            case Command() if self.phase is LinkPhase.OPEN:
                return [Commanded(message)]
            case Reply(id, result, problem) if self.phase is LinkPhase.OPEN:
                return [Answered(id, result, problem)] if self._pending.pop(id, None) is not None else []
            case Document() if self.phase is LinkPhase.OPEN:
                return self._apply(message)
            case _:
                return self._close(f"{type(message).__name__} while {self.phase}")

    def tick(self, now: float, wall: float) -> list[LinkEvent]:
        """Time has passed; call at `deadline()`."""
        if self.phase is LinkPhase.CLOSED:
            return []
        if now >= self._heard + 3 * self._heartbeat:
            return self._close("the server is silent")
        if self.phase is LinkPhase.OPEN and now >= self._next_beat:
            self._next_beat = now + self._heartbeat
            self._send(Beat(wall))
        late = [id for id, end in self._pending.items() if now >= end]
        for id in late:
            del self._pending[id]
        return [Answered(id, None, Problem(Code.UNAVAILABLE, "the server did not answer in time")) for id in late]

    def deadline(self) -> float:
        """When `tick` is due at the latest."""
        ends = [self._heard + 3 * self._heartbeat, *self._pending.values()]
        if self.phase is LinkPhase.OPEN:
            ends.append(self._next_beat)
        return min(ends)

    # --- out ------------------------------------------------------------------------------------------------------

    def request(self, op: Op, args: msgspec.Struct | None, now: float, timeout: float = REQUEST_TIMEOUT) -> int | None:
        """Ask the server; the id its `Answered` will carry, None when too many are under way or the link is not open."""
        if self.phase is not LinkPhase.OPEN or len(self._pending) >= MAX_PENDING:
            return None
        self._ids += 1
        self._pending[self._ids] = now + timeout
        self._send(Request(self._ids, op, _plain(args)))
        return self._ids

    def report(self, report: Report) -> None:
        """Tell the room's state."""
        if self.phase is LinkPhase.OPEN:
            self._send(report)

    def result(self, result: Result) -> None:
        """Tell what became of a command."""
        if self.phase is LinkPhase.OPEN:
            self._send(result)

    def take(self) -> list[str]:
        """The frames to write now, in order."""
        frames, self._outbox = self._outbox, []
        return frames

    # --- inside ---------------------------------------------------------------------------------------------------

    def _prove(self, nonce: str) -> list[LinkEvent]:
        self.phase = LinkPhase.PROVING
        signature = self._key.sign(self._room, nonce)
        versions = (PROTOCOL, PROTOCOL)
        self._send(Hello(self._room, self._key.public, signature, versions, self._software, self._boot))
        return []

    def _welcomed(self, welcome: Welcome, now: float, wall: float) -> list[LinkEvent]:
        if welcome.protocol != PROTOCOL:
            return self._close(f"the server speaks protocol {welcome.protocol}")
        low, high = HEARTBEAT_BOUNDS
        self._heartbeat = min(max(welcome.heartbeat, low), high)
        self._next_beat = now + self._heartbeat
        self.phase = LinkPhase.OPEN
        return [Opened(welcome, welcome.server_time - wall)]

    def _apply(self, document: Document) -> list[LinkEvent]:
        topic = document.change.topic
        replica = self._documents.setdefault(topic, Replica())
        if len(self._documents) > MAX_TOPICS:
            return self._close("too many documents")
        try:
            return [Changed(topic, replica.apply(document.change))]
        except RevisionGap as gap:
            return self._close(f"gap: {gap}")

    def _close(self, reason: str, refusal: Problem | None = None) -> list[LinkEvent]:
        self.phase = LinkPhase.CLOSED
        lost = Problem(Code.UNAVAILABLE, "the link to the server was lost")
        events: list[LinkEvent] = [Answered(id, None, lost) for id in self._pending]
        self._pending.clear()
        return [*events, Closed(reason, refusal)]

    def lose(self, reason: str) -> list[LinkEvent]:
        """The connection broke underneath."""
        return [] if self.phase is LinkPhase.CLOSED else self._close(reason)

    def _send(self, message: FromAgent) -> None:
        if len(self._outbox) >= MAX_OUTBOX:
            self.choked = True
            return
        self._outbox.append(_encoder.encode(message).decode())


def _plain(args: msgspec.Struct | None) -> Json:
    plain: Json = msgspec.to_builtins(args) if args is not None else {}
    return plain


_decoder = msgspec.json.Decoder(FromServer)
_encoder = msgspec.json.Encoder()
