"""What the sans-IO side wants done: relay commands, messages to clients, sessions to close, and a changed meeting."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field

from livekit.protocol.models import ParticipantInfo, TrackInfo
from livekit.protocol.rtc import SignalResponse

from relay.messages import Command
from signaling.media import Leave
from signaling.rtc.session import Session

NORMAL, BAD_DATA, POLICY, FAILED = 1000, 1007, 1008, 1011  # WebSocket close codes (RFC 6455 §7.4.1)


@dataclass(frozen=True)
class Goodbye:
    """A session's WebSocket is to be closed once its messages are out. `text` starts with a stable code."""

    sid: str
    close_code: int
    text: str


@dataclass(frozen=True)
class Happened:
    """Something that webhooks tell of, by LiveKit's names: `participant_joined`, `track_published`, `room_finished`…"""

    event: str
    participant: ParticipantInfo | None = None
    track: TrackInfo | None = None


@dataclass
class Effects:
    """Filled by the sans-IO side, emptied by the shell after each input."""

    commands: list[Command] = field(default_factory=list)
    messages: list[tuple[tuple[str, ...], SignalResponse]] = field(default_factory=list)  # (session sids, message)
    goodbyes: list[Goodbye] = field(default_factory=list)
    left: list[tuple[str, Leave]] = field(default_factory=list)  # (identity, reason)
    leaving: list[tuple[Session, Leave]] = field(default_factory=list)  # of whose end the others are told later
    happened: list[Happened] = field(default_factory=list)
    changed: bool = False
    due_at: float | None = None  # when the room's offers are to be looked at again, at the latest

    def send(self, sids: Iterable[str], message: SignalResponse) -> None:
        """One message to some sessions, in order with all others."""
        targets = tuple(sids)
        if targets:
            self.messages.append((targets, message))

    def look_at(self, when: float) -> None:
        """Look at the room's offers again then."""
        self.due_at = when if self.due_at is None else min(self.due_at, when)

    def take(self) -> Effects:
        """What is to be done now; starts afresh. The list of commands stays the same object: connections hold it."""
        taken = dataclasses.replace(self, commands=list(self.commands))
        self.commands.clear()
        self.messages, self.goodbyes, self.left, self.leaving, self.happened = [], [], [], [], []
        self.changed, self.due_at = False, None
        return taken
