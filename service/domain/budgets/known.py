"""The state that budgets are assessed with, and which of their periods and scopes are assessed.

A period that is over is judged by the budget as it was when the period ended, not by what was configured later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from service.domain.alerts.alert import Alert
from service.domain.alerts.crossings import Crossing, ThresholdBasis
from service.domain.budgets.budget import Budget
from service.domain.forecasts.forecast import Forecast, NoForecast
from service.domain.forecasts.watch import Watch, WatchKey
from service.domain.sources.locality import NOWHERE, Locality
from service.domain.spend.best_known import Spend
from service.domain.spend.lateness import CLOSING_FOR, LATE_FOR, LONGEST_BLINDNESS, SETTLED_AFTER, closing_for
from service.domain.values.names import Names
from service.domain.values.periods import Period, PeriodKind, Window, live_periods, period_at
from service.domain.values.resources import Resource
from service.domain.values.scopes import (
    ORGANISATION,
    SPENDER_DIMENSIONS,
    UNATTRIBUTED,
    Cell,
    Dimension,
    Scope,
    ScopeKey,
    tells_spenders,
)
from service.domain.values.utc import DAY, day_start, utc_day

WindowSpend = Mapping[Window, Mapping[Cell, Spend]]
EndedTerms = Mapping[tuple[str, datetime], Resource[Budget] | None]
"""The budget at the end of a period that ended before its newest version, by budget and end. None: not there yet."""

CountedScope = Callable[[str, Window], Scope]
"""The scope by which a budget, by its id, counts the spend of a period."""


@dataclass(frozen=True, slots=True)
class ScopePeriod:
    """One scope of one budget in one period."""

    budget_id: str
    scope: ScopeKey
    window: Window


Forecasts = Mapping[ScopePeriod, Forecast | NoForecast]
"""Forecasts of open periods, as far as they were made."""


@dataclass(frozen=True, slots=True)
class Known:
    """The state that budgets are assessed with at `now`.

    `read_at` is when a bill was last read: a period does not close before its late bills could be seen. `billed_at` is
    the same for what a settled bill contradicts; None where nothing is to be contradicted. `crossings` and
    `open_alerts` are those of the budgets' source. `forecasts` are of open periods, as far as they were made, and
    `watches` say how thresholds on forecast stood. `locality`: the source's, whose holidays forecasts know.
    """

    crossings: Sequence[Crossing]
    open_alerts: Sequence[Alert]
    names: Names
    now: datetime
    read_at: datetime | None = None
    billed_at: datetime | None = None
    simulated: bool = False
    forecasts: Forecasts = field(default_factory=dict)
    watches: Mapping[WatchKey, Watch] = field(default_factory=dict)
    locality: Locality = NOWHERE
    ended_as: EndedTerms = field(default_factory=dict)

    @property
    def closing_for(self) -> timedelta:
        """How long a period stays open after its end."""
        return closing_for(self.now, self.read_at)


def live_windows(budgets: Iterable[Resource[Budget]], known: Known) -> frozenset[Window]:
    """Every window whose spend `assess` and `budget_status` will ask for."""
    return frozenset(
        period.window for budget in budgets for period in live_periods(budget.spec.period, known.now, known.closing_for)
    )


def contested_windows(budgets: Iterable[Resource[Budget]], known: Known) -> frozenset[Window]:
    """Every window that `assess` compares with the bill, beside those that are live: of rolling budgets' crossings."""
    by_id = {budget.id: budget for budget in budgets}
    crossings = (one for one in known.crossings if one.budget_id in by_id)
    return frozenset(window for one in crossings for window in windows_since(by_id[one.budget_id], one, known.now))


def facts_needed_from(budget: Resource[Budget], now: datetime) -> datetime | None:
    """The instant since when a budget needs more than spend by day, some days before its oldest live period begins.

    Only facts tell people and products apart, and what of a day lies on which side of a zone's midnight. None: it needs
    none.
    """
    live = live_periods(budget.spec.period, now, CLOSING_FOR + LONGEST_BLINDNESS)
    starts = [period.window.start for period in live]
    if not starts or not (tells_spenders(budget.spec.grain) or min(starts) != day_start(min(starts))):
        return None
    return min(starts) - 2 * SETTLED_AFTER - LATE_FOR


