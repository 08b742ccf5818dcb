"""The queue library's own schema: the migrations that it ships, and those that a database has."""

from pathlib import Path

from procrastinate.schema import SchemaManager
from sqlalchemy import Column, Table, Text

from service.adapters.postgres.metadata import metadata

queue_schema = Table("queue_schema", metadata, Column("migration", Text, primary_key=True))
"""The queue library's own migrations that this database has; revision 0003 says what for."""


def shipped_migrations() -> list[str]:
    """The names of the library's own migrations that its current schema contains, oldest first."""
    return sorted(path.name for path in Path(SchemaManager.get_migrations_path()).glob("*.sql"))
