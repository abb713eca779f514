"""What happens to a meeting: the inputs of its state machine (`progress.step`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Return(StrEnum):
    """How an agent came back on its link."""

    RINGING = "ringing"
    PREPARING = "preparing"
    IN_MEETING = "in_meeting"
    RESTARTED = "restarted"  # a new process, which knows nothing of the meeting
    OUT = "out"  # the same process, which declined or left meanwhile
    IDLE = "idle"  # in no meeting, and the server, itself started anew, cannot tell why: people may have left


@dataclass(frozen=True)
class Answered:
    """A room takes the call."""

    room: str


@dataclass(frozen=True)
class Declined:
    """A room declines the call."""

    room: str


@dataclass(frozen=True)
class Left:
    """A room leaves. `fact`: it has left already, and is not to be refused."""

    room: str
    fact: bool = False


@dataclass(frozen=True)
class Added:
    """Ring more rooms; whether they can be called was checked."""

    rooms: tuple[str, ...]
    actor: str


@dataclass(frozen=True)
class Removed:
    """Take a participant (`room:ID` or a person's identity) out."""

    participant: str
    actor: str


@dataclass(frozen=True)
class Ended:
    """End for all."""

    actor: str


@dataclass(frozen=True)
class AgentLost:
    """The link of a room's agent is gone."""

    room: str


@dataclass(frozen=True)
class AgentBack:
    """A room's agent said on a new link where it stands."""

    room: str
    standing: Return


@dataclass(frozen=True)
class Joined:
    """A room's agent says that it is in the meeting."""

    room: str


@dataclass(frozen=True)
class Unable:
    """A room's agent could not do what it was told (`problem` is a stable code)."""

    room: str
    problem: str


@dataclass(frozen=True)
class Media:
    """Who is in the media now: rooms by id, people by identity."""

    rooms: frozenset[str]
    people: frozenset[str]


@dataclass(frozen=True)
class Tick:
    """Time has passed."""


Input = Answered | Declined | Left | Added | Removed | Ended | AgentLost | AgentBack | Joined | Unable | Media | Tick
