"""What a meeting asks of the world: the effects that `dispatch` carries out."""

from __future__ import annotations

from dataclasses import dataclass

from signaling.media import Leave


@dataclass(frozen=True)
class RingRoom:
    """Ring a room until then."""

    room: str
    until: float


@dataclass(frozen=True)
class StopRinging:
    """The room is not called any more."""

    room: str


@dataclass(frozen=True)
class PrepareRoom:
    """The room goes into the meeting."""

    room: str


@dataclass(frozen=True)
class ReleaseRoom:
    """The room is out: `reason` is ended, removed, left, or unanswered."""

    room: str
    reason: str


@dataclass(frozen=True)
class EvictRoom:
    """End every media session of a room."""

    room: str
    reason: Leave


@dataclass(frozen=True)
class EvictPerson:
    """End a person's media session."""

    identity: str
    reason: Leave


@dataclass(frozen=True)
class CloseMedia:
    """End every media session of the meeting."""


Effect = RingRoom | StopRinging | PrepareRoom | ReleaseRoom | EvictRoom | EvictPerson | CloseMedia
