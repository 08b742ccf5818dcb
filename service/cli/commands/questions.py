"""Commands that ask: `status`, `spend`, `top`, `alerts`, `explain`."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from service.cli.commands.options import LOCAL, AsJson, SourceName, Url, out

cli = typer.Typer()

WINDOW = {"since": "--last", "source": "--source"}
"""The options from which a request has its time and its organisation."""


@cli.command()
def status(as_json: AsJson = False, url: Url = LOCAL) -> None:
    """Show a server's spend this month, its fullest budgets and its open alerts."""
    from service.cli.remote import asking
    from service.cli.remote.server import server_at

    show = asking.status_as_json if as_json else asking.status
    with server_at(url) as server:
        show(server, server.now(), out)


@cli.command()
def spend(
    by: Annotated[
        str, typer.Option(help="workspace, model, api_key; or actor, owner, cost_type, tag:team ...")
    ] = "workspace",
    last: Annotated[str, typer.Option(help="How far back: 7d, 30d.")] = "30d",
    source: SourceName = "",
    as_json: AsJson = False,
    url: Url = LOCAL,
) -> None:
    """Show where a server's money went."""
    from service.cli.remote import asking
    from service.cli.remote.dividing import read_dimension
    from service.cli.remote.options import given_by
    from service.cli.remote.server import server_at

    wanted = asking.SpendWanted(read_dimension("--by", by), last, source)
    show = asking.spend_as_json if as_json else asking.spend
    with server_at(url) as server, given_by({"group_by": "--by", **WINDOW}):
        show(server, wanted, server.now(), out)


class TopBy(StrEnum):
    """The members that spend is divided among."""

    WORKSPACE = "workspace"
    MODEL = "model"
    API_KEY = "api_key"


@cli.command()
def top(
    by: Annotated[TopBy, typer.Option(help="Whose spend.")] = TopBy.WORKSPACE,
    last: Annotated[str, typer.Option(help="How far back, and as far before that: 6h, 24h, 7d.")] = "24h",
    movers: Annotated[bool, typer.Option("--movers", help="Who changed most first, not who spent most.")] = False,
    most: Annotated[int, typer.Option(help="How many.", min=1, max=500)] = 10,
    source: SourceName = "",
    as_json: AsJson = False,
    url: Url = LOCAL,
) -> None:
    """Show who spends most just now, and who moved since the time before."""
    from service.api.spend.breakdown import DivideBy
    from service.cli.remote import ranking
    from service.cli.remote.options import given_by
    from service.cli.remote.server import server_at

    wanted = ranking.TopWanted(DivideBy(by.value), last, source, most)
    show = ranking.top_as_json if as_json else ranking.top
    with server_at(url) as server, given_by(WINDOW):
        show(server, wanted, ranking.by_change if movers else ranking.by_spend, server.now(), out)


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
    with server_at(url) as server:
        show(server, states, out)


@cli.command()
def explain(
    alert: Annotated[str, typer.Argument(help="An alert's id, from `tocsin alerts`.")] = "",
    rule: Annotated[str, typer.Option(help="A rule's name or id.")] = "",
    budget: Annotated[str, typer.Option(help="A budget's name or id.")] = "",
    scope: Annotated[str, typer.Option(help="org, or workspace:, model:, api_key: and a name or id; all.")] = "",
    at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], help="UTC; now.")
    ] = None,
    as_json: AsJson = False,
    url: Url = LOCAL,
) -> None:
    """Show why an alert fired, or what a rule or a budget says of an instant, gate by gate."""
    from service.cli.remote import explaining
    from service.cli.remote.options import given_by
    from service.cli.remote.server import server_at

    instant = at.replace(tzinfo=UTC) if at else None
    wanted = explaining.ExplainWanted(alert, rule, budget, scope, instant)
    show = explaining.explain_as_json if as_json else explaining.explain
    options = {"rule": "--rule", "budget": "--budget", "scope": "--scope", "at": "--at"}
    with server_at(url) as server, given_by(options):
        show(server, wanted, out)
