"""Commands and their options; the neighbouring modules carry them out."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import structlog
import typer
from pydantic import ValidationError
from rich.console import Console

from service import __version__
from service.adapters.embedded_postgres.server import EmbeddedPostgresError
from service.adapters.postgres.migrate import ForeignSchema, current, head, objection
from service.bootstrap import Product, SettingError, StartError, database, open_product, prepare, require_sound
from service.cli import checking, polls, running, tokens
from service.cli.answering import while_it_answers
from service.cli.environment import review_environment
from service.cli.folder import alone, one_simulator
from service.cli.logs import configure_logging
from service.cli.stopping import stopping
from service.cli.waiting import wait_for_database
from service.domain.access import Role
from service.domain.values.errors import DomainError
from service.settings import Settings, wrong_settings
from service.workflows.ports.unit_of_work import StorageUnavailable

cli = typer.Typer(
    name="tocsin",
    help="The alarm bell for Claude API spend.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
token_cli = typer.Typer(help="Create, list and revoke API tokens.", no_args_is_help=True)
cli.add_typer(token_cli, name="token")

log = structlog.get_logger(__name__)
out = Console()
err = Console(stderr=True)

Result = TypeVar("Result")


def main() -> None:
    """The command's entry: an expected failure is one line on standard error, with exit code 2 for a wrong setting."""
    # Into a pipe, Python would hold lines back until its buffer is full.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        cli()
    except ValidationError as error:
        _complain(f"{'; '.join(wrong_settings(error))}; see docs/settings.md")
        sys.exit(2)
    except SettingError as error:
        _complain(f"{error}; see docs/settings.md")
        sys.exit(2)
    except (StartError, ForeignSchema, DomainError, EmbeddedPostgresError, StorageUnavailable) as error:
        _complain(str(error))
        sys.exit(1)


def _complain(problem: str) -> None:
    err.print("[bold red]tocsin:[/] ", end="")
    err.print(problem, markup=False, highlight=False, soft_wrap=True)


def _settings() -> Settings:
    reviewed = review_environment(os.environ)
    misspelt = [str(stray) for stray in reviewed.strays if stray.misspelt]
    if misspelt:
        raise SettingError("; ".join(misspelt))
    settings = Settings()
    configure_logging(settings.log_format)
    for stray in reviewed.strays:
        log.warning("unknown_setting_ignored", variable=stray.name, nearest=stray.nearest)
    if reviewed.kubernetes:
        log.warning("kubernetes_variables_ignored", variables=", ".join(reviewed.kubernetes), port=settings.port)
    return settings


def _require_schema(url: str) -> None:
    problem = objection(current(url))
    if problem is not None:
        raise StartError(problem)


def _with_product(action: Callable[[Product], Coroutine[object, object, Result]]) -> Result:
    """Runs an action on a product whose database is up and migrated."""
    settings = _settings()

    async def run(url: str) -> Result:
        async with open_product(settings, url) as product:
            return await action(product)

    with database(settings) as url, while_it_answers(url):
        prepare(settings, url)
        return asyncio.run(run(url))


@cli.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """The alarm bell for Claude API spend."""
    if version:
        out.print(f"tocsin {__version__}")
        raise typer.Exit


@cli.command()
def up() -> None:
    """Run everything in one process: database, API, worker, and the simulator when no key is set."""
    settings = _settings()
    require_sound(settings)
    with stopping() as stop, alone(settings), database(settings) as url:
        wait_for_database(url)
        prepare(settings, url)
        with one_simulator(settings, url):
            asyncio.run(running.run_up(settings, url, out, stop))


@cli.command()
def api() -> None:
    """Run the REST API alone. The database must be migrated."""
    settings = _settings()
    with stopping() as stop, database(settings) as url:
        wait_for_database(url)
        _require_schema(url)
        asyncio.run(running.run_api(settings, url, out, stop))


@cli.command()
def worker() -> None:
    """Run a worker alone: it polls, evaluates and delivers. Start as many as you like."""
    settings = _settings()
    with stopping() as stop, database(settings) as url:
        wait_for_database(url)
        _require_schema(url)
        asyncio.run(running.run_worker(settings, url, out, stop))


@cli.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    settings = _settings()
    with database(settings) as url:
        wait_for_database(url)
        with while_it_answers(url):
            before = current(url)
            prepare(settings, url)
    out.print(f"schema {before or 'empty'} -> {head()}", highlight=False)


@cli.command()
def check() -> None:
    """Check settings, database, keys, mail and receivers, a line each. Exit code 1 when one is not well."""
    raise typer.Exit(checking.check_everything(_settings, out))


@cli.command()
def simulate(
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8402,
    seed: Annotated[int, typer.Option(help="The world to simulate.")] = 1,
    replay: Annotated[
        Path | None,
        typer.Option(help="CSV of series,date,y (gz accepted): each series becomes a workspace's spend."),
    ] = None,
) -> None:
    """Run a local Claude Admin API with invented data, for trying things without a key."""
    settings = _settings()
    with stopping() as stop:
        asyncio.run(running.run_simulator(settings, out, stop, port=port, seed=seed, replay=replay))


@cli.command()
def poll(
    source: Annotated[str | None, typer.Argument(help="The source's name or id; not needed for one.")] = None,
) -> None:
    """Poll a source now and show what each report brought."""
    raise typer.Exit(_with_product(lambda product: polls.poll_now(product, source, out)))


@cli.command()
def backfill(
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The first UTC day to read.")],
    source: Annotated[str | None, typer.Argument(help="The source's name or id; not needed for one.")] = None,
) -> None:
    """Read the past since a day. Interrupted, it goes on where it stopped when given again."""
    start = since.replace(tzinfo=UTC)
    raise typer.Exit(_with_product(lambda product: polls.read_past(product, source, start, out)))


@token_cli.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.VIEWER,
) -> None:
    """Make a token and show it once."""
    _with_product(lambda product: tokens.create(product, name, role, out))


@token_cli.command("list")
def list_tokens() -> None:
    """List all tokens by name, role and hint."""
    _with_product(lambda product: tokens.show_all(product, out))


@token_cli.command("revoke")
def revoke_token(token_id: Annotated[str, typer.Argument(help="The token's id, from `token list`.")]) -> None:
    """Make a token invalid at once."""
    _with_product(lambda product: tokens.revoke(product, token_id, out))
