"""Budgets compared with spend: which thresholds are crossed, which crossings are news, and which alerts are over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import ClassVar, Self

from service.domain.alerts.alert import Alert, Reason
from service.domain.alerts.crossings import Crossing, ThresholdBasis
from service.domain.alerts.evidence import BudgetEvidence, Contribution, ForecastEvidence
from service.domain.alerts.findings import UNRECORDED, Condition, Finding, over
from service.domain.budgets.budget import Budget, Threshold, terms
from service.domain.budgets.known import (
    Forecasts,
    Known,
    ScopePeriod,
    WindowSpend,
    about,
    by_scope,
    judged,
    windows_since,
)
from service.domain.forecasts.forecast import Forecast, NoForecast
from service.domain.spend.best_known import Spend
from service.domain.spend.lateness import LATE_ALERTS_STAY_FOR, is_settled
from service.domain.values.money import ZERO, Money
from service.domain.values.names import Names, describe_scope, name_of
from service.domain.values.periods import (
    Period,
    PeriodKind,
    PeriodSpec,
    Phase,
    period_at,
    phase,
)
from service.domain.values.resources import Resource
from service.domain.values.scopes import ALL_DIMENSIONS, CELL_DIMENSIONS, ORGANISATION, Cell, Scope, ScopeKey
from service.domain.values.utc import utc_day

INSTANT = timedelta(microseconds=1)
NOT_CONTESTED: WindowSpend = {}
ScopeSpend = tuple[ScopeKey, Mapping[Cell, Spend]]
MOST_CONTRIBUTORS = 3
"""Members of each dimension."""


def assess(budget: Resource[Budget], spend: WindowSpend, known: Known) -> list[Finding]:
    """The findings of one budget: one for each scope and live period that has fired, now or before."""
    return findings_of(standing(budget, spend, known), known.forecasts)


def standing(budget: Resource[Budget], spend: WindowSpend, known: Known) -> list[Assessment]:
    """Everything of one budget that has fired, now or before. No forecast decides on it; `findings_of` tells of it."""
    if not budget.spec.enabled:
        return []
    known = about(budget, known)
    own, nothing = by_scope_known(known), without_past(known)
    assessments = (
        Assessment(judge, period, scope, cells, own.get(scope, nothing), spend)
        for judge, period in judged(budget, known)
        for scope, cells in _with_past_or_over(judge, by_scope(judge, spend[period.window], known), own)
    )
    return [one for one in assessments if one.held or one.refuted]


def _with_past_or_over(
    budget: Resource[Budget], scopes: Iterable[ScopeSpend], own: Container[ScopeKey]
) -> Iterator[ScopeSpend]:
    """The scopes that have crossings or alerts, or spend that reaches a threshold: of others nothing stands."""
    lowest = lowest_level(budget.spec, ThresholdBasis.ACTUAL)
    for scope, cells in scopes:
        if scope in own or (lowest is not None and Spend.dollars(cells.values()) >= lowest):
            yield scope, cells


def lowest_level(spec: Budget, basis: ThresholdBasis) -> Money | None:
    return min((_level(one, spec.amount) for one in spec.thresholds if one.basis is basis), default=None)


def findings_of(assessments: Iterable[Assessment], forecasts: Forecasts) -> list[Finding]:
    found = (one.knowing(forecasts).finding() for one in assessments)
    return [finding for finding in found if finding is not None]


def without_past(known: Known) -> Known:
    """`known` of a scope without crossings and alerts."""
    return replace(known, crossings=(), open_alerts=())


def by_scope_known(known: Known) -> dict[ScopeKey, Known]:
    """`known` of each scope alone, so that no scope looks through all the others' crossings and alerts."""
    crossings: dict[ScopeKey, list[Crossing]] = defaultdict(list)
    alerts: dict[ScopeKey, list[Alert]] = defaultdict(list)
    for crossing in known.crossings:
        crossings[crossing.scope].append(crossing)
    for alert in known.open_alerts:
        alerts[alert.scope].append(alert)
    return {
        scope: replace(known, crossings=crossings.get(scope, ()), open_alerts=alerts.get(scope, ()))
        for scope in crossings.keys() | alerts.keys()
    }


