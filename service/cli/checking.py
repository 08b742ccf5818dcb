"""`tocsin check`: one line for each thing that has to be right."""

from __future__ import annotations

import asyncio

from rich.console import Console

from service.adapters.embedded_postgres import EmbeddedPostgresError
from service.adapters.postgres.migrate import current, head
from service.bootstrap import StartError, database, open_product, secret_key
from service.settings import Settings
from service.workflows.operate import Check, run_checks


def check_everything(settings: Settings, out: Console) -> int:
    """Prints a line a check and returns the exit code: 0 when all is well."""
    checks = [Check("settings", "read from the environment"), *_check_installation(settings)]
    for check in checks:
        mark = "[red]no[/]" if check.problem else "[green]ok[/]"
        out.print(f"{mark}  {check.subject}: ", end="", highlight=False)
        out.print(check.problem or check.detail, markup=False, highlight=False, soft_wrap=True)
    return 1 if any(check.problem for check in checks) else 0


def _check_installation(settings: Settings) -> list[Check]:
    try:
        secret_key(settings)
        with database(settings) as url:
            schema = current(url)
            if schema != head():
                problem = f"the schema is at {schema or 'nothing'}, not {head()}: run tocsin migrate"
                return [Check("database", "", problem=problem)]
            return [
                Check("database", f"answers, schema {schema}"),
                *asyncio.run(_check_configuration(settings, url)),
            ]
    except (StartError, EmbeddedPostgresError) as error:
        return [Check("database", "", problem=str(error))]


async def _check_configuration(settings: Settings, url: str) -> list[Check]:
    async with open_product(settings, url) as product:
        return await run_checks(product.ports)
