"""`tocsin check`: one line for each thing that must work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pydantic import ValidationError
from rich.console import Console
from stamina.instrumentation import set_on_retry_hooks

from service.adapters.channels.email.settings import SmtpServer
from service.adapters.embedded_postgres.account import EmbeddedPostgresError
from service.adapters.postgres.migrate import current, objection
from service.bootstrap.database import database
from service.bootstrap.errors import SettingError, StartError
from service.bootstrap.outside import require_sound
from service.bootstrap.product import open_product
from service.cli.answering import while_it_answers
from service.settings import Settings, wrong_settings
from service.workflows.operation.command_line import Check, run_checks
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.outages import StorageUnavailable

WELL, NOT_WELL, WRONG_SETTING = 0, 1, 2


def check_everything(read_settings: Callable[[], Settings], out: Console) -> int:
    """Prints a line for each check and returns the exit code. A wrong setting ends it: nothing else is tried."""
    try:
        settings = read_settings()
        require_sound(settings)
    except ValidationError as error:
        _show([Check("settings", "", problem=problem) for problem in wrong_settings(error)], out)
        return WRONG_SETTING
    except SettingError as error:
        _show([Check("settings", "", problem=str(error))], out)
        return WRONG_SETTING
    with quiet_retries():
        checks = [Check("settings", "read from the environment"), *_check_installation(settings)]
    _show(checks, out)
    return NOT_WELL if any(check.problem for check in checks) else WELL


@contextmanager
def quiet_retries() -> Iterator[None]:
    """Logs no retried attempts: for a command that shows how the last one ended."""
    set_on_retry_hooks([])
    try:
        yield
    finally:
        set_on_retry_hooks(None)


def _show(checks: list[Check], out: Console) -> None:
    for check in checks:
        mark = "[red]no[/]" if check.problem else "[green]ok[/]"
        out.print(f"{mark}  {check.subject}: ", end="", highlight=False)
        out.print(check.problem or check.detail, markup=False, highlight=False, soft_wrap=True)


def _check_installation(settings: Settings) -> list[Check]:
    mail = asyncio.run(_check_mail(settings))
    try:
        with database(settings) as url, while_it_answers(url):
            schema = current(url)
            problem = objection(schema)
            if problem is not None:
                return [Check("database", "", problem=problem), *mail]
            return [
                Check("database", f"answers, schema {schema}"),
                *mail,
                *asyncio.run(_check_configuration(settings, url)),
            ]
    except (StartError, EmbeddedPostgresError, StorageUnavailable) as error:
        return [Check("database", "", problem=str(error)), *mail]


async def _check_mail(settings: Settings) -> list[Check]:
    if settings.smtp_url is None:
        return []
    from service.adapters.channels.email.channel import reach

    server = SmtpServer.parse(settings.smtp_url.get_secret_value())
    place = f"{server.host}:{server.port}"
    try:
        await reach(server, settings.email_from)
    except DeliveryError as error:
        return [Check("mail server", "", problem=f"{place}: {error.reason}")]
    return [Check("mail server", f"{place} answers; no mail was sent")]


async def _check_configuration(settings: Settings, url: str) -> list[Check]:
    async with open_product(settings, url) as product:
        return await run_checks(product.ports)