def budget_endings(budgets: Mapping[str, Resource[Budget]], findings: Sequence[Finding], known: Known) -> list[Finding]:
    """An OVER finding for every open budget alert that `assess` no longer finds. Falling spend is never a reason."""
    found = {finding.fingerprint for finding in findings}
    ends = [
        over(alert, _reason_to_end(alert.evidence, budgets.get(alert.evidence.budget_id), known))
        for alert in known.open_alerts
        if isinstance(alert.evidence, BudgetEvidence) and alert.fingerprint not in found
    ]
    news = {alert.fingerprint for alert in known.open_alerts if _has_just_fired_late(alert, known.now)}
    return [end for end in ends if end.reason is not Reason.PERIOD_CLOSED or end.fingerprint not in news]


def _has_just_fired_late(alert: Alert, now: datetime) -> bool:
    evidence = alert.evidence
    return isinstance(evidence, BudgetEvidence) and evidence.late and now < alert.changed_at + LATE_ALERTS_STAY_FOR


def _reason_to_end(evidence: BudgetEvidence, budget: Resource[Budget] | None, known: Known) -> Reason:
    if budget is None:
        return Reason.BUDGET_GONE
    if not budget.spec.enabled:
        return Reason.BUDGET_DISABLED
    if budget.spec.period.kind is PeriodKind.ROLLING:
        return Reason.RECOVERED
    if evidence.period.end + known.closing_for <= known.now:
        return Reason.PERIOD_CLOSED
    return Reason.BUDGET_EDITED


@lru_cache(maxsize=256)
def _level(threshold: Threshold, amount: Money) -> Money:
    """The level of a threshold, remembered: every scope asks for the same levels at every evaluation."""
    return threshold.level(amount)


