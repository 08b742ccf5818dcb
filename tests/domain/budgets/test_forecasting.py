"""Thresholds on forecast against forecasts: what rings, what holds, what gives way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from service.domain.alerts.alert import Alert, AlertState, Reason
from service.domain.alerts.crossings import Crossing
from service.domain.alerts.evidence import BudgetEvidence
from service.domain.alerts.findings import Finding
from service.domain.alerts.reconcile import execute, reconcile
from service.domain.budgets.assessment import assess, budget_endings
from service.domain.budgets.budget import Budget
from service.domain.budgets.forecasting import assess_forecasts
from service.domain.budgets.known import Known, ScopePeriod, live_windows
from service.domain.forecasts.forecast import Forecast, ForecastMethod, Missing, NoForecast, Path
from service.domain.forecasts.watch import Stand, Watch, WatchKey
from service.domain.spend.best_known import Spend
from service.domain.values.money import Money
from service.domain.values.periods import Window, period_at
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION, Cell
from service.domain.values.severity import Severity
from tests.factories import billed, budget, cell, forecast_percent, percent, resource, utc

NOVEMBER = Window(utc("2026-11-01"), utc("2026-12-01"))
BOTH = budget("100.00", percent(80), percent(100, Severity.CRITICAL), forecast_percent(100))


class Memory:
    """What the store would remember of one budget; every evaluation is carried out."""

    def __init__(self, spec: Budget = BOTH) -> None:
        self.budget: Resource[Budget] = resource("bdg_1", spec)
        self.crossings: list[Crossing] = []
        self.alerts: dict[str, Alert] = {}
        self.watches: Mapping[WatchKey, Watch] = {}
        november = period_at(spec.period, day(5))
        assert november is not None
        self.window = november.window

    def evaluate(self, now: datetime, spent: str, mid: str | None) -> list[tuple[str, Reason]]:
        """The moves: command or "none", and reason. A mid of None: no forecast."""
        made = NoForecast(Missing.SHORT_HISTORY, 3) if mid is None else forecast(spent, mid, now)
        place = ScopePeriod(self.budget.id, ORGANISATION, self.window)
        still_open = [alert for alert in self.alerts.values() if alert.is_open]
        known = Known(self.crossings, still_open, {}, now, forecasts={place: made}, watches=self.watches)
        spend: dict[Window, Mapping[Cell, Spend]] = {
            window: {cell(): billed(spent)} if window == self.window else {}
            for window in live_windows([self.budget], known)
        }
        on_spend = assess(self.budget, spend, known)
        heading = assess_forecasts(self.budget, spend, known, on_spend)
        self.watches = heading.watches
        findings = [*on_spend, *heading.findings]
        findings += budget_endings({self.budget.id: self.budget}, findings, known)
        return [self._carry_out(move.finding, now) for move in reconcile(still_open, findings)]

    def _carry_out(self, finding: Finding, now: datetime) -> tuple[str, Reason]:
        (move,) = reconcile([alert for alert in self.alerts.values() if alert.is_open], [finding])
        event = execute(move, new_alert_id=f"alert_{len(self.alerts) + 1}", now=now)
        alert_id = event.alert.id if event else ""
        self.crossings += [replace(crossing, alert_id=alert_id) for crossing in finding.crossings]
        if event is not None:
            self.alerts[alert_id] = event.alert
        basis = finding.fingerprint.split(":")[2]
        return (f"{basis} {move.command or 'none'}", move.reason)

    def resolve(self) -> None:
        """A person ends every open alert."""
        self.alerts = {id: replace(alert, state=AlertState.RESOLVED) for id, alert in self.alerts.items()}


def forecast(spent: str, mid: str, now: datetime) -> Forecast:
    middle = Money.of(mid)
    return Forecast(
        Money.of(spent), middle, middle, middle, ForecastMethod.WEEKDAY_LEVEL, 30, Path((now, NOVEMBER.end), (0.0, 1.0))
    )


def day(number: int, hour: int = 12) -> datetime:
    return utc(f"2026-11-{number:02}T{hour:02}:00")


OPENED = [("forecast open", Reason.FIRST)]
QUIET = [("forecast none", Reason.NOTHING_NEW)]


def rung() -> Memory:
    memory = Memory()
    assert memory.evaluate(day(5), "10.00", "120.00") == []
    assert memory.evaluate(day(6), "12.00", "121.00") == OPENED
    return memory


def test_a_level_rings_on_the_second_day_and_then_holds() -> None:
    memory = rung()
    for number in range(7, 15):
        assert memory.evaluate(day(number), "20.00", "119.00") == QUIET
    assert [(c.threshold, c.basis) for c in memory.crossings] == [("forecast:100%", "forecast")]


def test_the_evidence_keeps_the_range_and_when_it_is_used_up() -> None:
    memory = rung()
    (alert,) = memory.alerts.values()
    assert alert.severity is Severity.WARNING
    assert isinstance(alert.evidence, BudgetEvidence)
    assert alert.evidence.by_forecast
    assert alert.evidence.forecast is not None
    assert str(alert.evidence.forecast.mid) == "121.00"
    assert alert.evidence.forecast.history_days == 30
    assert alert.evidence.forecast.exhausted_at is not None
    assert day(6) < alert.evidence.forecast.exhausted_at < NOVEMBER.end


def test_a_fall_within_the_first_day_begins_again() -> None:
    memory = Memory()
    assert memory.evaluate(day(5), "10.00", "120.00") == []
    assert memory.evaluate(day(5, 18), "10.00", "99.00") == []
    assert memory.evaluate(day(6), "12.00", "120.00") == []
    assert memory.evaluate(day(7), "12.00", "120.00") == OPENED


def test_a_falling_forecast_amends_and_never_resolves_nor_rings_again() -> None:
    memory = rung()
    assert memory.evaluate(day(7), "12.00", "96.00") == [("forecast amend", Reason.RESTATED)]
    assert memory.evaluate(day(8), "12.00", "94.00") == [("forecast amend", Reason.RESTATED)]  # clearly below
    assert memory.evaluate(day(9), "12.00", "99.00") == QUIET
    assert memory.evaluate(day(10), "12.00", "100.00") == QUIET  # a first day above again
    assert memory.evaluate(day(11), "12.00", "101.00") == [("forecast amend", Reason.GREW)]
    assert [alert.is_open for alert in memory.alerts.values()] == [True]


def test_without_a_forecast_nothing_begins_and_nothing_ends() -> None:
    memory = Memory()
    for number in (3, 4, 5):
        assert memory.evaluate(day(number), "12.00", None) == []
    assert memory.watches == {}
    memory = rung()
    assert memory.evaluate(day(8), "12.00", None) == QUIET
    assert {watch.stand for watch in memory.watches.values()} == {Stand.CROSSED}


def test_an_alert_on_spend_ends_the_one_on_forecast_in_the_same_evaluation() -> None:
    memory = rung()
    assert memory.evaluate(day(20), "80.00", "120.00") == [
        ("actual open", Reason.FIRST),
        ("forecast resolve", Reason.INHIBITED),
    ]
    assert memory.evaluate(day(21), "84.00", "120.00") == [("actual none", Reason.NOTHING_NEW)]


def test_while_an_alert_on_spend_is_open_none_on_forecast_is_opened_and_it_shows_the_forecast() -> None:
    memory = Memory()
    memory.evaluate(day(5), "85.00", "200.00")
    assert memory.evaluate(day(6), "86.00", "200.00") == [("actual none", Reason.NOTHING_NEW)]
    assert [c.basis for c in memory.crossings] == ["actual"]
    (alert,) = memory.alerts.values()
    assert isinstance(alert.evidence, BudgetEvidence)
    assert alert.evidence.forecast is not None
    assert str(alert.evidence.forecast.mid) == "200.00"


def test_after_a_person_s_resolve_a_higher_level_may_ring_on_forecast() -> None:
    memory = Memory()
    memory.evaluate(day(5), "85.00", "200.00")
    memory.resolve()
    moves = memory.evaluate(day(6), "86.00", "200.00")
    assert moves == [("actual none", Reason.NOTHING_NEW), ("forecast open", Reason.FIRST)]


def test_a_level_that_spend_itself_has_rung_for_is_no_news_as_a_forecast() -> None:
    memory = Memory()
    memory.evaluate(day(5), "101.00", "200.00")
    memory.resolve()
    assert memory.evaluate(day(6), "102.00", "200.00") == [("actual none", Reason.NOTHING_NEW)]


def test_a_higher_threshold_raises_the_alert() -> None:
    memory = Memory(budget("100.00", forecast_percent(100), forecast_percent(150, Severity.ERROR)))
    memory.evaluate(day(5), "10.00", "120.00")
    assert memory.evaluate(day(6), "10.00", "160.00") == OPENED
    assert memory.evaluate(day(7), "10.00", "160.00") == [("forecast raise", Reason.RAISED)]
    (alert,) = memory.alerts.values()
    assert alert.severity is Severity.ERROR


def test_once_the_period_is_over_nothing_new_is_forecast_and_its_close_resolves() -> None:
    memory = Memory()
    memory.evaluate(day(30), "70.00", "101.00")
    assert memory.evaluate(utc("2026-12-01T01:00"), "71.00", "101.00") == []
    memory = rung()
    assert memory.evaluate(utc("2026-12-02T00:00"), "79.00", None) == [("forecast amend", Reason.RESTATED)]
    assert memory.evaluate(utc("2026-12-04T00:00"), "79.00", None) == [("forecast resolve", Reason.PERIOD_CLOSED)]


@pytest.mark.parametrize(
    ("edited", "reason"),
    [
        pytest.param(budget("100.00", percent(100)), Reason.BUDGET_EDITED, id="the threshold is taken away"),
        pytest.param(budget("500.00", forecast_percent(100)), Reason.BUDGET_EDITED, id="a larger amount"),
        pytest.param(replace(BOTH, enabled=False), Reason.BUDGET_DISABLED, id="disabled"),
    ],
)
def test_an_edit_ends_it(edited: Budget, reason: Reason) -> None:
    memory = rung()
    memory.budget = resource("bdg_1", edited)
    assert memory.evaluate(day(7), "12.00", "121.00") == [("forecast resolve", reason)]


def test_changed_terms_are_watched_anew() -> None:
    memory = rung()
    memory.budget = resource("bdg_1", budget("110.00", forecast_percent(100)))
    assert memory.evaluate(day(7), "12.00", "121.00") == [("forecast resolve", Reason.BUDGET_EDITED)]
    assert memory.evaluate(day(8), "12.00", "121.00") == OPENED


def test_local_days_count() -> None:
    memory = Memory(replace(BOTH, period=replace(BOTH.period, timezone="America/New_York")))
    memory.evaluate(day(5, 23), "10.00", "120.00")
    after_midnight_utc = day(5, 23) + timedelta(hours=2)  # still the 5th in New York
    assert memory.evaluate(after_midnight_utc, "10.00", "120.00") == []
    assert memory.evaluate(day(6, 5), "10.00", "120.00") == OPENED  # its midnight
