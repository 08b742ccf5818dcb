"""A budget of many scopes says of each what it says when every one is assessed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest

from service.domain.alerts.crossings import Crossing
from service.domain.budgets.assessment import Assessment, standing
from service.domain.budgets.forecasting import ForecastAssessment, assess_forecasts
from service.domain.budgets.known import Known, ScopePeriod, WindowSpend, by_scope, judged, live_windows
from service.domain.forecasts.forecast import Forecast, Missing, NoForecast
from service.domain.forecasts.watch import Stand, Watch, WatchKey
from service.domain.spend.best_known import Spend
from service.domain.values.money import Money
from service.domain.values.scopes import Cell, Dimension, ScopeKey
from tests.domain.budgets.test_forecasting import day, forecast
from tests.factories import budget, forecast_percent, percent, resource

EACH = resource(
    "bdg_1", replace(budget("100.00", percent(80), percent(100), forecast_percent(90)), for_each=Dimension.WORKSPACE)
)
NOW = day(20)
AMOUNTS = ("0.00", "79.999999999999", "80.00", "80.000000000001", "100.00", "250.00", "-5.00", *["1.00"] * 9)
CELLS = [Cell(f"wrkspc_{n % 30}", f"claude-{n % 4}", f"apikey_{n}") for n in range(60)]


def spent(chance: random.Random) -> Mapping[Cell, Spend]:
    """Credits among the estimates: a scope's parts may lie on both sides of a level."""
    amounts = (Money.of(chance.choice(AMOUNTS)) for _ in iter(int, 1))
    return {cell: Spend(next(amounts), chance.choice([Money.of("0.00"), next(amounts)])) for cell in CELLS}


def crossed(chance: random.Random, spend: WindowSpend) -> list[Crossing]:
    found = standing(EACH, spend, Known([], [], {}, NOW))
    return [
        crossing for one in found if chance.random() < 0.4 if (made := one.finding()) for crossing in made.crossings
    ]


@pytest.mark.parametrize("seed", range(12))
def test_of_scopes_that_are_passed_over_nothing_stands(seed: int) -> None:
    chance = random.Random(seed)
    windows = live_windows([EACH], Known([], [], {}, NOW))
    spend = {window: spent(chance) for window in windows}
    known = Known(crossed(chance, {window: spent(chance) for window in windows}), [], {}, NOW)
    every = [
        Assessment(judge, period, scope, cells, known, spend)
        for judge, period in judged(EACH, known)
        for scope, cells in by_scope(judge, spend[period.window], known)
    ]
    expected = [one for one in every if one.held or one.refuted]
    found = standing(EACH, spend, known)
    assert [(one.scope, one.held, one.refuted) for one in found] == [
        (one.scope, one.held, one.refuted) for one in expected
    ]
    assert 0 < len(found) < len(every)


@pytest.mark.parametrize("seed", range(12))
def test_of_forecasts_that_are_passed_over_there_is_nothing_to_say(seed: int) -> None:
    chance = random.Random(seed)
    windows = live_windows([EACH], Known([], [], {}, NOW))
    spend = {window: spent(chance) for window in windows}
    scopes = [ScopeKey(Dimension.WORKSPACE, f"wrkspc_{n}") for n in range(30)]
    known = Known(
        crossed(chance, {window: spent(chance) for window in windows}),
        [],
        {},
        NOW,
        forecasts={ScopePeriod("bdg_1", scope, window): made(chance) for scope in scopes for window in windows},
        watches=dict(stood(chance, scope) for scope in chance.sample(scopes, 6)),
    )
    every = [
        ForecastAssessment(judge, period, scope, cells, known)
        for judge, period in judged(EACH, known)
        for scope, cells in by_scope(judge, spend[period.window], known)
    ]
    heading = assess_forecasts(EACH, spend, known, [])
    findings = [told for one in every if (told := one.finding_beside(set())) is not None]
    watches = {key: watch for one in every for key, watch in one.watches.items() if watch.stand is not Stand.BELOW}
    assert [repr(one) for one in heading.findings] == [repr(one) for one in findings]
    assert (heading.watches, bool(watches)) == (watches, True)


def made(chance: random.Random) -> Forecast | NoForecast:
    if chance.random() < 0.2:
        return NoForecast(Missing.SHORT_HISTORY, 3)
    return forecast("1.00", chance.choice(["89.99", "90.00", "120.00", "-3.00"]), NOW)


def stood(chance: random.Random, scope: ScopeKey) -> tuple[WatchKey, Watch]:
    (judge, period), *_ = judged(EACH, Known([], [], {}, NOW))
    one = ForecastAssessment(judge, period, scope, {}, Known([], [], {}, NOW))
    (key,) = one.watches
    return key, Watch(chance.choice([Stand.PENDING, Stand.CROSSED]), day(19).date())
