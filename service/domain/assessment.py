"""Budgets compared with spend: which thresholds are crossed, and which of them are news."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from service.domain.alerts import Alert, AlertKind, BudgetEvidence, Contribution, Reason
from service.domain.budgets import Budget, Threshold, ThresholdBasis
from service.domain.crossings import Crossing
from service.domain.findings import UNRECORDED, Condition, Finding
from service.domain.money import ZERO, Money
from service.domain.names import Names, describe_scope, name_of
from service.domain.periods import (
    CLOSING_FOR,
    Period,
    PeriodKind,
    PeriodSpec,
    Phase,
    Window,
    live_periods,
    period_at,
    phase,
)
from service.domain.resources import Resource
from service.domain.scopes import ORGANISATION, Cell, Dimension, ScopeKey
from service.domain.spend import Spend

TOP_CONTRIBUTIONS = 3
LONGEST_BLINDNESS = timedelta(days=31)

WindowSpend = Mapping[Window, Mapping[Cell, Spend]]


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered when budgets are assessed.

    `read_at` is the last time a bill was read: a period does not close before its late bills could be seen.
    `crossings` and `open_alerts` are those of the budgets' source.
    """

    crossings: Sequence[Crossing]
    open_alerts: Sequence[Alert]
    names: Names
    now: datetime
    read_at: datetime | None = None
    simulated: bool = False

    @property
    def closing_for(self) -> timedelta:
        """The closing time, lengthened by as long as no bill could be read, a month at most."""
        blind = self.now - self.read_at if self.read_at else timedelta()
        return CLOSING_FOR + min(max(blind, timedelta()), LONGEST_BLINDNESS)


@dataclass(frozen=True, slots=True)
class ScopeStatus:
    """Where one scope of a budget stands in one live period."""

    scope: ScopeKey
    scope_name: str
    period: Period
    phase: Phase
    spent: Spend
    percent: Decimal
    remaining: Money
    crossed_at: Mapping[str, datetime]


def live_windows(budgets: Iterable[Resource[Budget]], known: Known) -> frozenset[Window]:
    """Every window whose spend `assess` and `budget_status` will ask for."""
    return frozenset(
        period.window for budget in budgets for period in live_periods(budget.spec.period, known.now, known.closing_for)
    )


def assess(budget: Resource[Budget], spend: WindowSpend, known: Known) -> list[Finding]:
    """One budget's findings: a finding for each scope and live period that has rung, now or before."""
    findings: list[Finding] = []
    if not budget.spec.enabled:
        return findings
    for period in live_periods(budget.spec.period, known.now, known.closing_for):
        cells = spend[period.window]
        for scope in _members(budget, cells, known):
            finding = _Assessment(budget, period, scope, cells, known).finding()
            if finding is not None:
                findings.append(finding)
    return findings


def budget_status(budget: Resource[Budget], spend: WindowSpend, known: Known) -> tuple[ScopeStatus, ...]:
    """Every scope of a budget in every live period, the open period first."""
    periods = live_periods(budget.spec.period, known.now, known.closing_for)
    return tuple(
        _Assessment(budget, period, scope, spend[period.window], known).status()
        for period in reversed(periods)
        for scope in _members(budget, spend[period.window], known)
    )


def terms(budget: Budget) -> str:
    """A budget's amount and period in one line; a change of it starts new crossings."""
    spec = budget.period
    bounds = {
        PeriodKind.WEEKLY: spec.week_start.value,
        PeriodKind.CUSTOM: "..".join(at.astimezone(UTC).isoformat() for at in (spec.start, spec.end) if at),
        PeriodKind.ROLLING: f"{spec.days}d",
        PeriodKind.DAILY: "",
    }
    return f"{budget.amount}/{spec.kind}/{spec.timezone}/{bounds.get(spec.kind, str(spec.anchor_day))}"


def _members(budget: Resource[Budget], cells: Mapping[Cell, Spend], known: Known) -> list[ScopeKey]:
    dimension = budget.spec.for_each
    if dimension is None:
        return [ORGANISATION]
    # A scope that has rung is assessed even when a restatement has taken all its spend away.
    remembered = {c.scope for c in known.crossings if c.budget_id == budget.id}
    seen = {ScopeKey(dimension, cell.along(dimension)) for cell in cells if budget.spec.scope.holds(cell)}
    return sorted(seen | {scope for scope in remembered if scope.dimension is dimension}, key=lambda scope: scope.id)


