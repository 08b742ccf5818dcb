"""Starts a backtest, follows it to its end, and shows what would have fired."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from service.adapters.charts import ChildCharts
from service.api.backtest.documents import BacktestResultOut, FiringOut
from service.bootstrap.errors import OptionError, StartError
from service.cli.documents import as_json
from service.cli.progress import progress_bar
from service.cli.remote.backtest.plot import Days, lines, specification
from service.cli.remote.showing import table, usd
from service.client.server import Server
from service.client.spend import SpendClient, SpendOf
from service.client.trials import BacktestsClient
from service.workflows.ports.platform import ChartError

ASKED_EVERY = 0.5
"""Seconds between two questions."""
MOST = 20
"""Firings that are listed; the plot and the tally have all."""


@dataclass(frozen=True, slots=True)
class BacktestWanted:
    """A stored rule or a budget, one of them, by name or id, and the UTC days; None: all that is stored."""

    rule: str
    budget: str
    since: date | None
    until: date | None

    def __post_init__(self) -> None:
        if bool(self.rule) == bool(self.budget):
            raise OptionError("name a rule with --rule, or a budget with --budget: one of them")


def backtest(
    server: Server,
    wanted: BacktestWanted,
    png: Path | None,
    out: Console,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Shows progress, the plot, the newest firings and the tally; writes the picture where one is wanted."""
    with progress_bar(*Progress.get_default_columns()) as progress:
        task = progress.add_task("backtest", total=1.0)
        found = _followed(
            server, wanted, lambda one: progress.update(task, completed=one.progress, description=standing(one)), pause
        )
    days, fired = _days(server, found), _fired(found)
    for line in lines(days, fired):
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    _show_firings(found.firings or [], out)
    _show_tally(found, out)
    if png is not None:
        _write(png, days, fired, found)
        out.print(f"{png}: the plot.", markup=False, highlight=False)


def backtest_as_json(
    server: Server,
    wanted: BacktestWanted,
    png: Path | None,
    out: Console,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    found = _followed(server, wanted, lambda _: None, pause)
    if png is not None:
        _write(png, _days(server, found), _fired(found), found)
    as_json(found.model_dump(mode="json"), out)


def _followed(
    server: Server, wanted: BacktestWanted, tell: Callable[[BacktestResultOut], None], pause: Callable[[float], None]
) -> BacktestResultOut:
    """Raises StartError for one that failed, and ServerError for one that is refused."""
    client = BacktestsClient(server)
    started = client.start_stored(rule=wanted.rule, budget=wanted.budget, since=wanted.since, until=wanted.until)
    found = client.get(started.id)
    while found.finished_at is None:
        tell(found)
        pause(ASKED_EVERY)
        found = client.get(started.id)
    if found.error is not None:
        raise StartError(f"the backtest failed: {found.error}")
    return found


def standing(one: BacktestResultOut) -> str:
    """Returns what stands before the bar: a bar at 0 % does not say that others come first."""
    if one.ahead is None:
        return "backtest"
    return f"waits behind {_count(one.ahead, 'other')}" if one.ahead else "waits for a worker"


def _days(server: Server, found: BacktestResultOut) -> Days:
    """The organisation's spend of the days that were replayed, 500 at most."""
    of = SpendOf(found.since, found.until + timedelta(days=1), found.source_id)
    return [(one.start.date(), Decimal(one.amount)) for one in SpendClient(server).series(of).items]


def _fired(found: BacktestResultOut) -> Counter[date]:
    return Counter(one.day for one in found.firings or [])


def _show_firings(firings: list[FiringOut], out: Console) -> None:
    rows = [
        (f"{one.day}", one.severity.value, one.name, one.threshold or "", usd(one.actual), usd(one.expected))
        for one in firings[-MOST:]
    ]
    if rows:
        out.print()
        table(("day", "severity", "scope", "threshold", "spent", "expected"), rows, frozenset({4, 5}), out)


def _show_tally(found: BacktestResultOut, out: Console) -> None:
    tally, assumed = found.tally, found.assumed_share or 0
    assert tally is not None, "it is done"
    dollars = f", {usd(tally.dollars)} above what was expected" if tally.dollars is not None else ""
    said = (
        f"{found.subject.name}, {found.since} to {found.until}: {_count(tally.alerts, 'alert')},"
        f" {_count(tally.firings, 'firing')},"
        f" {tally.alerts_per_month:.1f} alerts a month{dollars}."
    )
    out.print(f"\n{said}", markup=False, highlight=False, soft_wrap=True)
    if assumed:
        out.print(f"{assumed:.0%} of the dollars were read late: known then by assumption.", highlight=False)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _write(png: Path, days: Days, fired: Counter[date], found: BacktestResultOut) -> None:
    """Raises StartError where it cannot be drawn or written."""
    title = f"{found.subject.name}: would have fired on {len(fired)} days"
    try:
        png.write_bytes(asyncio.run(ChildCharts().png(specification(days, fired, title))))
    except (ChartError, OSError) as error:
        raise StartError(f"{png}: {error}") from error
