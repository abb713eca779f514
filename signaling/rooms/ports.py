"""What meetings need of the store and of the token mint, as small protocols."""

from __future__ import annotations

from typing import Protocol

from signaling.media import Grants
from signaling.store.records import AuditRecord, CredentialRecord, GuestRecord, InvitationRecord, MeetingRecord


class TokenMint(Protocol):
    """Signs join tokens (`signaling.tokens.Tokens`)."""

    def mint(self, grants: Grants, ttl_seconds: int) -> str:
        """A LiveKit access token that allows `grants`."""


class Records(Protocol):
    """The store as rooms use it. Each call is one transaction; raises Refusal(storage_full) on a full disk."""

    async def put_meeting(self, record: MeetingRecord, *audit: AuditRecord) -> None:
        """Insert or replace a meeting, together with its audit lines."""

    async def running_meetings(self) -> list[MeetingRecord]:
        """Meetings without an end."""

    async def meeting(self, id: str) -> MeetingRecord | None:
        """One meeting, running or over."""

    async def put_invitation(self, record: InvitationRecord, *audit: AuditRecord) -> None:
        """Insert or replace a guest link."""

    async def invitation_by_secret(self, secret_hash: str) -> InvitationRecord | None:
        """A guest link by the SHA-256 (hex) of its secret."""

    async def revoke_invitations(self, meeting: str, at: float, *audit: AuditRecord) -> object:
        """Revoke every link of a meeting."""

    async def put_guest(self, record: GuestRecord, *audit: AuditRecord) -> None:
        """Insert or replace a guest."""

    async def guest(self, id: str) -> GuestRecord | None:
        """A guest by media identity."""

    async def guest_by_refresh(self, refresh_hash: str) -> GuestRecord | None:
        """A guest by the SHA-256 (hex) of the refresh secret."""

    async def guests(self, meeting: str) -> list[GuestRecord]:
        """Everyone who ever joined a meeting by link."""

    async def credential(self, room: str, key: str) -> CredentialRecord | None:
        """An agent's key as enrolled for a room."""

    async def audit(self, *records: AuditRecord) -> None:
        """Append audit lines."""
