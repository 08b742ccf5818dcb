"""Where budgets are heading: the forecasts of their open periods, and the thresholds on forecast that they cross."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import ClassVar

from service.domain.alerts.alert import Reason
from service.domain.alerts.crossings import ThresholdBasis
from service.domain.alerts.evidence import ForecastEvidence
from service.domain.alerts.findings import Condition, Finding, over
from service.domain.budgets.assessment import Assessment, by_scope_known, forecast_evidence, lowest_level, without_past
from service.domain.budgets.budget import Budget, Threshold
from service.domain.budgets.known import Known, ScopePeriod, WindowSpend, about, by_scope, judged
from service.domain.forecasts.estimate import Running, forecast_all
from service.domain.forecasts.forecast import Forecast, Missing, NoForecast, finished
from service.domain.forecasts.history import DailySpend
from service.domain.forecasts.recent import RecentSpend, daily_spends
from service.domain.forecasts.watch import Stand, Watch, WatchKey, watched
from service.domain.sources.locality import Locality
from service.domain.spend.best_known import Spend
from service.domain.values import calendars
from service.domain.values.money import Money
from service.domain.values.periods import Period, PeriodKind, PeriodSpec, Phase, period_at
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION, Cell, Dimension, Scope
from service.domain.values.utc import DAY

FARTHEST = timedelta(days=400)
"""How far away the end of a period may be: a year and a little. Days beyond cost time and say nothing."""

Outlook = Running | NoForecast


def forecast_budgets(
    budgets: Iterable[Resource[Budget]], spend: WindowSpend, recent: RecentSpend, known: Known
) -> dict[ScopePeriod, Forecast | NoForecast]:
    """The forecast of every scope of these budgets in its open period, or why there is none."""
    outlooks: dict[ScopePeriod, Outlook] = {}
    for budget in budgets:
        period = period_at(budget.spec.period, known.now)
        if period is not None:
            outlooks |= _outlooks(budget, period, spend[period.window], recent, known)
    return _answered(outlooks)


def forecast_scope(
    scope: Scope, spec: PeriodSpec, period: Period, cells: Mapping[Cell, Spend], recent: RecentSpend, locality: Locality
) -> tuple[Spend, Forecast | NoForecast]:
    """The spend of a scope in an open period, and its forecast."""
    spent = Spend.sum(part for cell, part in cells.items() if scope.holds(cell))
    days = daily_spends(recent, scope, Dimension.ORGANISATION, spec.timezone).get(ORGANISATION)
    place = ScopePeriod("", ORGANISATION, period.window)
    off = _days_off(locality, spec, period, recent)
    return spent, _answered({place: _outlook(spec, period, days, spent.total, recent.now, off)})[place]


def _outlooks(
    budget: Resource[Budget], period: Period, cells: Mapping[Cell, Spend], recent: RecentSpend, known: Known
) -> dict[ScopePeriod, Outlook]:
    spec = budget.spec
    off = _days_off(known.locality, spec.period, period, recent)
    days = daily_spends(recent, spec.scope, spec.for_each or Dimension.ORGANISATION, spec.period.timezone)
    return {
        ScopePeriod(budget.id, scope, period.window): _outlook(
            spec.period, period, days.get(scope), Spend.sum(own.values()).total, known.now, off
        )
        for scope, own in by_scope(budget, cells, about(budget, known))
    }


def _days_off(locality: Locality, spec: PeriodSpec, period: Period, recent: RecentSpend) -> Set[date]:
    """The public holidays from the first recent day on, until the period ends or farther away than is forecast."""
    end = min(period.window.end, recent.now + FARTHEST).date() + DAY
    return locality.days_off(recent.first, end, spec.timezone).keys()


def _outlook(
    spec: PeriodSpec, period: Period, days: DailySpend | None, spent: Money, now: datetime, off: Set[date]
) -> Outlook:
    if spec.kind is PeriodKind.ROLLING:
        return NoForecast(Missing.NO_END, 0)
    if period.window.end - now > FARTHEST:
        return NoForecast(Missing.TOO_FAR, 0)
    if days is None:
        return NoForecast(Missing.NO_SPEND, 0)
    return Running(days, spent, period.window, now, spec.timezone, off)


def _answered(outlooks: Mapping[ScopePeriod, Outlook]) -> dict[ScopePeriod, Forecast | NoForecast]:
    running = {place: outlook for place, outlook in outlooks.items() if isinstance(outlook, Running)}
    made = dict(zip(running, forecast_all(list(running.values())), strict=True))
    return {place: outlook if isinstance(outlook, NoForecast) else made[place] for place, outlook in outlooks.items()}


@dataclass(frozen=True, slots=True)
class Heading:
    """The findings of one budget's thresholds on forecast, and the watches of those that are not below their level."""

    findings: tuple[Finding, ...]
    watches: Mapping[WatchKey, Watch]


