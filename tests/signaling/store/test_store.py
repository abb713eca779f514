"""What is put is there after the database is opened again, and one-time things happen once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from signaling.store import (
    AuditRecord,
    CredentialRecord,
    GuestRecord,
    InvitationRecord,
    MeetingRecord,
    Store,
    sqlite_url,
)
from signaling.store.models import Base
from wire.meetings import RoomCall
from wire.places import Center, Network, Room
from wire.problems import Code, Refusal

MEETING = MeetingRecord(
    "m1", "media", "Lesse, Atomium", 10.0, "room:lesse", {"lesse": RoomCall.JOINED, "atomium": RoomCall.RINGING}
)


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    return tmp_path / "roomctl.sqlite"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    store = await Store.open(sqlite_url(path))
    yield store
    await store.close()


async def test_meetings_survive_reopening(path: Path) -> None:
    first = await Store.open(sqlite_url(path))
    await first.put_meeting(MEETING, AuditRecord(10.0, "room:lesse", "start", "m1"))
    await first.close()
    again = await Store.open(sqlite_url(path))
    assert await again.running_meetings() == [MEETING]
    assert [entry.action for entry in await again.audit_trail()] == ["start"]
    ended = MeetingRecord(
        "m1", "media", "Lesse, Atomium", 10.0, "room:lesse", {"lesse": RoomCall.LEFT}, 20.0, "room:lesse"
    )
    await again.put_meeting(ended)
    assert await again.running_meetings() == []
    assert await again.meeting("m1") == ended
    await again.close()


async def test_a_failed_write_leaves_neither_record_nor_audit(store: Store) -> None:
    orphan = InvitationRecord("i1", "no such meeting", "hash", "room:lesse", 99.0)
    with pytest.raises(Exception, match="FOREIGN KEY"):
        await store.put_invitation(orphan, AuditRecord(1.0, "room:lesse", "invite", "i1"))
    assert await store.audit_trail() == []


async def test_guest_links(store: Store) -> None:
    await store.put_meeting(MEETING)
    await store.put_invitation(InvitationRecord("i1", "m1", "secret", "room:lesse", 99.0))
    await store.put_guest(GuestRecord("guest:1", "m1", "i1", "Nadia", "fr", "refresh", 11.0))
    await store.revoke_invitations("m1", 12.0)
    invitation = await store.invitation_by_secret("secret")
    assert invitation is not None
    assert invitation.revoked_at == 12.0
    assert await store.invitation_by_secret("other") is None
    guest = await store.guest_by_refresh("refresh")
    assert guest is not None
    assert guest.name == "Nadia"
    assert [g.id for g in await store.guests("m1")] == ["guest:1"]


async def test_a_key_is_enrolled_for_its_room_only_and_can_be_revoked(store: Store) -> None:
    await store.put_credential(CredentialRecord("lesse", "KEY", 1.0))
    assert await store.credential("atomium", "KEY") is None
    await store.put_credential(CredentialRecord("lesse", "KEY", 1.0, revoked_at=5.0))
    credential = await store.credential("lesse", "KEY")
    assert credential is not None
    assert credential.revoked_at == 5.0


async def test_a_sign_in_code_has_one_winner(store: Store) -> None:
    await store.put_sign_in("code", 100.0)
    answers = await asyncio.gather(*(store.use_sign_in("code", 50.0) for _ in range(20)))
    assert sorted(answers) == ["ok"] + ["used"] * 19
    assert await store.use_sign_in("nothing", 50.0) == "unknown"
    await store.put_sign_in("late", 40.0)
    assert await store.use_sign_in("late", 50.0) == "expired"


async def test_sessions_of_it_expire(store: Store) -> None:
    await store.put_operator_session("hash", "it:1", 100.0)
    assert await store.operator_by_session("hash", 99.0) == "it:1"
    assert await store.operator_by_session("hash", 101.0) is None
    await store.end_operator_session("hash")
    assert await store.operator_by_session("hash", 99.0) is None


async def test_the_directory_keeps_its_order(store: Store) -> None:
    network = Network(
        [Center("wem", "Wemmel", 50.9, 4.3), Center("red", "Redu", 50.0, 5.1)], [Room("red-lesse", "Lesse", "red", 4)]
    )
    await store.put_network(network)
    await store.put_network(network)
    assert await store.network() == network


async def test_a_full_disk_is_said_as_such(store: Store) -> None:
    async with store._database.begin() as session:
        connection = await session.connection()
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 1}")
    with pytest.raises(Refusal) as refusal:
        for index in range(100):
            await store.audit(AuditRecord(float(index), "server", "x" * 2000, "m1"))
    assert refusal.value.problem.code is Code.STORAGE_FULL


async def test_migrations_make_the_tables_of_the_models(path: Path, store: Store) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()