class _Assessment:
    """One budget, one period, one scope."""

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
        self.cells = {cell: part for cell, part in cells.items() if self.spec.scope.holds(cell) and self._counts(cell)}
        self.spent = Spend.sum(self.cells.values())
        self.phase = phase(period, known.now, known.closing_for)
        self.thresholds = sorted((t for t in self.spec.thresholds if t.basis is ThresholdBasis.ACTUAL), key=self._level)
        self.start = self._identity()
        self.recorded = {c.threshold: c for c in self._on_record() if c.period_start == self.start}

    def _counts(self, cell: Cell) -> bool:
        return cell.along(self.scope.dimension) == self.scope.id

    def _level(self, threshold: Threshold) -> Money:
        return threshold.level(self.spec.amount)

    def _is_crossed(self, threshold: Threshold) -> bool:
        return self.spent.total >= self._level(threshold) and self.spent.total > ZERO

    def _on_record(self) -> list[Crossing]:
        return [
            c
            for c in self.known.crossings
            if c.budget_id == self.budget.id
            and c.scope == self.scope
            and c.basis is ThresholdBasis.ACTUAL
            and c.terms == self.terms
        ]

    def _identity(self) -> datetime:
        """What the period is known by in crossings and fingerprints: its start.

        A rolling window has no start of its own. Its crossings belong to an episode, which begins on the day of the
        first crossing and lasts N days, or longer while its alert is open and the spend stays above the lowest
        threshold: a level rings once in N days at most, and anew only after the spend had fallen.
        """
        if self.spec.period.kind is not PeriodKind.ROLLING:
            return self.period.window.start
        begun = max((c.period_start for c in self._on_record()), default=None)
        if begun is not None and (self.known.now < begun + self._length() or self._goes_on(begun)):
            return begun
        today = period_at(PeriodSpec(PeriodKind.DAILY, self.spec.period.timezone), self.known.now)
        assert today is not None
        return today.window.start

    def _goes_on(self, begun: datetime) -> bool:
        is_open = any(alert.fingerprint == self._fingerprint(begun) for alert in self.known.open_alerts)
        return is_open and any(self._is_crossed(threshold) for threshold in self.thresholds)

    def _length(self) -> timedelta:
        return timedelta(days=self.spec.period.days or 1)

    def _fingerprint(self, start: datetime) -> str:
        return f"budget:{self.budget.id}:{ThresholdBasis.ACTUAL}:{self.scope}:{start.isoformat()}"

    def finding(self) -> Finding | None:
        held = [t for t in self.thresholds if t.key in self.recorded or self._is_crossed(t)]
        if not held:
            return None
        new = [t for t in held if t.key not in self.recorded]
        loudest = max((c.level for c in self.recorded.values()), default=None)
        rings = bool(new) and (loudest is None or self._level(new[-1]) > loudest)
        late = rings and self.phase is Phase.CLOSING
        return Finding(
            fingerprint=self._fingerprint(self.start),
            kind=AlertKind.BUDGET,
            source_id=self.spec.source_id,
            scope=self.scope,
            severity=max((t.severity for t in held), key=lambda severity: severity.rank),
            condition=Condition.RINGS if rings else Condition.HOLDS,
            reason=Reason.LATE if late else Reason.FIRST if rings else Reason.NOTHING_NEW,
            evidence=self._evidence(held[-1]),
            crossings=tuple(self._crossing(threshold) for threshold in new),
        )

    def _crossing(self, threshold: Threshold) -> Crossing:
        return Crossing(
            budget_id=self.budget.id,
            scope=self.scope,
            basis=threshold.basis,
            period_start=self.start,
            threshold=threshold.key,
            terms=self.terms,
            level=self._level(threshold),
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
            level=self._level(threshold),
            period=self.period.window,
            period_label=self.period.label,
            timezone=self.spec.period.timezone,
            contributions=self._contributions(),
            late=self.phase is Phase.CLOSING,
            simulated=self.known.simulated,
            terms=self.terms,
        )

    def _contributions(self) -> tuple[Contribution, ...]:
        """The largest members of each dimension that divides this spend any further."""
        largest: list[Contribution] = []
        for dimension in (Dimension.WORKSPACE, Dimension.MODEL, Dimension.API_KEY):
            parts: dict[ScopeKey, Money] = defaultdict(lambda: ZERO)
            for cell, part in self.cells.items():
                parts[ScopeKey(dimension, cell.along(dimension))] += part.total
            named = [(key, amount) for key, amount in parts.items() if key.id and amount > ZERO]
            if dimension is not self.scope.dimension:
                named.sort(key=lambda part: (-part[1].usd, part[0].id))
                largest += [
                    Contribution(key, name_of(key, self.known.names), amount)
                    for key, amount in named[:TOP_CONTRIBUTIONS]
                ]
        return tuple(largest)

    def status(self) -> ScopeStatus:
        amount, spent = self.spec.amount, self.spent.total
        return ScopeStatus(
            scope=self.scope,
            scope_name=describe_scope(self.spec.scope, self.scope, self.known.names),
            period=self.period,
            phase=self.phase,
            spent=self.spent,
            percent=spent.ratio_to(amount) * 100 if amount else Decimal(0),
            remaining=amount - spent,
            crossed_at={key: crossing.crossed_at for key, crossing in self.recorded.items()},
        )
