"""Commands and their options; the neighbouring modules carry them out.

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

out = Console()
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
def migrate() -> None:
    """Bring the database's schema up to date."""
    from service.cli.migrating import migrate

    migrate(out)


@cli.command()
def check() -> None:
    """Check settings, database, keys, mail and receivers, a line each. Exit code 1 when one is not well."""
    from service.cli.checking import check_everything
    from service.cli.starting import read_settings

    raise typer.Exit(check_everything(read_settings, out))


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
) -> None:
    """Poll a source now and show what each report brought."""
    from service.cli.polls import poll

    raise typer.Exit(poll(source, out))


@cli.command()
def backfill(
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The first UTC day to read.")],
    source: Annotated[str | None, typer.Argument(help="The source's name or id; not needed for one.")] = None,
) -> None:
    """Read the past since a day. Interrupted, it goes on where it stopped when given again."""
    from service.cli.polls import backfill

    raise typer.Exit(backfill(source, since.replace(tzinfo=UTC), out))


Url = Annotated[str, typer.Option(envvar="TOCSIN_URL", help="The server; its token is in TOCSIN_TOKEN.")]
File = Annotated[Path, typer.Option("--file", "-f", help="The configuration file.")]
Prune = Annotated[bool, typer.Option("--prune", help="Delete what is stored and not in the file, of its kinds.")]
LOCAL = "http://127.0.0.1:8400"
TOCSIN_YAML = Path("tocsin.yaml")


@cli.command()
def plan(file: File = TOCSIN_YAML, prune: Prune = False, url: Url = LOCAL) -> None:
    """Show what `apply` would change, and change nothing. Exit code 3 when anything differs."""
    from service.cli.remote import planning
    from service.cli.remote.server import server_at

    raise typer.Exit(planning.plan(server_at(url), file, "delete" if prune else "keep", out))


@cli.command()
def apply(
    file: File = TOCSIN_YAML,
    prune: Prune = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Url = LOCAL,
) -> None:
    """Make a server's configuration as a file says: all of it, or nothing where anything is wrong."""
    from service.cli.remote import planning
    from service.cli.remote.server import server_at

    unlisted = "delete" if prune else "keep"
    raise typer.Exit(planning.apply(server_at(url), file, unlisted, out, sure=yes))


@cli.command()
def export(url: Url = LOCAL) -> None:
    """Write a server's whole configuration as YAML, without its secrets."""
    from service.cli.remote import planning
    from service.cli.remote.server import server_at

    planning.export(server_at(url), out)


@cli.command()
def schema() -> None:
    """Write the JSON Schema of the configuration file, for editors."""
    from service.cli.remote import planning

    planning.schema(out)


AlertId = Annotated[str, typer.Argument(help="The alert's id, from `tocsin alerts`.")]
AlertNote = Annotated[str, typer.Option(help="Kept with the move, and told to whoever was notified.")]
AsJson = Annotated[bool, typer.Option("--json", help="The answer as JSON.")]


@cli.command()
def status(url: Url = LOCAL) -> None:
    """Show a server's spend this month, its fullest budgets and its open alerts."""
    from service.bootstrap.clock import wall_clock
    from service.cli.remote import asking
    from service.cli.remote.server import server_at

    asking.status(server_at(url), wall_clock(), out)


@cli.command()
def spend(
    by: Annotated[str, typer.Option(help="workspace, model or api_key.")] = "workspace",
    last: Annotated[str, typer.Option(help="How far back: 7d, 30d.")] = "30d",
    source: Annotated[str, typer.Option(help="The source's name or id; not needed for one.")] = "",
    as_json: AsJson = False,
    url: Url = LOCAL,
) -> None:
    """Show where a server's money went."""
    from service.bootstrap.clock import wall_clock
    from service.cli.remote import asking
    from service.cli.remote.server import server_at

    show = asking.spend_as_json if as_json else asking.spend
    show(server_at(url), asking.SpendWanted(by, last, source), wall_clock(), out)


@cli.command()
def alerts(
    all_: Annotated[bool, typer.Option("--all", help="Resolved ones, too.")] = False,
    as_json: AsJson = False,
    url: Url = LOCAL,
) -> None:
    """List a server's open alerts, newest first."""
    from service.cli.remote import asking
    from service.cli.remote.server import server_at

    states = (*asking.OPEN, "resolved") if all_ else asking.OPEN
    show = asking.alerts_as_json if as_json else asking.alerts
    show(server_at(url), states, out)


@cli.command()
def ack(alert: AlertId, note: AlertNote = "", url: Url = LOCAL) -> None:
    """Acknowledge an alert: somebody is looking into it."""
    from service.cli.remote import answering
    from service.cli.remote.server import server_at

    answering.answer(server_at(url), alert, "acknowledge", {"note": note}, out)


@cli.command()
def snooze(
    alert: AlertId,
    for_: Annotated[str, typer.Option("--for", help="How long: 30m, 4h, 2d.")] = "4h",
    note: AlertNote = "",
    url: Url = LOCAL,
) -> None:
    """Keep an alert quiet for a while."""
    from service.cli.remote import answering
    from service.cli.remote.server import server_at

    answering.answer(server_at(url), alert, "snooze", {"for": for_, "note": note}, out)


@cli.command()
def resolve(alert: AlertId, note: AlertNote = "", url: Url = LOCAL) -> None:
    """Resolve an alert: it is over."""
    from service.cli.remote import answering
    from service.cli.remote.server import server_at

    answering.answer(server_at(url), alert, "resolve", {"note": note}, out)


@cli.command()
def mcp(
    port: Annotated[int, typer.Option(help="Speak HTTP at this port of 127.0.0.1; 0: standard input and output.")] = 0,
    url: Url = LOCAL,
) -> None:
    """Offer a server's figures to Claude and others, by the Model Context Protocol."""
    from service.cli.remote.server import server_at

    server = server_at(url)
    try:
        from service.cli.remote import context
    except ModuleNotFoundError as error:
        from service.bootstrap.errors import StartError

        raise StartError(f"{error.name} is not installed: pip install 'tocsin[mcp]'") from error
    if port:
        context.serve_http(server, port)
    else:
        context.serve_stdio(server)


@token_cli.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.VIEWER,
) -> None:
    """Make a token and show it once."""
    from service.cli import tokens

    tokens.create(name, role, out)


@token_cli.command("list")
def list_tokens() -> None:
    """List all tokens by name, role and hint."""
    from service.cli import tokens

    tokens.show_all(out)


@token_cli.command("revoke")
def revoke_token(token_id: Annotated[str, typer.Argument(help="The token's id, from `token list`.")]) -> None:
    """Make a token invalid at once."""
    from service.cli import tokens

    tokens.revoke(token_id, out)
