"""Budgets compared with spend: which thresholds are crossed, and which of them are news."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import ClassVar

from service.domain.alerts.alert import Alert, AlertKind, Reason
from service.domain.alerts.crossings import Crossing, ThresholdBasis
from service.domain.alerts.evidence import BudgetEvidence, ForecastEvidence
from service.domain.alerts.findings import UNRECORDED, Condition, Finding
from service.domain.budgets.budget import Budget, Threshold, terms
from service.domain.budgets.ended_terms import EndedTerms, judged_periods
from service.domain.budgets.largest import largest_contributions
from service.domain.forecasts.forecast import Forecast, NoForecast
from service.domain.forecasts.watch import Watch, WatchKey
from service.domain.spend.lateness import closing_for
from service.domain.spend.rows import Spend
from service.domain.values.money import ZERO, Money
from service.domain.values.names import Names, describe_scope
from service.domain.values.periods import (
    Period,
    PeriodKind,
    PeriodSpec,
    Phase,
    Window,
    live_periods,
    period_at,
    phase,
)
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION, UNATTRIBUTED, Cell, Dimension, ScopeKey

WindowSpend = Mapping[Window, Mapping[Cell, Spend]]


@dataclass(frozen=True, slots=True)
class Place:
    """One scope of one budget in one period."""

    budget_id: str
    scope: ScopeKey
    window: Window


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered when budgets are assessed.

    `read_at` is the last time a bill was read: a period does not close before its late bills could be seen.
    `crossings` and `open_alerts` are those of the budgets' source. `forecasts` are of open periods, as far as they
    were made, and `watches` say how thresholds on forecast stood.
    """

    crossings: Sequence[Crossing]
    open_alerts: Sequence[Alert]
    names: Names
    now: datetime
    read_at: datetime | None = None
    simulated: bool = False
    forecasts: Mapping[Place, Forecast | NoForecast] = field(default_factory=dict)
    watches: Mapping[WatchKey, Watch] = field(default_factory=dict)
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


def judged(budget: Resource[Budget], known: Known) -> list[tuple[Resource[Budget], Period]]:
    """Every live period that is judged, oldest first, with the budget as it counts for it."""
    live = live_periods(budget.spec.period, known.now, known.closing_for)
    return judged_periods(budget, live, known.ended_as)


def assess(budget: Resource[Budget], spend: WindowSpend, known: Known) -> list[Finding]:
    """One budget's findings: a finding for each scope and live period that has rung, now or before."""
    findings: list[Finding] = []
    if not budget.spec.enabled:
        return findings
    known = about(budget, known)
    own = _by_scope_known(known)
    nothing = replace(known, crossings=(), open_alerts=())
    for judge, period in judged(budget, known):
        for scope, cells in by_scope(judge, spend[period.window], known):
            finding = Assessment(judge, period, scope, cells, own.get(scope, nothing)).finding()
            if finding is not None:
                findings.append(finding)
    return findings


def _by_scope_known(known: Known) -> dict[ScopeKey, Known]:
    """What is remembered of each scope alone, so that no scope looks through all the others' crossings and alerts."""
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


@lru_cache(maxsize=256)
def _level(threshold: Threshold, amount: Money) -> Money:
    """A scope asks for the same levels at every look."""
    return threshold.level(amount)


def about(budget: Resource[Budget], known: Known) -> Known:
    """What is known of this budget: every scope of it looks through all crossings."""
    return replace(known, crossings=[crossing for crossing in known.crossings if crossing.budget_id == budget.id])


def by_scope(
    budget: Resource[Budget], cells: Mapping[Cell, Spend], known: Known
) -> list[tuple[ScopeKey, Mapping[Cell, Spend]]]:
    """The budget's own cells, parted once for all its scopes."""
    dimension = budget.spec.for_each
    own = {cell: part for cell, part in cells.items() if budget.spec.scope.holds(cell)}
    if dimension is None:
        return [(ORGANISATION, own)]
    # A scope that has rung is assessed even when a restatement has taken all its spend away.
    remembered = [c.scope for c in known.crossings if c.scope.dimension is dimension]
    parts: dict[str, dict[Cell, Spend]] = {scope.id: {} for scope in remembered if budget.spec.scope.admits(scope)}
    for cell, part in own.items():
        parts.setdefault(cell.along(dimension), {})[cell] = part
    if dimension is Dimension.API_KEY:
        parts.pop(UNATTRIBUTED, None)  # nobody's budget: it holds whatever the bill cannot be split by
    return [(ScopeKey(dimension, id), parts[id]) for id in sorted(parts)]


