"""`tocsin migrate`: the database's schema, brought up to date."""

from __future__ import annotations

from rich.console import Console

from service.adapters.postgres.migrate import current, head
from service.bootstrap.database import database, prepare
from service.cli.database.answering import while_it_answers
from service.cli.database.waiting import wait_for_database
from service.cli.documents import as_json
from service.cli.starting import read_settings


def migrate(out: Console) -> None:
    before = _migrated()
    out.print(f"schema {before or 'empty'} -> {head()}", highlight=False)


def migrate_as_json(out: Console) -> None:
    before = _migrated()
    as_json({"before": before, "after": head()}, out)


def _migrated() -> str | None:
    """Returns the schema that was there before; None: there was none."""
    settings = read_settings()
    with database(settings) as url:
        wait_for_database(url)
        with while_it_answers(url):
            before = current(url)
            prepare(settings, url)
    return before
