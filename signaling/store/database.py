"""The database itself: opening, migrating, transactions, and errors in our words."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from wire.problems import Code, Refusal

_MIGRATIONS = Path(__file__).parent / "migrations"
_FULL = ("database or disk is full", "disk i/o error", "attempt to write a readonly database")


def sqlite_url(path: Path) -> str:
    """SQLAlchemy URL of a SQLite file."""
    return f"sqlite+aiosqlite:///{path}"


class Database:
    """An open, migrated database; transactions through `begin`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @classmethod
    async def open(cls, url: str) -> Database:
        """Open and migrate to the newest revision. Raises Refusal(storage_full) where that cannot be written."""
        engine = create_async_engine(url)
        if engine.dialect.name == "sqlite":
            event.listen(engine.sync_engine, "connect", _tune_sqlite)
        with _in_our_words():
            async with engine.begin() as connection:
                await connection.run_sync(_migrate)
        return cls(engine)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end, rolled back on any error."""
        with _in_our_words():
            async with self._sessions() as session, session.begin():
                yield session


class _in_our_words:
    """Turns a full disk into Refusal(storage_full), leaving other errors as they are."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OperationalError | sqlite3.OperationalError) and any(
            w in str(error).lower() for w in _FULL
        ):
            raise Refusal(
                Code.STORAGE_FULL, "The server cannot write its database: free disk space, then try again"
            ) from error


def _tune_sqlite(connection: Any, _record: object) -> None:
    """WAL so that readers never block the writer; FULL so that what was committed survives a power cut."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
