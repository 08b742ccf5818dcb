"""When an incident is critical: fast, and spent already or lasting; in organisations of any size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity, observe
from service.domain.rules.rule import Observation, Rule
from service.domain.rules.view import SpendView
from service.domain.values.money import Money
from service.domain.values.scopes import ORGANISATION, Cell, ScopeKey
from service.domain.values.severity import Severity
from tests.domain.rules.spending import (
    DAYS,
    ENG,
    ENG_CI,
    ENG_NEW,
    OPS_BOT,
    a_rule,
    hourly,
    hours,
    steady,
    usual,
    with_days,
    with_hours,
)
from tests.domain.rules.views import view

HOURLY = a_rule(AnomalyGranularity.HOURS)
SMALL = {ENG_CI: 1.0, OPS_BOT: 5.0}
"""Dollars an hour: an organisation of $150 a day."""


def spending(usual: Mapping[Cell, float], extra: Mapping[Cell, float] | None = None, lasting: int = 2) -> SpendView:
    """Even days and hours; in the last hours, `lasting` of them, cells cost so many dollars an hour more."""
    rows = {cell: hourly(dollars) for cell, dollars in usual.items()}
    for cell, dollars in (extra or {}).items():
        for ago in range(1, lasting + 1):
            rows[cell][-ago] += dollars
    days = {cell: [24 * dollars] * DAYS for cell, dollars in usual.items()}
    return with_hours(view(days), hours(rows))


def seen(of: SpendView, scope: ScopeKey = ENG, rule: Rule[Anomaly] = HOURLY) -> Observation:
    return observe(of, rule)[scope]


def test_a_loop_of_ten_times_the_usual_is_critical_in_a_small_organisation() -> None:
    """$9 an hour is no $1,000 a day. It is nine times what the workspace costs, and more than the organisation does."""
    found = seen(spending(SMALL, {ENG_CI: 9.0}))
    assert found.severity is Severity.CRITICAL
    assert found.because == "critical because $17.98 above normal is 12% of a usual day"


def test_the_first_hour_of_it_waits_to_be_confirmed() -> None:
    found = seen(spending(SMALL, {ENG_CI: 9.0}, lasting=1))
    assert found.severity is Severity.WARNING
    assert found.because == "warning until two hours in a row, $250 or 10% of a usual day confirm it"


def test_the_organisation_s_alert_is_as_severe_as_the_loop_that_explains_it() -> None:
    """To the organisation it is one and a half usual days a day, to the workspace nine."""
    loop = spending(SMALL, {ENG_CI: 9.0})
    assert seen(loop, ORGANISATION).severity is Severity.CRITICAL
    spread = spending(SMALL, {ENG_CI: 5.0, OPS_BOT: 5.0})
    assert seen(spread, ORGANISATION).severity is Severity.WARNING


@pytest.mark.parametrize("extra", [2.0, 3.5])
def test_a_busy_hour_of_a_small_organisation_is_not_critical(extra: float) -> None:
    assert seen(spending(SMALL, {ENG_CI: extra})).severity is Severity.WARNING


def test_pennies_are_never_critical() -> None:
    """$3.60 an hour is $86 a day: less than the least speed that is asked for."""
    assert seen(spending({ENG_CI: 0.4, OPS_BOT: 0.4}, {ENG_CI: 3.6})).severity is Severity.WARNING


def test_a_workspace_that_is_small_for_its_organisation_wakes_nobody() -> None:
    """$216 a day more is under a tenth of what an organisation of $5,000 a day spends."""
    assert seen(spending({ENG_CI: 1.0, OPS_BOT: 208.0}, {ENG_CI: 9.0})).severity is not Severity.CRITICAL


def test_a_person_sets_from_which_speed_on_an_incident_may_be_critical() -> None:
    asked = replace(HOURLY, params=replace(HOURLY.params, critical_speed=Money.of("2000")))
    for extra, severity in ((9.0, Severity.WARNING), (60.0, Severity.WARNING), (90.0, Severity.CRITICAL)):
        assert seen(spending(SMALL, {ENG_CI: extra}), rule=asked).severity is severity, extra


def test_one_noisy_hour_of_a_large_organisation_waits_though_it_cost_more_than_a_small_one_s_loop() -> None:
    """$1,000 is a noisy hour of a workspace where a day costs $38,000: 3 % of it. The second hour confirms a loop."""
    large = {ENG_CI: 280.0, OPS_BOT: 1300.0}
    one, two = (seen(spending(large, {ENG_CI: 1000.0}, lasting=lasting)) for lasting in (1, 2))
    assert one.severity is Severity.ERROR
    assert one.because == "error until two hours in a row, $1,896 or 10% of a usual day confirm it"
    assert two.severity is Severity.CRITICAL


def test_what_has_no_past_is_compared_with_nobody_s_usual_day() -> None:
    """A new key may cost what it likes: times its own usual day say nothing yet."""
    young = spending({ENG_CI: 6.0, ENG_NEW: 0.0, OPS_BOT: 1.0}, {ENG_NEW: 12.0})
    assert seen(young, ENG).severity is Severity.WARNING


@pytest.mark.parametrize("beside", [0.5, 5.0, 30.0])
def test_another_workspace_does_not_change_how_severe_a_loop_is(beside: float) -> None:
    assert seen(spending({ENG_CI: 1.0, OPS_BOT: beside}, {ENG_CI: 9.0})).severity is Severity.CRITICAL


def large_days(changed: Mapping[int, float]) -> Observation:
    """A steady workspace of some $23,000 a day; `changed`: times the usual by days ago."""
    days = {ago: 100 * times * usual(ago) for ago, times in changed.items()}
    row = with_days(steady(100.0), {0: 50 * usual(0), **days})
    return seen(view({ENG_CI: row, OPS_BOT: steady(20.0)}, settled=1), rule=a_rule())


def test_a_day_just_above_its_line_waits_for_a_second_however_many_dollars_it_is() -> None:
    """Growth brings such days, $7,000 above normal: nobody is woken for one of them."""
    grown = large_days({1: 1.3})
    assert (grown.severity, grown.because) == (Severity.INFO, "info until a second day in a row confirms it")


def test_a_second_day_in_a_row_confirms_it_though_the_first_has_widened_the_line() -> None:
    one, two = large_days({1: 1.4}), large_days({2: 1.4, 1: 1.4})
    assert one.severity is two.severity is Severity.CRITICAL
    scores = [float(dict(each.inputs)["score"]) for each in (one, two)]
    assert scores[1] < 1.5 < scores[0]
