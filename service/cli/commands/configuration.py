"""Commands for configuration as code: `plan`, `apply`, `export`, `schema`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from service.cli.commands.options import LOCAL, AsJson, Url, out

cli = typer.Typer()

File = Annotated[Path, typer.Option("--file", "-f", help="The configuration file.")]
Prune = Annotated[bool, typer.Option("--prune", help="Delete what is stored and not in the file, of its kinds.")]
TOCSIN_YAML = Path("tocsin.yaml")


@cli.command()
def plan(
    file: File = TOCSIN_YAML,
    prune: Prune = False,
    backtest: Annotated[bool, typer.Option("--backtest", help="Show what changed rules would have fired.")] = False,
    days: Annotated[int, typer.Option(min=1, max=800, help="How many days a backtest goes back.")] = 90,
    markdown: Annotated[bool, typer.Option("--markdown", help="Write a comment for a pull request.")] = False,
    as_json: AsJson = False,
    url: Url = LOCAL,
) -> None:
    """Show what `apply` would change, and change nothing. Exit code 3 when anything differs."""
    from service.cli.remote import planning
    from service.cli.remote.server import server_at

    unlisted = "delete" if prune else "keep"
    form = planning.form_of(as_json=as_json, markdown=markdown)
    with server_at(url) as server:
        since = server.now().date() - timedelta(days=days) if backtest else None
        wanted = planning.BacktestsWanted(since) if since else None
        raise typer.Exit(planning.plan(server, file, unlisted, out, form, wanted))


@cli.command()
def apply(
    file: File = TOCSIN_YAML,
    prune: Prune = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
    url: Url = LOCAL,
) -> None:
    """Make a server's configuration as a file says: all of it, or nothing where anything is wrong."""
    from service.cli.remote import planning
    from service.cli.remote.server import server_at

    act = planning.apply_as_json if as_json else planning.apply
    with server_at(url) as server:
        raise typer.Exit(act(server, file, "delete" if prune else "keep", out, sure=yes))


@cli.command()
def export(as_json: AsJson = False, url: Url = LOCAL) -> None:
    """Write a server's whole configuration as YAML, without its secrets."""
    from service.cli.remote import planning
    from service.cli.remote.server import server_at

    write = planning.export_as_json if as_json else planning.export
    with server_at(url) as server:
        write(server, out)


@cli.command()
def schema() -> None:
    """Write the JSON Schema of the configuration file, for editors."""
    from service.cli.remote import planning

    planning.schema(out)
