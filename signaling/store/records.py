"""What the store keeps, as plain frozen records. Times are Unix seconds; secrets are kept as SHA-256 hex only."""

from __future__ import annotations

from dataclasses import dataclass, field

from wire.meetings import RoomCall


@dataclass(frozen=True)
class MeetingRecord:
    """A meeting and its rooms; `ended_at` None while it runs."""

    id: str
    media: str
    title: str
    started_at: float
    started_by: str
    rooms: dict[str, RoomCall] = field(default_factory=dict)
    ended_at: float | None = None
    ended_by: str | None = None


@dataclass(frozen=True)
class InvitationRecord:
    """A guest link of a meeting."""

    id: str
    meeting: str
    secret_hash: str
    created_by: str
    expires_at: float
    revoked_at: float | None = None


@dataclass(frozen=True)
class GuestRecord:
    """A person who joined by link. `id` is the media identity; `removed` people are not let in again."""

    id: str
    meeting: str
    invitation: str
    name: str
    language: str
    refresh_hash: str
    joined_at: float
    left_at: float | None = None
    removed: bool = False


@dataclass(frozen=True)
class CredentialRecord:
    """An agent's Ed25519 public key (base64) enrolled for a room."""

    room: str
    key: str
    enrolled_at: float
    revoked_at: float | None = None


@dataclass(frozen=True)
class AuditRecord:
    """Who did what to what. `actor` like `room:ID`, `guest:…`, `it:…`, `server`."""

    at: float
    actor: str
    action: str
    subject: str
    detail: dict[str, str] = field(default_factory=dict)