def has_forecast_thresholds(budget: Resource[Budget]) -> bool:
    return any(threshold.basis is ThresholdBasis.FORECAST for threshold in budget.spec.thresholds)


def assess_forecasts(budget: Resource[Budget], spend: WindowSpend, known: Known, actual: Sequence[Finding]) -> Heading:
    """The findings of one budget on forecast. `actual` are those on spend, of the same instant: they come first."""
    if not budget.spec.enabled or not has_forecast_thresholds(budget):
        return Heading((), {})
    known = about(budget, known)
    own, nothing = by_scope_known(known), without_past(known)
    apart = own.keys() | {key.scope for key in known.watches if key.budget_id == budget.id}
    assessments = [
        ForecastAssessment(judge, period, scope, cells, own.get(scope, nothing))
        for judge, period in judged(budget, known)
        for scope, cells in by_scope(judge, spend[period.window], known)
        if scope in apart or _reaches(judge, known.forecasts.get(ScopePeriod(judge.id, scope, period.window)))
    ]
    return heading_of(assessments, actual)


def heading_of(assessments: Sequence[ForecastAssessment], actual: Sequence[Finding]) -> Heading:
    """The findings of scopes on forecast beside those on spend, and what is watched."""
    firing = {finding.fingerprint for finding in actual if finding.condition is Condition.FIRES}
    findings = [assessment.finding_beside(firing) for assessment in assessments]
    return Heading(
        tuple(finding for finding in findings if finding is not None),
        {
            key: watch
            for assessment in assessments
            for key, watch in assessment.watches.items()
            if watch.stand is not Stand.BELOW
        },
    )


def _reaches(budget: Resource[Budget], made: Forecast | NoForecast | None) -> bool:
    """Whether a forecast reaches a threshold. Of a scope without a past that stays below there is nothing to say."""
    lowest = lowest_level(budget.spec, ThresholdBasis.FORECAST)
    return isinstance(made, Forecast) and lowest is not None and made.mid >= lowest


class ForecastAssessment(Assessment):
    """One budget, one period, one scope: where it is heading.

    While the period is open each forecast is watched. Once it is over no threshold on forecast is crossed: thresholds
    on spend compare what was spent.
    """

    basis: ClassVar[ThresholdBasis] = ThresholdBasis.FORECAST

    @property
    def watches(self) -> dict[WatchKey, Watch]:
        return {self._key(threshold): self._watch(threshold) for threshold in self.thresholds}

    def _key(self, threshold: Threshold) -> WatchKey:
        return WatchKey(self.budget.id, self.scope, threshold.key, self.start, self.terms)

    def _watch(self, threshold: Threshold) -> Watch:
        """The watch after this forecast; the watch before it where there is none, and when the period is over."""
        before = self.known.watches.get(self._key(threshold), Watch())
        made = self.forecast
        if self.phase is not Phase.OPEN or not isinstance(made, Forecast):
            return before
        zone = calendars.zone_of(self.spec.period.timezone)
        return watched(before, calendars.local_date(self.known.now, zone), made.mid, self.level(threshold))

    def is_crossed(self, threshold: Threshold) -> bool:
        """Whether this forecast may fire. Not where spend itself has exceeded the level and fired for it."""
        fired = [c.level for c in self.on_record(ThresholdBasis.ACTUAL) if c.period_start == self.start]
        return (
            self.phase is Phase.OPEN
            and isinstance(self.forecast, Forecast)
            and self._watch(threshold).stand is Stand.CROSSED
            and all(self.level(threshold) > level for level in fired)
        )

    def finding_beside(self, firing: set[str]) -> Finding | None:
        """The finding, unless an alert on spend that is open, or about to be, inhibits it."""
        on_spend = self.fingerprint(self.start, ThresholdBasis.ACTUAL)
        if on_spend in firing or self.open_alert(self.start, ThresholdBasis.ACTUAL) is not None:
            own = self.open_alert(self.start)
            return over(own, Reason.INHIBITED) if own is not None else None
        return self.finding()

    def forecast_evidence(self, threshold: Threshold) -> ForecastEvidence | None:
        if self.phase is Phase.CLOSING:
            made = finished(self.spent.total, self.known.now, 0)
            released = made.mid < self.level(threshold)
        elif isinstance(self.forecast, Forecast):
            made = self.forecast
            released = self._watch(threshold).stand is not Stand.CROSSED
        else:
            return None
        return replace(forecast_evidence(made, self.spec.amount), released=released)