class Assessment:
    """One budget, one period, one scope: `cells` and `known` are theirs alone."""

    basis: ClassVar[ThresholdBasis] = ThresholdBasis.ACTUAL

    def __init__(
        self,
        budget: Resource[Budget],
        period: Period,
        scope: ScopeKey,
        cells: Mapping[Cell, Spend],
        known: Known,
    ) -> None:
        self.budget, self.spec, self.period, self.scope, self.known = (
            budget,
            budget.spec,
            period,
            scope,
            known,
        )
        self.terms = terms(budget.spec)
        self.cells = cells
        self.spent = Spend.sum(self.cells.values())
        self.total = self.spent.total
        self.phase = phase(period, known.now, known.closing_for)
        self.thresholds = sorted((t for t in self.spec.thresholds if t.basis is self.basis), key=self.level)
        self.start = self._identity()
        on_record = [c for c in self.on_record(self.basis) if c.period_start == self.start]
        self.released = tuple(c for c in on_record if self._is_over(c))
        self.recorded = {c.threshold: c for c in on_record if c not in self.released}

    def level(self, threshold: Threshold) -> Money:
        return _level(threshold, self.spec.amount)

    def is_crossed(self, threshold: Threshold) -> bool:
        return self.total >= self.level(threshold) and self.total > ZERO

    def on_record(self, basis: ThresholdBasis) -> list[Crossing]:
        """What has rung under these terms, in any period."""
        return [c for c in self.known.crossings if c.scope == self.scope and c.basis is basis and c.terms == self.terms]

    def _identity(self) -> datetime:
        """What the period is known by in crossings and fingerprints: its start.

        A rolling window has no start of its own. Its crossings belong to an episode, which begins on the day of the
        first crossing and lasts N days, or longer while its alert is open and the spend stays above the lowest
        threshold: a level rings once in N days at most, and anew only after the spend had fallen.
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
        """A rolling budget's level may ring anew when N days have passed and the spend has fallen below it."""
        rolling = self.spec.period.kind is PeriodKind.ROLLING
        is_old = crossing.crossed_at + self._length() <= self.known.now
        return rolling and is_old and self.spent.total < crossing.level

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
        held = [t for t in self.thresholds if t.key in self.recorded or self.is_crossed(t)]
        if not held:
            return None
        new = [t for t in held if t.key not in self.recorded]
        loudest = max((c.level for c in self.recorded.values()), default=None)
        rings = bool(new) and (loudest is None or self.level(new[-1]) > loudest)
        late = rings and self.phase is Phase.CLOSING
        return Finding(
            fingerprint=self.fingerprint(self.start),
            kind=AlertKind.BUDGET,
            source_id=self.spec.source_id,
            scope=self.scope,
            severity=max((t.severity for t in held), key=lambda severity: severity.rank),
            condition=Condition.RINGS if rings else Condition.HOLDS,
            reason=Reason.LATE if late else Reason.FIRST if rings else Reason.NOTHING_NEW,
            evidence=self._evidence(held[-1]),
            crossings=tuple(self._crossing(threshold) for threshold in new),
            released=self.released,
        )

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
            contributions=largest_contributions(self.cells, self.scope, self.known.names),
            late=self.phase is Phase.CLOSING,
            simulated=self.known.simulated,
            unpriced_tokens=self.spent.unpriced_tokens,
            terms=self.terms,
            forecast=self.forecast_evidence(threshold),
        )

    @property
    def forecast(self) -> Forecast | NoForecast | None:
        return self.known.forecasts.get(Place(self.budget.id, self.scope, self.period.window))

    def forecast_evidence(self, threshold: Threshold) -> ForecastEvidence | None:
        """What the message says of the future; None while nothing is forecast."""
        made = self.forecast
        return forecast_evidence(made, self.spec.amount) if isinstance(made, Forecast) else None


def forecast_evidence(made: Forecast, amount: Money) -> ForecastEvidence:
    return ForecastEvidence(made.low, made.mid, made.high, made.method, made.history_days, made.exhausted_at(amount))