class Assessment:
    """One budget, one period, one scope: `cells` and `known` are theirs alone.

    `spend` holds the windows that a rolling budget's crossings are compared with the bill by, where they are to be.
    """

    basis: ClassVar[ThresholdBasis] = ThresholdBasis.ACTUAL

    def __init__(
        self,
        budget: Resource[Budget],
        period: Period,
        scope: ScopeKey,
        cells: Mapping[Cell, Spend],
        known: Known,
        spend: WindowSpend = NOT_CONTESTED,
    ) -> None:
        self.budget, self.spec, self.period, self.scope, self.known = (
            budget,
            budget.spec,
            period,
            scope,
            known,
        )
        self.spend = spend
        self.terms = terms(budget.spec)
        self.cells = cells
        self.spent = Spend.sum(self.cells.values())
        self.total = self.spent.total
        self.phase = phase(period, known.now, known.closing_for)
        self.thresholds = sorted((t for t in self.spec.thresholds if t.basis is self.basis), key=self.level)
        self.start = self._identity()
        on_record = [c for c in self.on_record(self.basis) if c.period_start == self.start]
        over = tuple(c for c in on_record if self._is_over(c))
        self.refuted = tuple(c for c in on_record if c not in over and self._is_refuted(c))
        self.released = (*self.refuted, *over)
        self.recorded = {c.threshold: c for c in on_record if c not in self.released}

    def knowing(self, forecasts: Forecasts) -> Self:
        """The same with other forecasts."""
        told = copy(self)
        told.known = replace(self.known, forecasts=forecasts)
        return told

    @cached_property
    def held(self) -> list[Threshold]:
        """The thresholds that have fired, now or before, lowest first."""
        return [one for one in self.thresholds if one.key in self.recorded or self.is_crossed(one)]

    def level(self, threshold: Threshold) -> Money:
        return _level(threshold, self.spec.amount)

    def is_crossed(self, threshold: Threshold) -> bool:
        return self.total >= self.level(threshold) and self.total > ZERO

    def on_record(self, basis: ThresholdBasis) -> list[Crossing]:
        """The crossings under these terms, in any period."""
        return [c for c in self.known.crossings if c.scope == self.scope and c.basis is basis and c.terms == self.terms]

    def _identity(self) -> datetime:
        """The period's identity in crossings and fingerprints: its start.

        A rolling window has no start of its own. Its crossings belong to an episode, which begins on the day of the
        first crossing and lasts N days, or longer while its alert is open and the spend stays above the lowest
        threshold: a level fires once in N days at most, and again only after the spend had fallen.
        """
        if self.spec.period.kind is not PeriodKind.ROLLING:
            return self.period.window.start
        begun = max((c.period_start for c in self.on_record(ThresholdBasis.ACTUAL)), default=None)
        if begun is not None and (self.known.now < begun + self._length() or self._goes_on(begun)):
            return begun
        today = period_at(PeriodSpec(PeriodKind.DAILY, self.spec.period.timezone), self.known.now)
        assert today is not None
        return today.window.start

    def _is_over(self, crossing: Crossing) -> bool:
        """Whether a rolling budget's level may fire again: N days have passed and the spend has fallen below it."""
        rolling = self.spec.period.kind is PeriodKind.ROLLING
        is_old = crossing.crossed_at + self._length() <= self.known.now
        return rolling and is_old and self.spent.total < crossing.level

    def _is_refuted(self, crossing: Crossing) -> bool:
        """Whether the settled bill of all days up to a crossing, with what was spent since, is below its level.

        Spend on a forecast is judged by its watch.
        """
        billed_at = self.known.billed_at
        if billed_at is None or self.basis is ThresholdBasis.FORECAST or self.total >= crossing.level:
            return False
        last = min(crossing.crossed_at, self.period.window.end - INSTANT)
        return is_settled(utc_day(last.date()), billed_at) and self._never_reached(crossing)

    def _never_reached(self, crossing: Crossing) -> bool:
        """Whether no window since the crossing's reaches its level. A rolling one also falls because it moves on."""
        if self.spec.period.kind is not PeriodKind.ROLLING:
            return True
        windows = windows_since(self.budget, crossing, self.known.now)
        known = [self.spend[window] for window in windows if window in self.spend]
        return bool(windows) and len(known) == len(windows) and all(self._of(one) < crossing.level for one in known)

    def _of(self, cells: Mapping[Cell, Spend]) -> Money:
        """The scope's spend among the cells of a window."""
        own = dict(by_scope(self.budget, cells, self.known)).get(self.scope, {})
        return Spend.sum(own.values()).total

    def _goes_on(self, begun: datetime) -> bool:
        return self.open_alert(begun) is not None and any(self.is_crossed(threshold) for threshold in self.thresholds)

    def _length(self) -> timedelta:
        return timedelta(days=self.spec.period.days or 1)

    def open_alert(self, start: datetime, basis: ThresholdBasis | None = None) -> Alert | None:
        fingerprint = self.fingerprint(start, basis)
        return next((alert for alert in self.known.open_alerts if alert.fingerprint == fingerprint), None)

    def fingerprint(self, start: datetime, basis: ThresholdBasis | None = None) -> str:
        return f"budget:{self.budget.id}:{basis or self.basis}:{self.scope}:{start.isoformat()}"

    def finding(self) -> Finding | None:
        held = self.held
        if not held:
            return self._not_confirmed()
        new = [t for t in held if t.key not in self.recorded]
        highest = max((c.level for c in self.recorded.values()), default=None)
        fires = bool(new) and (highest is None or self.level(new[-1]) > highest)
        late = fires and self.phase is Phase.CLOSING
        return Finding(
            fingerprint=self.fingerprint(self.start),
            source_id=self.spec.source_id,
            scope=self.scope,
            severity=max((t.severity for t in held), key=lambda severity: severity.rank),
            condition=Condition.FIRES if fires else Condition.HOLDS,
            reason=self._reason(fires=fires, late=late),
            evidence=replace(self._evidence(held[-1]), fired_on=self._fired_on()),
            crossings=tuple(self._crossing(threshold) for threshold in new),
            released=self.released,
        )

    def _reason(self, *, fires: bool, late: bool) -> Reason:
        if fires:
            return Reason.LATE if late else Reason.FIRST
        return Reason.NOT_CONFIRMED if self.refuted else Reason.NOTHING_NEW

    def _not_confirmed(self) -> Finding | None:
        """The end of an alert of which the settled bill leaves no level crossed."""
        highest = max(self.refuted, key=lambda one: one.level, default=None)
        threshold = next((t for t in self.thresholds if highest and t.key == highest.threshold), None)
        if highest is None or threshold is None:
            return None
        return Finding(
            fingerprint=self.fingerprint(self.start),
            source_id=self.spec.source_id,
            scope=self.scope,
            severity=threshold.severity,
            condition=Condition.OVER,
            reason=Reason.NOT_CONFIRMED,
            evidence=replace(self._evidence(threshold), fired_on=highest.spent),
            released=self.released,
        )

    def _fired_on(self) -> Money | None:
        """The spend of the highest crossing that the settled bill contradicts."""
        return max((one.spent for one in self.refuted), key=lambda spent: spent.usd, default=None)

    def _crossing(self, threshold: Threshold) -> Crossing:
        return Crossing(
            budget_id=self.budget.id,
            scope=self.scope,
            basis=threshold.basis,
            period_start=self.start,
            threshold=threshold.key,
            terms=self.terms,
            level=self.level(threshold),
            spent=self.spent.total,
            crossed_at=self.known.now,
            alert_id=UNRECORDED,
        )

    def _evidence(self, threshold: Threshold) -> BudgetEvidence:
        return BudgetEvidence(
            budget_id=self.budget.id,
            budget_name=self.budget.name,
            scope_name=describe_scope(self.spec.scope, self.scope, self.known.names),
            amount=self.spec.amount,
            spent=self.spent.total,
            basis=self.spent.basis,
            threshold=threshold.key,
            level=self.level(threshold),
            period=self.period.window,
            period_label=self.period.label,
            timezone=self.spec.period.timezone,
            contributions=_top_contributors(self.cells, self.scope, self.known.names),
            late=self.phase is Phase.CLOSING,
            simulated=self.known.simulated,
            unpriced_tokens=self.spent.unpriced_tokens,
            terms=self.terms,
            forecast=self.forecast_evidence(threshold),
            of_everything=self.scope == ORGANISATION and self.spec.scope == Scope(),
        )

    @property
    def forecast(self) -> Forecast | NoForecast | None:
        return self.known.forecasts.get(ScopePeriod(self.budget.id, self.scope, self.period.window))

    def forecast_evidence(self, threshold: Threshold) -> ForecastEvidence | None:
        """The forecast that the message shows; None while nothing is forecast."""
        made = self.forecast
        return forecast_evidence(made, self.spec.amount) if isinstance(made, Forecast) else None


def forecast_evidence(made: Forecast, amount: Money) -> ForecastEvidence:
    used_up, quiet = made.exhausted_at(amount), made.quiet_days
    return ForecastEvidence(made.low, made.mid, made.high, made.method, made.history_days, used_up, quiet_days=quiet)


def _top_contributors(cells: Mapping[Cell, Spend], scope: ScopeKey, names: Names) -> tuple[Contribution, ...]:
    """The most expensive members of each dimension that divides a scope's spend further."""
    largest: list[Contribution] = []
    tells = any(cell.actor or cell.product for cell in cells)
    for dimension in ALL_DIMENSIONS if tells else CELL_DIMENSIONS:
        parts: dict[ScopeKey, Money] = defaultdict(lambda: ZERO)
        for cell, part in cells.items():
            parts[ScopeKey(dimension, cell.along(dimension))] += part.total
        named = [(key, amount) for key, amount in parts.items() if key.id and amount > ZERO]
        if dimension is not scope.dimension:
            named.sort(key=lambda part: (-part[1].usd, part[0].id))
            largest += [Contribution(key, name_of(key, names), amount) for key, amount in named[:MOST_CONTRIBUTORS]]
    return tuple(largest)
