"""The store: what survives a restart. SQLAlchemy 2 async on SQLite (WAL), migrated by Alembic.

    store = await Store.open(sqlite_url(path))          # migrates first
    await store.put_meeting(record, AuditRecord(...))   # record and audit in one transaction, or neither

Every write that must not be lost is awaited before its effect is told to anyone. Raises `wire.problems.Refusal`
(storage_full) where the disk is full.
"""

from signaling.store.database import Database, sqlite_url
from signaling.store.records import AuditRecord, CredentialRecord, GuestRecord, InvitationRecord, MeetingRecord
from signaling.store.store import Store

__all__ = [
    "AuditRecord",
    "CredentialRecord",
    "Database",
    "GuestRecord",
    "InvitationRecord",
    "MeetingRecord",
    "Store",
    "sqlite_url",
]