def windows_since(budget: Resource[Budget], crossing: Crossing, now: datetime) -> tuple[Window, ...]:
    """The windows of a rolling budget from the one that crossed a level until yesterday's.

    None once the crossing's bill has been settled for so long that it is hardly restated.
    """
    spec, settled = budget.spec.period, utc_day(crossing.crossed_at.date()).end + SETTLED_AFTER
    on_spend = crossing.basis is ThresholdBasis.ACTUAL
    if spec.kind is not PeriodKind.ROLLING or not on_spend or not settled <= now < settled + LATE_FOR:
        return ()
    instants = (crossing.crossed_at + back * DAY for back in range((now - crossing.crossed_at) // DAY + 1))
    windows = dict.fromkeys(period.window for at in instants if (period := period_at(spec, at)) is not None)
    return tuple(window for window in windows if window.end <= now)


def judged(budget: Resource[Budget], known: Known) -> list[tuple[Resource[Budget], Period]]:
    """Every live period that is judged, oldest first, with the budget as it counts for it."""
    live = live_periods(budget.spec.period, known.now, known.closing_for)
    judges = [(judged_by(budget, period, known.ended_as), period) for period in live]
    return [(judge, period) for judge, period in judges if judge is not None]


def judged_by(budget: Resource[Budget], period: Period, ended: EndedTerms) -> Resource[Budget] | None:
    """The budget with the terms that count for a live period.

    None where nothing counts: the period ended before the budget was there, or while it was off or had other periods.
    """
    then = ended.get((budget.id, period.window.end), budget)
    if then is None or then is budget:
        return then
    counts = then.spec.enabled and then.spec.period == budget.spec.period
    return replace(budget, spec=then.spec) if counts else None


def with_earlier(budgets: Iterable[Resource[Budget]], ended: EndedTerms) -> list[Resource[Budget]]:
    """The budgets, and each as it was when live periods ended: their spend has to be told apart for all of these."""
    return [*budgets, *(then for then in ended.values() if then is not None)]


def counted_scope(budget_id: str, period: Window, budgets: Mapping[str, Resource[Budget]], ended: EndedTerms) -> Scope:
    """The scope by which a budget counts the spend of a period; of everything where the budget is gone."""
    judge = ended.get((budget_id, period.end)) or budgets.get(budget_id)
    return Scope() if judge is None else judge.spec.scope


def about(budget: Resource[Budget], known: Known) -> Known:
    """`known` with the crossings of this budget alone, because every scope looks through all of them."""
    return replace(known, crossings=[crossing for crossing in known.crossings if crossing.budget_id == budget.id])


def by_scope(
    budget: Resource[Budget], cells: Mapping[Cell, Spend], known: Known
) -> list[tuple[ScopeKey, Mapping[Cell, Spend]]]:
    """The cells that the budget counts, by scope."""
    dimension = budget.spec.for_each
    own = {cell: part for cell, part in cells.items() if budget.spec.scope.holds(cell)}
    if dimension is None:
        return [(ORGANISATION, own)]
    # A scope that has fired is assessed even when a restatement has taken all its spend away.
    remembered = [c.scope for c in known.crossings if c.scope.dimension is dimension]
    parts: dict[str, dict[Cell, Spend]] = {scope.id: {} for scope in remembered if budget.spec.scope.admits(scope)}
    for cell, part in own.items():
        parts.setdefault(cell.along(dimension), {})[cell] = part
    if dimension in (Dimension.API_KEY, *SPENDER_DIMENSIONS):
        parts.pop(UNATTRIBUTED, None)  # no one's budget: it holds whatever the bill cannot be split by
    return [(ScopeKey(dimension, id), parts[id]) for id in sorted(parts)]
