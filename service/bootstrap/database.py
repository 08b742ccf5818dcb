"""The database that a command works with: where it is, and its schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from service.adapters.postgres.migrate import current, objection, upgrade
from service.adapters.postgres.secret_digests import key_digests
from service.bootstrap.errors import StartError
from service.bootstrap.secret_key import open_vault
from service.settings import Settings


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Yields the URL of a Postgres that answers: the configured one, else an embedded one while the block lasts."""
    open_vault(settings)  # a key that is missing is said before anything is waited for
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    from service.adapters.embedded_postgres.server import EmbeddedPostgres

    with EmbeddedPostgres(settings.own_folder.resolve() / "pg") as postgres:
        yield postgres.url()


def prepare(settings: Settings, url: str) -> None:
    """Brings the database up to date: its schema, and what an earlier release stored in another form."""
    upgrade(url)
    key_digests(url, open_vault(settings).keyed)


def require_schema(url: str) -> None:
    """Raises StartError where this release cannot work with the database's schema."""
    problem = objection(current(url))
    if problem is not None:
        raise StartError(problem)
