"""Tables. Times are Unix seconds (float), secrets SHA-256 hex; see `records.py` for what each field means."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, MetaData, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of all tables; constraints are named so that migrations can alter them."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {dict[str, Any]: JSON}


class CenterRow(Base):
    """A center of the network, whole as JSON: the directory is read and written as one."""

    __tablename__ = "center"
    id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    document: Mapped[dict[str, Any]]


class RoomRow(Base):
    """A room of a center."""

    __tablename__ = "room"
    id: Mapped[str] = mapped_column(primary_key=True)
    center: Mapped[str] = mapped_column(ForeignKey("center.id"), index=True)
    position: Mapped[int]
    document: Mapped[dict[str, Any]]


class MeetingRow(Base):
    """A meeting; running while `ended_at` is null."""

    __tablename__ = "meeting"
    id: Mapped[str] = mapped_column(primary_key=True)
    media: Mapped[str]
    title: Mapped[str]
    started_at: Mapped[float]
    started_by: Mapped[str]
    ended_at: Mapped[float | None] = mapped_column(index=True)
    ended_by: Mapped[str | None]


class MeetingRoomRow(Base):
    """Where a room of a meeting stands (`RoomCall`)."""

    __tablename__ = "meeting_room"
    meeting: Mapped[str] = mapped_column(ForeignKey("meeting.id"), primary_key=True)
    room: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    call: Mapped[str]


class InvitationRow(Base):
    """A guest link."""

    __tablename__ = "invitation"
    id: Mapped[str] = mapped_column(primary_key=True)
    meeting: Mapped[str] = mapped_column(ForeignKey("meeting.id"), index=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    created_by: Mapped[str]
    expires_at: Mapped[float]
    revoked_at: Mapped[float | None]


class GuestRow(Base):
    """A person who joined by link."""

    __tablename__ = "guest"
    id: Mapped[str] = mapped_column(primary_key=True)
    meeting: Mapped[str] = mapped_column(ForeignKey("meeting.id"), index=True)
    invitation: Mapped[str] = mapped_column(ForeignKey("invitation.id"))
    name: Mapped[str]
    language: Mapped[str]
    refresh_hash: Mapped[str] = mapped_column(unique=True)
    joined_at: Mapped[float]
    left_at: Mapped[float | None]
    removed: Mapped[bool]


class CredentialRow(Base):
    """An agent's public key for a room."""

    __tablename__ = "credential"
    __table_args__ = (UniqueConstraint("room", "key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    room: Mapped[str] = mapped_column(index=True)
    key: Mapped[str]
    enrolled_at: Mapped[float]
    revoked_at: Mapped[float | None]


class AuditRow(Base):
    """Who did what to what; only ever appended."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_subject_at", "subject", "at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[float]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]]


class SignInRow(Base):
    """A one-time sign-in link of IT; `used_at` once it was exchanged for a session."""

    __tablename__ = "sign_in"
    code_hash: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[float]
    used_at: Mapped[float | None]


class OperatorSessionRow(Base):
    """A signed-in browser of IT."""

    __tablename__ = "operator_session"
    secret_hash: Mapped[str] = mapped_column(primary_key=True)
    operator: Mapped[str]
    expires_at: Mapped[float]
