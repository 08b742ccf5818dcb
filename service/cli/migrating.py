"""`tocsin migrate`: the database's schema, brought up to date."""

from __future__ import annotations

from rich.console import Console

from service.adapters.postgres.migrate import current, head
from service.bootstrap.database import database, prepare
from service.cli.answering import while_it_answers
from service.cli.starting import read_settings
from service.cli.waiting import wait_for_database


def migrate(out: Console) -> None:
    settings = read_settings()
    with database(settings) as url:
        wait_for_database(url)
        with while_it_answers(url):
            before = current(url)
            prepare(settings, url)
    out.print(f"schema {before or 'empty'} -> {head()}", highlight=False)
