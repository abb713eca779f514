"""SQLAlchemy models, repositories, Alembic migrations."""
