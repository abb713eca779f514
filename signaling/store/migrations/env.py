"""Alembic environment: migrates over the connection it is handed, in that connection's transaction."""

from __future__ import annotations

from alembic import context

from signaling.store.models import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
