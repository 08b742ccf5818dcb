"""Upgrades of a database to this release's schema. Alembic is imported only when it has work."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import errors

from service.adapters.postgres.addresses import libpq_url
from service.workflows.ports.outages import StorageUnavailable

_INSIDE, _BESIDE = Path(__file__).parents[2] / "migrations", Path(__file__).parents[3] / "migrations"
SCRIPTS = _INSIDE if _INSIDE.is_dir() else _BESIDE
"""Inside the package where a wheel was installed, beside it in a checkout."""
CONNECT_SECONDS = 10


class ForeignSchema(Exception):
    """The database's schema is not one that this release could upgrade; the text says what to do."""


def head() -> str:
    """Returns the newest revision of this release, from the files' names (history is linear)."""
    return max(_revision(path) for path in (SCRIPTS / "versions").glob("*_[0-9][0-9][0-9][0-9]_*.py"))


def current(url: str) -> str | None:
    """Returns the revision of a database, None for an empty one. Raises StorageUnavailable."""
    try:
        with psycopg.connect(libpq_url(url), connect_timeout=CONNECT_SECONDS) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except errors.UndefinedTable:
        return None
    except psycopg.OperationalError as error:
        said = " ".join(str(error).split())
        raise StorageUnavailable(f"TOCSIN_DATABASE_URL leads to no database: {said}") from error
    return None if row is None else str(row[0])


def objection(schema: str | None) -> str | None:
    """Returns why this release cannot work with a schema at this revision (None: no schema), None when it can."""
    if schema == head():
        return None
    if _is_newer(schema):
        return (
            f"the schema is at {schema}, and this release knows {head()}: a newer Tocsin has upgraded the database."
            " Run that one, or restore what was saved before the upgrade"
        )
    return f"the schema is at {schema or 'nothing'}, not {head()}: run tocsin migrate"


def upgrade(url: str, revision: str = "head") -> None:
    """Upgrades in one transaction; of several callers at once, the others wait and find nothing to do.

    Raises ForeignSchema where a newer release has upgraded the database.
    """
    schema = current(url)
    if _is_newer(schema):
        raise ForeignSchema(objection(schema))
    if revision == "head" and schema == head():
        return
    from alembic import command  # noqa: PLC0415 - a second of start-up that a current schema does not need

    command.upgrade(_configuration(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Downgrades to a revision, or to "base": an empty database. Loses what the undone revisions held."""
    from alembic import command  # noqa: PLC0415

    command.downgrade(_configuration(url), revision)


def _configuration(url: str):  # type: ignore[no-untyped-def]
    from alembic.config import Config  # noqa: PLC0415

    configuration = Config()
    configuration.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    configuration.attributes["url"] = url
    return configuration


def _is_newer(schema: str | None) -> bool:
    return schema is not None and schema > head()


def _revision(path: Path) -> str:
    """`2026_11_21_0002_records.py` is revision 0002."""
    return path.name.split("_")[3]
