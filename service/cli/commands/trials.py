"""Commands that try something out: `drill`, `backtest`."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from service.cli.commands.options import LOCAL, AsJson, SourceName, Url, out
from service.domain.values.severity import Severity

cli = typer.Typer()


class IncidentName(StrEnum):
    """The incidents that a drill can play."""

    LOOP = "loop"


@cli.command()
def drill(
    source: SourceName = "",
    incident: Annotated[
        IncidentName | None, typer.Option(help="Play it in the simulator instead of opening a marked alert.")
    ] = None,
    severity: Annotated[Severity, typer.Option(help="That of the alert, by which routes may go.")] = Severity.CRITICAL,
    label: Annotated[list[str] | None, typer.Option(help="A label that routes match, as team=eng; repeatable.")] = None,
    patience: Annotated[int, typer.Option(help="Seconds to wait for each hop.", min=1, max=600)] = 60,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
    url: Url = LOCAL,
) -> None:
    """Rehearse an alert or an incident, to every channel's answer. Exit code 1 where a hop is broken."""
    from service.cli.remote.drill import running
    from service.cli.remote.drill.rehearsal import DrillWanted, read_labels
    from service.cli.remote.options import given_by
    from service.cli.remote.server import server_at

    wanted = DrillWanted(source, severity.value, read_labels(label or []), patience)
    begin, begin_as_json = (
        (running.drill, running.drill_as_json) if incident is None else (running.incident, running.incident_as_json)
    )
    with server_at(url) as server, given_by({"source": "--source", "labels": "--label"}):
        raise typer.Exit(begin_as_json(server, wanted, out) if as_json else begin(server, wanted, out, sure=yes))


@cli.command()
def backtest(
    rule: Annotated[str, typer.Option(help="A rule's name or id.")] = "",
    budget: Annotated[str, typer.Option(help="A budget's name or id.")] = "",
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first UTC day; as far back as is known.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day after the last; today.")] = None,
    png: Annotated[Path | None, typer.Option(help="Write the plot as a picture into this file, too.")] = None,
    cancel: Annotated[str, typer.Option(help="Cancel the backtest of this id instead.")] = "",
    as_json: AsJson = False,
    url: Url = LOCAL,
) -> None:
    """Replay a rule or a budget over the past: what would have fired, as known then."""
    from service.cli.remote.backtest import cancelling, replaying
    from service.cli.remote.options import given_by
    from service.cli.remote.server import server_at

    if cancel:
        end = cancelling.cancel_as_json if as_json else cancelling.cancel
        with server_at(url) as server:
            end(server, cancelling.wanted_alone(cancel, rule, budget), out)
        return
    days = (since.date() if since else None, until.date() if until else None)
    wanted = replaying.BacktestWanted(rule, budget, *days)
    show = replaying.backtest_as_json if as_json else replaying.backtest
    options = {"rule": "--rule", "budget": "--budget", "since": "--since", "until": "--until"}
    with server_at(url) as server, given_by(options):
        show(server, wanted, png, out)
