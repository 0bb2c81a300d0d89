"""Alembic's environment, for SQLite and PostgreSQL alike.

SQLite's batch mode recreates a table: with foreign keys on it would delete the children of the old one, and it
always drops triggers. So keys are off while migrating and checked at the end; a migration that recreates a
protected table must call ``append_only.protect`` for it again.
"""

import logging
from typing import Any

import sqlalchemy as sa
from alembic import context
from flask import current_app
from sqlalchemy.dialects import postgresql

from calmness.models.types import Scaled8, UtcDateTime

db = current_app.extensions["migrate"].db
# The product silences it, because the health pages ask for the revision; here its lines are the news.
logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)


def render_item(kind: str, item: Any, _autogen: Any) -> str | bool:
    """Write our types as plain SQLAlchemy, so that old migrations don't change with the code."""
    if kind != "type":
        return False
    if isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, Scaled8):
        return "sa.BigInteger()"
    if isinstance(item, sa.JSON) and not isinstance(item, postgresql.JSONB):
        return "JSON"
    if isinstance(item, sa.BigInteger) and "sqlite" in item._variant_mapping:
        return "BIG_KEY"
    return False


def run_migrations() -> None:
    """Migrate in one transaction."""
    engine = db.engine
    with engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            compare_type=True,
            compare_server_default=True,
            render_as_batch=sqlite,
            render_item=render_item,
            transactional_ddl=True,
        )
        with context.begin_transaction():
            context.run_migrations()
            if sqlite:
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
                if broken:
                    raise RuntimeError(f"rows point to nothing after the migration: {broken[:5]}")
        if sqlite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")


if context.is_offline_mode():
    raise SystemExit("Migrations run against a database; offline mode is not supported.")
run_migrations()
