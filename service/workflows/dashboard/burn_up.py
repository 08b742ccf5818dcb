"""A scope of a budget in one period as a sum that grows: what was spent by when, and where it is heading."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from service.domain.budgets.statuses import ScopeStatus
from service.domain.charts.chart import Point, Range
from service.domain.charts.sums import buckets_of, fan, sums
from service.domain.forecasts.forecast import Forecast
from service.domain.values.money import ZERO
from service.domain.values.scopes import Dimension, Scope, ScopeKey, scope_of
from service.workflows.charts.kept import amounts_of, figures_of, line_of_period
from service.workflows.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class BurnUp:
    """`spent` begins with nothing at the period's start and ends with the spend of now, or of the period's end.

    `ahead` is the forecast's range from there on; empty without a forecast.
    """

    status: ScopeStatus
    spent: tuple[Point, ...]
    ahead: tuple[Range, ...]


async def burn_up(uow: UnitOfWork, source_id: str, status: ScopeStatus, now: datetime) -> BurnUp:
    period, total = status.period.window, status.spent.total
    dimension = status.terms.for_each or Dimension.ORGANISATION
    question = line_of_period(source_id, period, _narrowed(status.terms.scope, status.scope), dimension, now)
    amounts = amounts_of(status.scope, await figures_of(uow, question))
    before = sums(period, total, buckets_of(period, total, amounts))
    last = Point(min(now, period.end), total)
    made = status.forecast
    ahead = fan(made, now, period.end) if isinstance(made, Forecast) else ()
    return BurnUp(status, (Point(period.start, ZERO), *before, last), ahead)


def _narrowed(scope: Scope, key: ScopeKey) -> Scope:
    """Returns the scope of one member alone, so that the others' spend is not read; none can be asked for by no id."""
    if not key.id:
        return scope
    one = scope_of(key.dimension, [key.id])
    kept = {field.name: getattr(one, field.name) or getattr(scope, field.name) for field in fields(scope)}
    return Scope(**kept)
