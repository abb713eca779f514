"""The seam between meetings (`signaling/rooms`) and media sessions (`signaling/rtc`): neither imports the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from wire.problems import Problem


@dataclass(frozen=True)
class Grants:
    """What a join token allows (LiveKit video grants). `attributes` may hold `room` and `center` of an equipped room."""

    identity: str
    media: str  # LiveKit room name
    name: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    metadata: str = ""
    can_publish: bool = True
    can_subscribe: bool = True
    can_publish_data: bool = True
    can_publish_sources: tuple[str, ...] = ()  # camera, microphone, screen_share, screen_share_audio; empty = all
    can_update_own_metadata: bool = False
    hidden: bool = False
    room_admin: bool = False


class Leave(StrEnum):
    """Why a session ended, as told to the client."""

    LEFT = "left"
    REMOVED = "removed"
    ENDED = "ended"  # the meeting is over
    DUPLICATE = "duplicate"  # a newer session of the same identity
    LOST = "lost"


@dataclass(frozen=True)
class MediaParticipant:
    """One session as the meeting sees it."""

    grants: Grants
    joined_at: float  # Unix seconds
    mic: bool = False
    camera: bool = False
    screen: bool = False
    speaking: bool = False


@dataclass(frozen=True)
class MediaChanged:
    """Something about the participants of a media room changed; read `participants(media)`. `left` names who went and why."""

    media: str
    left: tuple[tuple[str, Leave], ...] = ()  # (identity, reason)


class Admission(Protocol):
    """Asked by media before a session is let in, and again at every token refresh."""

    def admit(self, grants: Grants) -> Problem | None:
        """None to let in, or why not (meeting over, removed, invitation revoked)."""


class MediaRooms(Protocol):
    """What meetings may ask of media. Implemented by `signaling.rtc`."""

    def participants(self, media: str) -> list[MediaParticipant]:
        """Sessions in a media room, hidden ones included, in order of joining."""

    def remove(self, media: str, identity: str, reason: Leave) -> None:
        """End one session; unknown ones are ignored."""

    def end(self, media: str, reason: Leave = Leave.ENDED) -> None:
        """End every session of a media room."""

    def listen(self, listener: Callable[[MediaChanged], None]) -> None:
        """Hear of changes, on the loop, soon after they happen."""
