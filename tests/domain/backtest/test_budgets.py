from __future__ import annotations

from dataclasses import replace
from datetime import date

from service.domain.backtest.backtest import Result
from service.domain.backtest.budgets import replay_budget
from service.domain.backtest.history import Recorded
from service.domain.budgets.budget import Budget
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.scopes import Dimension
from service.domain.values.utc import midnight
from tests.domain.backtest.pasts import day, past, version
from tests.factories import budget, forecast_percent, percent, resource

DAYS = 60
"""September and October 2026 but for the last day; $50.00 each."""


def replayed(spec: Budget, recorded: Recorded | None = None) -> Result:
    return replay_budget(resource("bud_1", spec), recorded or past(DAYS), day(1), day(DAYS), lambda progress: None)


def found(result: Result) -> list[tuple[date, str | None, bool]]:
    return [(one.day, one.threshold, one.raised) for one in result.firings]


def test_each_threshold_fires_on_the_day_that_crosses_it_in_each_period() -> None:
    result = replayed(budget("1000.00", percent(50), percent(100)))
    assert found(result) == [
        (date(2026, 9, 10), "actual:50%", False),
        (date(2026, 9, 20), "actual:100%", True),
        (date(2026, 10, 10), "actual:50%", False),
        (date(2026, 10, 20), "actual:100%", True),
    ]
    assert result.firings[0].at == midnight(date(2026, 9, 11))
    assert (result.tally.alerts, result.tally.firings) == (2, 4)


def test_the_sweep_says_how_often_each_level_would_ring() -> None:
    result = replayed(budget("1400.00", percent(100)))
    rung = {row.setting: row.tally.alerts for row in result.sweep}
    assert rung["100%"] == result.tally.alerts == 2
    assert (rung["50%"], rung["110%"], rung["120%"]) == (2, 0, 0)
    assert [row.setting for row in result.sweep if row.configured] == ["100%"]


def test_a_bill_that_grew_after_the_periods_end_fires_late() -> None:
    recorded = past(DAYS, version(30, "600.00", known=32))
    result = replayed(budget("2000.00", percent(100)), recorded)
    (fired,) = result.firings
    assert (fired.late, fired.at) == (True, midnight(day(33)))
    assert fired.day == date(2026, 9, 30)


def test_a_rolling_budget_is_replayed_as_it_slides() -> None:
    rolling = PeriodSpec(PeriodKind.ROLLING, days=7)
    result = replayed(budget("400.00", percent(100), period=rolling), past(DAYS, special={30: "150.00"}))
    assert [one.day for one in result.firings] == [day(30)]


def test_days_cut_by_the_zones_midnight_are_divided_and_the_answer_says_so() -> None:
    berlin = PeriodSpec(PeriodKind.MONTHLY, timezone="Europe/Berlin")
    result = replayed(budget("1000.00", percent(50), period=berlin))
    assert any("time zone" in sentence for sentence in result.assumptions)
    assert result.firings[-1].day == date(2026, 10, 10)


def test_every_member_of_a_repeated_budget_has_its_own_firings() -> None:
    result = replayed(budget("1000.00", percent(100), for_each=Dimension.WORKSPACE))
    assert {str(one.scope) for one in result.firings} == {"workspace:wrkspc_eng"}
    assert result.by_scope[0].alerts == 2


def test_thresholds_on_forecast_are_left_out_and_the_answer_says_so() -> None:
    result = replayed(budget("1000.00", forecast_percent(100)))
    assert result.firings == ()
    assert any("forecast" in sentence for sentence in result.assumptions)


def test_backfilled_history_is_all_assumed() -> None:
    backfilled = [replace(one, assumed=True) for one in past(DAYS).versions]
    assert replayed(budget("1000.00"), Recorded("src_1", backfilled, {})).assumed_share == 1.0
