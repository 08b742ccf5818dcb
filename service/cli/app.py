"""Commands of this installation and their options; the neighbouring modules carry them out.

A command imports its module when it runs: `tocsin --help` loads neither a web server nor a database driver.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from service import __version__
from service.cli.commands import answers, configuration, context, questions, trials
from service.cli.commands.options import AsJson, out
from service.domain.access import Role

cli = typer.Typer(
    name="tocsin",
    help="The alarm bell for Claude API spend.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
token_cli = typer.Typer(help="Create, list and revoke API tokens.", no_args_is_help=True)
cli.add_typer(token_cli, name="token")
for remote in (questions.cli, answers.cli, trials.cli, configuration.cli, context.cli):
    cli.add_typer(remote)

err = Console(stderr=True)


def main() -> None:
    """The command's entry: an expected failure is one line on standard error, with exit code 2 for a wrong setting."""
    # Into a pipe, Python would hold lines back until its buffer is full.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        cli()
    except Exception as error:
        from service.cli.failures import explain

        explained = explain(error)
        if explained is not None:
            _complain(explained[0])
            sys.exit(explained[1])
        raise


def _complain(problem: str) -> None:
    err.print("[bold red]tocsin:[/] ", end="")
    err.print(problem, markup=False, highlight=False, soft_wrap=True)


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
    from service.cli.running import up

    up(out)


@cli.command()
def api() -> None:
    """Run the REST API alone. The database must be migrated."""
    from service.cli.running import api

    api(out)


@cli.command()
def worker() -> None:
    """Run a worker alone: it polls, evaluates and delivers. Start as many as you like."""
    from service.cli.working import worker

    worker(out)


@cli.command()
def migrate(as_json: AsJson = False) -> None:
    """Bring the database's schema up to date."""
    from service.cli import migrating

    act = migrating.migrate_as_json if as_json else migrating.migrate
    act(out)


@cli.command()
def check(as_json: AsJson = False) -> None:
    """Check settings, database, keys, mail and receivers, a line each. Exit code 1 when one is not well."""
    from service.cli.checking import check_everything, show_json, show_lines
    from service.cli.starting import read_settings
    from service.workflows.operation.command_line import run_checks

    raise typer.Exit(check_everything(read_settings, run_checks, show_json if as_json else show_lines, out))


@cli.command()
def doctor(as_json: AsJson = False) -> None:
    """Look for what commonly goes wrong, and say what to do about it. Exit code 1 when something must be repaired."""
    from service.cli.checking import check_everything, diagnose, show_json, show_next_steps
    from service.cli.starting import read_settings

    raise typer.Exit(check_everything(read_settings, diagnose, show_json if as_json else show_next_steps, out))


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
    from service.cli.simulating import simulate

    simulate(out, port=port, seed=seed, replay=replay)


@cli.command()
def poll(
    source: Annotated[str | None, typer.Argument(help="The source's name or id; not needed for one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Poll a source now and show what each report brought."""
    from service.cli import polls

    raise typer.Exit(polls.poll(source, polls.show_json if as_json else polls.show_table, out))


@cli.command()
def backfill(
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The first UTC day to read.")],
    source: Annotated[str | None, typer.Argument(help="The source's name or id; not needed for one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read the past since a day. Interrupted, it goes on where it stopped when given again."""
    from service.cli import polls

    show = polls.show_json if as_json else polls.show_table
    raise typer.Exit(polls.backfill(source, since.replace(tzinfo=UTC), show, out))


@token_cli.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.VIEWER,
    as_json: AsJson = False,
) -> None:
    """Make a token and show it once."""
    from service.cli import tokens

    create = tokens.create_as_json if as_json else tokens.create
    create(name, role, out)


@token_cli.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """List all tokens by name, role and hint."""
    from service.cli import tokens

    show = tokens.show_all_as_json if as_json else tokens.show_all
    show(out)


@token_cli.command("revoke")
def revoke_token(
    token_id: Annotated[str, typer.Argument(help="The token's id, from `token list`.")],
    as_json: AsJson = False,
) -> None:
    """Make a token invalid at once."""
    from service.cli import tokens

    revoke = tokens.revoke_as_json if as_json else tokens.revoke
    revoke(token_id, out)
