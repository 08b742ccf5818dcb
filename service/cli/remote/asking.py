"""`tocsin status`, `spend` and `alerts`: what a server knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rich.console import Console

from service.cli.documents import as_json
from service.cli.remote.lengths import length_of
from service.cli.remote.showing import bar, inner, items, share, sparkline, table, usd, when
from service.client import Server
from service.client.errors import Json
from service.domain.values.plain_text import percentage
from service.domain.values.utc import DAY

OPEN = ("firing", "acknowledged", "snoozed")
MOST_BUDGETS = 10


def status(server: Server, now: datetime, out: Console) -> None:
    """Shows how fresh the figures are, what was spent, which budgets are fullest and what is open."""
    for source in items(server.ask("GET", "/sources")):
        _show_source(server, source, now, out)
    budgets = items(server.ask("GET", "/budget-statuses", {"limit": str(MOST_BUDGETS)}))
    if budgets:
        out.print()
        rows = [_budget_row(one) for one in budgets]
        table(("budget", "scope", "", "spent", "of", "used"), rows, frozenset({3, 4, 5}), out)
    out.print()
    _show_alerts(_alerts(server, OPEN), out)


def status_as_json(server: Server, now: datetime, out: Console) -> None:
    """Writes the answers of REST that `status` shows; `spend` is that of each source this month."""
    sources = items(server.ask("GET", "/sources"))
    spend: dict[str, Json] = {str(source["name"]): _this_month(server, str(source["name"]), now) for source in sources}
    budgets: list[Json] = [*items(server.ask("GET", "/budget-statuses", {"limit": str(MOST_BUDGETS)}))]
    open_alerts: list[Json] = [*_alerts(server, OPEN)]
    as_json({"sources": [*sources], "spend": spend, "budgets": budgets, "alerts": open_alerts}, out)


def _this_month(server: Server, source: str, now: datetime) -> dict[str, Json]:
    return server.ask("GET", "/spend", {"source": source, "since": f"{now:%Y-%m-01}", "limit": "31"})


def _show_source(server: Server, source: dict[str, Json], now: datetime, out: Console) -> None:
    name, state = str(source["name"]), inner(source, "status")
    month = _this_month(server, name, now)
    total = inner(month, "total")
    blind = " BLIND: no bill was read lately." if state["stale"] else ""
    error = f" Last error: {state['last_error']}" if state["failures"] else ""
    spent = f"{usd(total['amount'])}, {total['basis']}  {_daily(month)}"
    was_read = state["billed_until"] or state["estimated_until"]
    for line in (
        name,
        f"  {now:%B}: {spent if was_read else 'nothing was read yet'}",
        f"  Billed until {when(state['billed_until'])}.{blind}{error}",
    ):
        out.print(line, markup=False, highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class SpendWanted:
    """`by` is a dimension, `last` a duration such as "30d", `source` a name or id, empty where there is one source."""

    by: str
    last: str
    source: str


def spend(server: Server, wanted: SpendWanted, now: datetime, out: Console) -> None:
    """Shows spend of the last days by a dimension, the largest first."""
    answer = breakdown(server, wanted, now)
    days = server.ask("GET", "/spend", {**_window(wanted, now), "limit": "500"})
    total = inner(answer, "total")
    rows = [
        (str(one["name"]), usd(one["amount"]), share(one["amount"], total["amount"]), str(one["basis"]))
        for one in items(answer)
    ]
    table((wanted.by.replace("_", " "), "spent", "share", "basis"), rows, frozenset({1, 2}), out)
    since = _window(wanted, now)["since"]
    out.print(f"{usd(total['amount'])} since {since}, by day: {_daily(days)}", markup=False, highlight=False)
    if unread := _unread(days):
        out.print(f"Not known are {unread} of these days, which count as $0.", markup=False, highlight=False)


def breakdown(server: Server, wanted: SpendWanted, now: datetime) -> dict[str, Json]:
    """Returns the fifty largest. Raises ServerError, and StartError for what is no duration."""
    query = {**_window(wanted, now), "group_by": wanted.by, "limit": "50"}
    return server.ask("GET", "/spend/breakdown", query)


def _window(wanted: SpendWanted, now: datetime) -> dict[str, str]:
    first = now - length_of("--last", wanted.last) + DAY
    return {"since": f"{min(first, now):%Y-%m-%d}", **({"source": wanted.source} if wanted.source else {})}


def alerts(server: Server, states: tuple[str, ...], out: Console) -> None:
    """Shows alerts, newest first."""
    _show_alerts(_alerts(server, states), out)


def alerts_as_json(server: Server, states: tuple[str, ...], out: Console) -> None:
    as_json(list(_alerts(server, states)), out)


def spend_as_json(server: Server, wanted: SpendWanted, now: datetime, out: Console) -> None:
    as_json(breakdown(server, wanted, now), out)


def _alerts(server: Server, states: tuple[str, ...]) -> list[dict[str, Json]]:
    return [one for state in states for one in items(server.ask("GET", "/alerts", {"state": state, "limit": "100"}))]


def _show_alerts(found: list[dict[str, Json]], out: Console) -> None:
    if not found:
        out.print("No alerts.")
    for one in sorted(found, key=lambda alert: str(alert["opened_at"]), reverse=True):
        standing = f"{one['severity']}, {one['state']}, since {when(one['opened_at'])}"
        out.print(f"{one['id']}  {standing}", markup=False, highlight=False, soft_wrap=True)
        out.print(f"    {one['summary']}", markup=False, highlight=False, soft_wrap=True)


def _budget_row(one: dict[str, Json]) -> tuple[str, ...]:
    percent = Decimal(str(one["percent"])) if one["percent"] is not None else None
    filled, reached = ("", "") if percent is None else (bar(percent), percentage(percent))
    return str(one["budget"]), str(one["name"]), filled, usd(one["spent"]), usd(one["amount"]), reached


def _unread(answer: dict[str, Json]) -> int:
    """How many days no bill is known of, such as those before the first that was ever read."""
    lacking = inner(answer, "lacking")
    return int(str(lacking["missing"])) + int(str(lacking["suspect"]))


def _daily(answer: dict[str, Json]) -> str:
    return sparkline([Decimal(str(day["amount"])) for day in items(answer)])
