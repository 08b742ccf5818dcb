"""What the installed queue library says about its own schema."""

from pathlib import Path

from procrastinate.schema import SchemaManager


def shipped_migrations() -> list[str]:
    """The names of the library's own migrations that its current schema contains, oldest first."""
    return sorted(path.name for path in Path(SchemaManager.get_migrations_path()).glob("*.sql"))
