"""The shapes of a burn-up chart."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from service.api.dashboard.budgets.drawing import draw
from service.domain.budgets.budget import Budget, Threshold
from service.domain.budgets.statuses import ScopeStatus
from service.domain.charts.chart import Point, Range
from service.domain.spend.best_known import Spend
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Period, PeriodKind, PeriodSpec, Phase, Window
from service.domain.values.scopes import EVERYTHING, ORGANISATION
from service.domain.values.severity import Severity
from service.workflows.dashboard.burn_up import BurnUp
from tests.factories import utc

MONTH = Window(utc("2026-11-01"), utc("2026-12-01"))


def burn(amount: str, spent: str, *levels: str, ahead: tuple[Range, ...] = ()) -> BurnUp:
    thresholds = tuple(Threshold(Severity.WARNING, amount=Money.of(level)) for level in levels)
    budget = Budget("src_1", EVERYTHING, Money.of(amount), PeriodSpec(PeriodKind.MONTHLY), thresholds)
    status = ScopeStatus(
        ORGANISATION, "the organisation", Period(MONTH, "November 2026"), Phase.OPEN, budget,
        Spend(billed=Money.of(spent)), Decimal(0), ZERO, {}, None,
    )  # fmt: skip
    return BurnUp(status, (Point(MONTH.start, ZERO), Point(utc("2026-11-16"), Money.of(spent))), ahead)


def test_spend_stands_at_its_share_of_the_time_and_of_the_amount() -> None:
    drawn = draw(burn("100.00", "56.00"))
    assert drawn.top == "$112"
    assert drawn.spent == "0.00,100.00 50.00,50.00"
    assert drawn.pace == "0.00,100.00 100.00,10.71"
    assert drawn.now == "50.00"


def test_a_fan_that_is_higher_than_the_budget_fits() -> None:
    end = Range(MONTH.end, Money.of("150.00"), Money.of("180.00"), Money.of("200.00"))
    now = Range(utc("2026-11-16"), *[Money.of("56.00")] * 3)
    drawn = draw(burn("100.00", "56.00", ahead=(now, end)))
    assert drawn.top == "$224"
    assert drawn.fan == "50.00,75.00 100.00,10.71 100.00,33.04 50.00,75.00"


def test_levels_that_are_close_have_one_text_and_far_ones_are_left_to_the_table() -> None:
    drawn = draw(burn("100.00", "90.00", "80.00", "82.00", "99.00", "900.00"))
    shown = [(one.words, one.has_words, one.is_reached) for one in drawn.levels]
    assert shown == [("$99.00", True, False), ("$82.00", True, True), ("$80.00", False, True)]


def test_of_two_at_one_level_the_more_severe_is_drawn() -> None:
    found = burn("100.00", "10.00", "80.00")
    critical = Threshold(Severity.CRITICAL, amount=Money.of("80.00"))
    terms = replace(found.status.terms, thresholds=(critical, *found.status.terms.thresholds))
    (line,) = draw(replace(found, status=replace(found.status, terms=terms))).levels
    assert line.severity == "critical"


def test_a_budget_of_nothing_is_drawn() -> None:
    found = burn("0.00", "0.00")
    assert draw(replace(found, spent=(Point(MONTH.start, ZERO), Point(MONTH.end, ZERO)))).now == ""
