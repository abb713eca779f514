"""The store's face: records in, records out, each call one transaction."""

from __future__ import annotations

from dataclasses import asdict
from typing import TypeVar

import msgspec
from sqlalchemy import Select, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from signaling.store.database import Database
from signaling.store.models import (
    AuditRow,
    CenterRow,
    CredentialRow,
    GuestRow,
    InvitationRow,
    MeetingRoomRow,
    MeetingRow,
    OperatorSessionRow,
    RoomRow,
    SignInRow,
)
from signaling.store.records import AuditRecord, CredentialRecord, GuestRecord, InvitationRecord, MeetingRecord
from wire.meetings import RoomCall
from wire.places import Center, Network, Room

T = TypeVar("T")


class Store:
    """Everything the server keeps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, url: str) -> Store:
        """Open (and migrate) the database at a SQLAlchemy URL, e.g. `sqlite_url(path)`."""
        return cls(await Database.open(url))

    async def close(self) -> None:
        """Close the database."""
        await self._database.close()

    # --- directory ------------------------------------------------------------------------------------------------

    async def network(self) -> Network:
        """All centers and rooms, in their order."""
        async with self._database.begin() as session:
            centers = await session.scalars(select(CenterRow).order_by(CenterRow.position))
            rooms = await session.scalars(select(RoomRow).order_by(RoomRow.position))
            return Network(
                centers=[msgspec.convert(row.document, Center) for row in centers],
                rooms=[msgspec.convert(row.document, Room) for row in rooms],
            )

    async def put_network(self, network: Network, *audit: AuditRecord) -> None:
        """Make `network` the directory; centers and rooms no longer in it are dropped from it."""
        async with self._database.begin() as session:
            await session.execute(delete(RoomRow))
            await session.execute(delete(CenterRow))
            for position, center in enumerate(network.centers):
                session.add(CenterRow(id=center.id, position=position, document=msgspec.to_builtins(center)))
            await session.flush()
            for position, room in enumerate(network.rooms):
                document = msgspec.to_builtins(room)
                session.add(RoomRow(id=room.id, center=room.center, position=position, document=document))
            _append(session, audit)

    # --- meetings -------------------------------------------------------------------------------------------------

    async def put_meeting(self, record: MeetingRecord, *audit: AuditRecord) -> None:
        """Insert or replace a meeting with its rooms."""
        async with self._database.begin() as session:
            fields = {name: value for name, value in asdict(record).items() if name != "rooms"}
            await session.merge(MeetingRow(**fields))
            await session.flush()
            await session.execute(delete(MeetingRoomRow).where(MeetingRoomRow.meeting == record.id))
            for position, (room, call) in enumerate(record.rooms.items()):
                session.add(MeetingRoomRow(meeting=record.id, room=room, position=position, call=call.value))
            _append(session, audit)

    async def meeting(self, id: str) -> MeetingRecord | None:
        """A meeting, running or ended."""
        async with self._database.begin() as session:
            row = await session.get(MeetingRow, id)
            return None if row is None else await _meeting(session, row)

    async def running_meetings(self) -> list[MeetingRecord]:
        """Meetings that have not ended, oldest first."""
        async with self._database.begin() as session:
            query = select(MeetingRow).where(MeetingRow.ended_at.is_(None)).order_by(MeetingRow.started_at)
            return [await _meeting(session, row) for row in (await session.scalars(query)).all()]

    # --- invitations and guests -----------------------------------------------------------------------------------

    async def put_invitation(self, record: InvitationRecord, *audit: AuditRecord) -> None:
        """Insert or replace a guest link."""
        async with self._database.begin() as session:
            await session.merge(InvitationRow(**asdict(record)))
            _append(session, audit)

    async def invitation_by_secret(self, secret_hash: str) -> InvitationRecord | None:
        """A guest link by the SHA-256 of its secret, whatever its state."""
        async with self._database.begin() as session:
            row = await session.scalar(select(InvitationRow).where(InvitationRow.secret_hash == secret_hash))
            return None if row is None else _record(InvitationRecord, row)

    async def revoke_invitations(self, meeting: str, at: float, *audit: AuditRecord) -> None:
        """Revoke every guest link of a meeting that is not revoked yet."""
        async with self._database.begin() as session:
            mine = (InvitationRow.meeting == meeting) & InvitationRow.revoked_at.is_(None)
            await session.execute(update(InvitationRow).where(mine).values(revoked_at=at))
            _append(session, audit)

    async def put_guest(self, record: GuestRecord, *audit: AuditRecord) -> None:
        """Insert or replace a guest."""
        async with self._database.begin() as session:
            await session.merge(GuestRow(**asdict(record)))
            _append(session, audit)

    async def guest(self, id: str) -> GuestRecord | None:
        """A guest by media identity."""
        async with self._database.begin() as session:
            row = await session.get(GuestRow, id)
            return None if row is None else _record(GuestRecord, row)

    async def guest_by_refresh(self, refresh_hash: str) -> GuestRecord | None:
        """A guest by the SHA-256 of their refresh secret."""
        async with self._database.begin() as session:
            row = await session.scalar(select(GuestRow).where(GuestRow.refresh_hash == refresh_hash))
            return None if row is None else _record(GuestRecord, row)

    async def guests(self, meeting: str) -> list[GuestRecord]:
        """Everyone who ever joined a meeting by link, in order."""
        async with self._database.begin() as session:
            query = select(GuestRow).where(GuestRow.meeting == meeting).order_by(GuestRow.joined_at)
            return [_record(GuestRecord, row) for row in await session.scalars(query)]

    # --- credentials ----------------------------------------------------------------------------------------------

    async def credential(self, room: str, key: str) -> CredentialRecord | None:
        """The enrolment of an agent key for a room, revoked or not."""
        async with self._database.begin() as session:
            row = await session.scalar(_credential(room, key))
            return None if row is None else _record(CredentialRecord, row)

    async def put_credential(self, record: CredentialRecord, *audit: AuditRecord) -> None:
        """Enrol an agent key, or change its revocation."""
        async with self._database.begin() as session:
            row = await session.scalar(_credential(record.room, record.key))
            if row is None:
                session.add(CredentialRow(**asdict(record)))
            else:
                row.revoked_at = record.revoked_at
            _append(session, audit)

    # --- IT's sign-in ---------------------------------------------------------------------------------------------

    async def put_sign_in(self, code_hash: str, expires_at: float) -> None:
        """A one-time sign-in code."""
        async with self._database.begin() as session:
            session.add(SignInRow(code_hash=code_hash, expires_at=expires_at))

    async def use_sign_in(self, code_hash: str, now: float) -> str:
        """Use a code once: `ok`, or why not: `unknown`, `expired`, `used`. One winner however many try."""
        async with self._database.begin() as session:
            fresh = (SignInRow.code_hash == code_hash) & SignInRow.used_at.is_(None) & (SignInRow.expires_at > now)
            taken = await session.execute(
                update(SignInRow).where(fresh).values(used_at=now).returning(SignInRow.code_hash)
            )
            if taken.first() is not None:
                return "ok"
            row = await session.get(SignInRow, code_hash)
            if row is None:
                return "unknown"
            return "used" if row.used_at is not None else "expired"

    async def put_operator_session(self, secret_hash: str, operator: str, expires_at: float) -> None:
        """A signed-in browser; forgets the expired ones."""
        async with self._database.begin() as session:
            session.add(OperatorSessionRow(secret_hash=secret_hash, operator=operator, expires_at=expires_at))

    async def operator_by_session(self, secret_hash: str, now: float) -> str | None:
        """Who is signed in with this cookie, None if nobody (any more)."""
        async with self._database.begin() as session:
            row = await session.get(OperatorSessionRow, secret_hash)
            return row.operator if row is not None and row.expires_at > now else None

    async def end_operator_session(self, secret_hash: str) -> None:
        """Sign out."""
        async with self._database.begin() as session:
            await session.execute(delete(OperatorSessionRow).where(OperatorSessionRow.secret_hash == secret_hash))

    # --- audit ----------------------------------------------------------------------------------------------------

    async def audit(self, *records: AuditRecord) -> None:
        """Append to the audit trail."""
        async with self._database.begin() as session:
            _append(session, records)

    async def audit_trail(self, limit: int = 100, subject: str | None = None) -> list[AuditRecord]:
        """The newest entries, newest first."""
        async with self._database.begin() as session:
            query = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
            if subject is not None:
                query = query.where(AuditRow.subject == subject)
            return [_record(AuditRecord, row) for row in await session.scalars(query)]


def _append(session: AsyncSession, records: tuple[AuditRecord, ...]) -> None:
    session.add_all(AuditRow(**asdict(record)) for record in records)


def _credential(room: str, key: str) -> Select[CredentialRow]:
    return select(CredentialRow).where(CredentialRow.room == room, CredentialRow.key == key)


async def _meeting(session: AsyncSession, row: MeetingRow) -> MeetingRecord:
    query = select(MeetingRoomRow).where(MeetingRoomRow.meeting == row.id).order_by(MeetingRoomRow.position)
    rooms = {entry.room: RoomCall(entry.call) for entry in await session.scalars(query)}
    return MeetingRecord(
        id=row.id,
        media=row.media,
        title=row.title,
        started_at=row.started_at,
        started_by=row.started_by,
        rooms=rooms,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )


def _record(kind: type[T], row: object) -> T:
    """A record of `kind` from the row's attributes of the same names."""
    return msgspec.convert(row, kind, from_attributes=True)
