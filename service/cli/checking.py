"""`tocsin check` and `tocsin doctor`: a line for each thing that must work, and what to do where one does not."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from pydantic import ValidationError
from rich.console import Console
from rich.text import Text
from stamina.instrumentation import set_on_retry_hooks

from service.adapters.channels.email.settings import SmtpServer
from service.adapters.embedded_postgres.account import EmbeddedPostgresError
from service.adapters.postgres.migrate import current, objection
from service.bootstrap.clock import wall_clock
from service.bootstrap.database import database
from service.bootstrap.errors import SettingError, StartError
from service.bootstrap.outside import require_sound
from service.bootstrap.product import open_product
from service.cli.database.answering import while_it_answers
from service.cli.documents import as_json
from service.settings import Settings, wrong_settings
from service.workflows.operation.command_line import Check
from service.workflows.operation.diagnosis import run_diagnose
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.outages import StorageUnavailable
from service.workflows.ports.unit_of_work import Ports

WELL, NOT_WELL, WRONG_SETTING = 0, 1, 2
REACH_IT = "See that PostgreSQL runs, and that TOCSIN_DATABASE_URL names it, or that TOCSIN_DATA_DIR may be written"


Show = Callable[[list[Check], Console], None]
Examine = Callable[[Ports], Awaitable[list[Check]]]


def check_everything(read_settings: Callable[[], Settings], examine: Examine, show: Show, out: Console) -> int:
    """Shows a check of each thing and returns the exit code. A wrong setting ends it: nothing else is tried.

    `examine` checks what is stored, in a database that answers and has this release's schema.
    """
    try:
        settings = read_settings()
        require_sound(settings)
    except ValidationError as error:
        show([_setting(problem) for problem in wrong_settings(error)], out)
        return WRONG_SETTING
    except SettingError as error:
        show([_setting(str(error))], out)
        return WRONG_SETTING
    with quiet_retries():
        checks = [Check("settings", "read from the environment"), *_check_installation(settings, examine)]
    show(checks, out)
    return NOT_WELL if any(check.problem and not check.is_doubt for check in checks) else WELL


async def diagnose(ports: Ports) -> list[Check]:
    """Returns what `tocsin doctor` examines."""
    return await run_diagnose(ports, wall_clock)


def _setting(problem: str) -> Check:
    return Check("settings", "", problem, "Correct the variable of the environment: docs/settings.md")


@contextmanager
def quiet_retries() -> Iterator[None]:
    """Logs no retried attempts: for a command that shows how the last one ended."""
    set_on_retry_hooks([])
    try:
        yield
    finally:
        set_on_retry_hooks(None)


def show_lines(checks: list[Check], out: Console) -> None:
    """Shows a line each."""
    for check in checks:
        mark = Text.from_markup(_MARKS[_standing(check)])
        out.print(mark.append(f"  {check.subject}: {check.problem or check.detail}", style="default"), soft_wrap=True)


def show_next_steps(checks: list[Check], out: Console) -> None:
    """Shows a line each, with what to do below those that are not well, and how many these are."""
    for check in checks:
        show_lines([check], out)
        if check.problem and check.next_step:
            out.print(Text(f"      {check.next_step}", style="dim"), soft_wrap=True)
    counts = Counter(_standing(check) for check in checks)
    out.print(f"{counts['problem']} to repair, {counts['doubt']} to look at, {counts['well']} well.", highlight=False)


def show_json(checks: list[Check], out: Console) -> None:
    shown = [
        {
            "subject": one.subject,
            "standing": _standing(one),
            "detail": one.problem or one.detail,
            "next_step": one.next_step if one.problem else "",
        }
        for one in checks
    ]
    as_json({"checks": shown}, out)


_MARKS = {"problem": "[red]no[/]", "doubt": "[yellow]??[/]", "well": "[green]ok[/]"}


def _standing(check: Check) -> str:
    if check.problem is None:
        return "well"
    return "doubt" if check.is_doubt else "problem"


def _check_installation(settings: Settings, examine: Examine) -> list[Check]:
    mail = asyncio.run(_check_mail(settings))
    try:
        with database(settings) as url, while_it_answers(url):
            schema = current(url)
            problem = objection(schema)
            if problem is not None:
                return [Check("database", "", problem, "Bring its schema up to date: tocsin migrate"), *mail]
            return [
                Check("database", f"answers, schema {schema}"),
                *mail,
                *asyncio.run(_check_configuration(settings, url, examine)),
            ]
    except (StartError, EmbeddedPostgresError, StorageUnavailable) as error:
        return [Check("database", "", str(error), REACH_IT), *mail]


async def _check_mail(settings: Settings) -> list[Check]:
    if settings.smtp_url is None:
        return []
    from service.adapters.channels.email.channel import reach

    server = SmtpServer.parse(settings.smtp_url.get_secret_value())
    place = f"{server.host}:{server.port}"
    try:
        await reach(server, settings.email_from)
    except DeliveryError as error:
        return [Check("mail server", "", f"{place}: {error.reason}", "Correct TOCSIN_SMTP_URL and TOCSIN_EMAIL_FROM")]
    return [Check("mail server", f"{place} answers; no mail was sent")]


async def _check_configuration(settings: Settings, url: str, examine: Examine) -> list[Check]:
    async with open_product(settings, url) as product:
        return await examine(product.ports)
