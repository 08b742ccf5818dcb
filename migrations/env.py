"""How migrations run: one at a time, all or nothing, and never long in the way of a running service."""

from __future__ import annotations

import os
import re
from logging.config import fileConfig
from typing import Literal

from alembic import context
from sqlalchemy import NullPool, create_engine, text

from service.adapters.postgres import clock_anchor, unit_of_work  # noqa: F401 - their imports fill the metadata
from service.adapters.postgres.addresses import sqlalchemy_url
from service.adapters.postgres.metadata import metadata
from service.adapters.postgres.queue import schema  # noqa: F401 - it fills the metadata

TURN = 0x70C5_0001
"""The advisory lock that lets one upgrade run at a time."""
LOCK_TIMEOUT = "4s"  # a migration that waits for a table makes everybody behind it wait as well
STATEMENT_TIMEOUT = "10min"

_NOT_OURS = re.compile(r"procrastinate_|alembic_version$|.*_\d{4}_?\d{2}$")
"""The queue library's tables, Alembic's own, and month partitions (..._2026_11 or ..._202611)."""

Kind = Literal["schema", "table", "column", "index", "unique_constraint", "foreign_key_constraint", "check_constraint"]


def include_name(name: str | None, kind: Kind, parents: object) -> bool:
    return kind != "table" or name is None or _NOT_OURS.match(name) is None


def database_url() -> str:
    url = context.config.attributes.get("url") or os.environ.get("TOCSIN_DATABASE_URL")
    if not url:
        raise SystemExit("Set TOCSIN_DATABASE_URL to the database that shall be migrated.")
    return str(url)


def run() -> None:
    engine = create_engine(sqlalchemy_url(database_url()), poolclass=NullPool)
    with engine.connect() as connection, connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": TURN})
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'"))
        context.configure(connection=connection, target_metadata=metadata, include_name=include_name)
        context.run_migrations()
    engine.dispose()


if context.is_offline_mode():
    raise SystemExit("Migrations need a connection: the queue's schema comes from the installed library.")
if context.config.config_file_name is not None and "url" not in context.config.attributes:
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)
run()
