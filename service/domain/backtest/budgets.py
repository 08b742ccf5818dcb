"""A budget over the past: one step for every UTC day, by the functions that judge it live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.alerts.crossings import Crossing, ThresholdBasis
from service.domain.alerts.evidence import BudgetEvidence
from service.domain.backtest.backtest import MOST_FIRINGS, BacktestTally, Firing, Progress, Result, SweepRow, per_month
from service.domain.backtest.history import Recorded
from service.domain.backtest.ledger import Ledger, tallies_by_scope, tally_of
from service.domain.backtest.moved import moved
from service.domain.backtest.windows import Windows
from service.domain.budgets.assessment import assess, budget_endings
from service.domain.budgets.budget import Budget, Threshold
from service.domain.budgets.forecasting import has_forecast_thresholds
from service.domain.budgets.known import Known, live_windows
from service.domain.spend.best_known import Spend
from service.domain.values.money import ZERO
from service.domain.values.periods import PeriodKind, Window
from service.domain.values.resources import Resource
from service.domain.values.scopes import Cell, ScopeKey
from service.domain.values.severity import Severity
from service.domain.values.utc import DAY, midnight

SWEPT = tuple(Decimal(percent) for percent in range(50, 130, 10))
"""Percentages of the budget."""

ASSUMED = (
    "One step at the end of every UTC day, by what was known then. Live, the day that runs is looked at, too.",
    "Nobody answers, and the budget is what it is now for the whole time.",
)
FORECAST_LEFT_OUT = "Thresholds on forecast are not replayed: the usual hours that forecasts lean on are not kept."
CUT = "A UTC day that the time zone's midnight cuts is divided by time, not by its hours."
BACKFILLED = "Backfilled days count as known 24 hours after they ended, by the figures they have now."

WindowSpend = Mapping[Window, Mapping[Cell, Spend]]


def replay_budget(budget: Resource[Budget], recorded: Recorded, first: date, last: date, note: Progress) -> Result:
    """Assesses the budget at the end of every day from `first` to `last`, and at thresholds from 50 to 120 %."""
    has_forecasts = has_forecast_thresholds(budget)
    budget = replace(budget, spec=replace(budget.spec, thresholds=_on_spend(budget.spec), enabled=True))
    own = BudgetReplay(budget, recorded)
    swept = _swept(budget, recorded)
    windows, count = Windows(recorded.versions), (last - first).days + 1
    for number in range(count):
        closed = first + number * DAY
        now = midnight(closed + DAY)
        windows.learn_until(closed)
        spend = _spend(own, windows, now)
        for replay in {own, *swept.values()}:
            replay.take(spend, now)
        note((number + 1) / count)
    share, firings = windows.assumed_share(first, last), own.ledger.firings()
    return Result(
        first_day=first,
        last_day=last,
        steps=count,
        tally=tally_of(firings, first, last),
        firings=tuple(firings[-MOST_FIRINGS:]),
        by_scope=tallies_by_scope(firings),
        assumed_share=round(share, 4),
        sweep=tuple(
            SweepRow(f"{percent:f}%", percent in _percents(budget.spec), replay.tally_at(percent, first, last))
            for percent, replay in swept.items()
        ),
        assumptions=_assumptions(budget.spec, share, has_forecasts=has_forecasts),
    )


class BudgetReplay:
    """One set of thresholds of a budget, step after step."""

    def __init__(self, budget: Resource[Budget], recorded: Recorded) -> None:
        self.budget = budget
        self.ledger = Ledger(self._describe)
        self._recorded = recorded
        self._crossings: dict[tuple[ScopeKey, datetime, str, str], Crossing] = {}
        self._crossed: list[tuple[str, bool]] = []

    def known(self, now: datetime) -> Known:
        """The state at this step, as if the bill had just been read."""
        return Known(
            crossings=list(self._crossings.values()),
            open_alerts=self.ledger.open_alerts,
            names=self._recorded.names,
            now=now,
            read_at=now,
            billed_at=now,
            simulated=self._recorded.simulated,
        )

    def tally_at(self, percent: Decimal, first: date, last: date) -> BacktestTally:
        """The result of one threshold: each crossing of it would have been an alert of its own."""
        counts = Counter(late for threshold, late in self._crossed if threshold == _threshold(percent).key)
        alerts = counts.total()
        return BacktestTally(alerts, alerts, counts[True], per_month(alerts, first, last), ZERO)

    def take(self, spend: WindowSpend, now: datetime) -> None:
        self._forget_before(min((window.start for window in spend), default=now))
        spend, known = moved(self.budget, spend, self.known(now))
        findings = assess(self.budget, spend, known)
        findings += budget_endings({self.budget.id: self.budget}, findings, known)
        for move, alert_id in self.ledger.carry_out(findings, now):
            for crossing in move.finding.released:
                self._crossings.pop(_key(crossing), None)
            for crossing in move.finding.crossings:
                evidence = move.finding.evidence
                self._crossed.append((crossing.threshold, isinstance(evidence, BudgetEvidence) and evidence.late))
                self._crossings[_key(crossing)] = replace(crossing, alert_id=alert_id)

    def _forget_before(self, start: datetime) -> None:
        """Crossings of periods that are over. A rolling budget has no such periods."""
        if self.budget.spec.period.kind is not PeriodKind.ROLLING:
            self._crossings = {key: one for key, one in self._crossings.items() if one.period_start >= start}

    def _describe(self, event: AlertEvent) -> Firing:
        evidence = event.alert.evidence
        assert isinstance(evidence, BudgetEvidence)
        closed = event.at.date() - DAY
        ended = (evidence.period.end - DAY).date()
        return Firing(
            at=event.at,
            day=min(closed, ended),
            scope=event.alert.scope,
            name=evidence.scope_name,
            severity=event.alert.severity,
            raised=event.command is Command.RAISE,
            actual=evidence.spent,
            expected=evidence.level,
            unit="US dollars",
            cause=f"{evidence.scope_name} had spent {evidence.spent.display()} of {evidence.amount.display()} in "
            f"{evidence.period_label}.",
            late=evidence.late,
            threshold=evidence.threshold,
        )


def _spend(own: BudgetReplay, windows: Windows, now: datetime) -> dict[Window, dict[Cell, Spend]]:
    rolling = own.budget.spec.period.kind is PeriodKind.ROLLING
    slots = {
        window: "rolling" if rolling else str(window.start) for window in live_windows([own.budget], own.known(now))
    }
    windows.keep(slots.values())
    return {window: windows.spend(window, slot, now) for window, slot in slots.items()}


def _key(crossing: Crossing) -> tuple[ScopeKey, datetime, str, str]:
    return crossing.scope, crossing.period_start, crossing.threshold, crossing.terms


def _on_spend(budget: Budget) -> tuple[Threshold, ...]:
    return tuple(one for one in budget.thresholds if one.basis is ThresholdBasis.ACTUAL)


def _swept(budget: Resource[Budget], recorded: Recorded) -> dict[Decimal, BudgetReplay]:
    """One replay serves all levels, except of a rolling budget: there one level's crossing delays the next one's."""
    if budget.spec.period.kind is PeriodKind.ROLLING:
        return {percent: _at(budget, (percent,), recorded) for percent in SWEPT}
    return dict.fromkeys(SWEPT, _at(budget, SWEPT, recorded))


def _at(budget: Resource[Budget], percents: Sequence[Decimal], recorded: Recorded) -> BudgetReplay:
    thresholds = tuple(_threshold(percent) for percent in percents)
    return BudgetReplay(replace(budget, spec=replace(budget.spec, thresholds=thresholds)), recorded)


def _threshold(percent: Decimal) -> Threshold:
    return Threshold(Severity.WARNING, percent=percent)


def _percents(budget: Budget) -> Sequence[Decimal | None]:
    return [threshold.percent for threshold in budget.thresholds]


def _assumptions(budget: Budget, assumed_share: float, *, has_forecasts: bool) -> tuple[str, ...]:
    said = [*ASSUMED]
    if has_forecasts:
        said.append(FORECAST_LEFT_OUT)
    if budget.period.timezone != "UTC":
        said.append(CUT)
    if assumed_share > 0:
        said.append(BACKFILLED)
    return tuple(said)
