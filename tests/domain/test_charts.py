"""What an alert's chart shows, and its specification."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, cast

import pytest

from service.domain.alert_charts import budget_chart, rule_chart
from service.domain.alerts import BudgetEvidence, ForecastEvidence, RuleEvidence
from service.domain.charts import PALETTES, Series, Theme, specification
from service.domain.forecasts.forecast import Method
from service.domain.money import Money
from service.domain.periods import Window
from service.domain.spend import Basis
from tests.factories import utc

DAY = timedelta(days=1)
BUDGET = BudgetEvidence(
    budget_id="bud_1",
    budget_name="eng monthly",
    scope_name="workspace eng",
    amount=Money.of("100.00"),
    spent=Money.of("42.50"),
    basis=Basis.BILLED,
    threshold="actual:40",
    level=Money.of("40.00"),
    period=Window(utc("2026-11-01"), utc("2026-12-01")),
    period_label="November 2026",
    timezone="UTC",
    forecast=ForecastEvidence(
        Money.of("110.00"), Money.of("130.00"), Money.of("150.00"), Method.WEEKDAY_LEVEL, 60, None
    ),
)
RULE = RuleEvidence(
    rule_id="rule_1",
    rule_name="unusual spend",
    rule_kind="anomaly",
    scope_name="workspace eng",
    actual=Money.of("90.00"),
    expected=Money.of("12.00"),
    unit="US dollars a day",
    cause="On 2026-11-13 workspace eng spent $90.00.",
    inputs=(),
    days=(date(2026, 11, 13),),
)
MONTH = {utc("2026-11-02") + n * DAY: Money.of("10.00") for n in range(4)}
FRIDAYS = {
    date(2026, 10, 16) + n * DAY: Money.of("2.00" if (date(2026, 10, 16) + n * DAY).weekday() > 4 else f"{10 + n % 3}")
    for n in range(28)
} | {date(2026, 11, 13): Money.of("90.00")}

BUDGET_CHART = budget_chart(BUDGET, MONTH, utc("2026-11-05T06:00"))
RULE_CHART = rule_chart(RULE, FRIDAYS)


def test_a_budgets_spend_adds_up_to_what_the_alert_says() -> None:
    assert [str(point.amount) for point in BUDGET_CHART.actual] == ["0.00", "10.00", "20.00", "30.00", "40.00", "42.50"]
    assert BUDGET_CHART.actual[0].at == BUDGET.period.start
    assert BUDGET_CHART.actual[-1].at == utc("2026-11-05T06:00")
    assert BUDGET_CHART.budget == BUDGET.amount


def test_what_is_known_since_does_not_rise_above_what_the_alert_says() -> None:
    chart = budget_chart(replace(BUDGET, spent=Money.of("35.00")), MONTH, utc("2026-11-05T06:00"))
    assert [str(point.amount) for point in chart.actual][-2:] == ["35.00", "35.00"]


def test_a_budgets_chart_shows_the_whole_period_and_a_short_one_by_the_hour() -> None:
    def axis(period: Window) -> Any:
        chart = budget_chart(replace(BUDGET, period=period), {}, utc("2026-11-01T06:00"))
        written = cast("dict[str, Any]", specification(chart, Theme.LIGHT))
        return written["layer"][-2]["encoding"]["x"]

    month, day = axis(BUDGET.period), axis(Window(utc("2026-11-01"), utc("2026-11-02")))
    assert month["scale"]["domain"] == ["2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"]
    assert "%H" in day["axis"]["format"]
    assert "%H" not in month["axis"]["format"]


def test_the_forecast_begins_where_spend_ends_and_ends_with_the_period() -> None:
    now, end = BUDGET_CHART.forecast
    assert (now.at, now.low, now.high) == (utc("2026-11-05T06:00"), Money.of("42.50"), Money.of("42.50"))
    assert (end.at, end.mid) == (BUDGET.period.end, Money.of("130.00"))
    assert (end.low, end.high) == (Money.of("110.00"), Money.of("150.00"))


def test_nothing_is_forecast_of_a_period_that_is_over() -> None:
    assert budget_chart(BUDGET, MONTH, utc("2026-12-02")).forecast == ()
    assert budget_chart(replace(BUDGET, forecast=None), MONTH, utc("2026-11-05")).forecast == ()


def test_a_rules_chart_says_what_was_expected_and_what_is_usual() -> None:
    (expected,) = RULE_CHART.expected
    assert expected.amount == RULE.expected
    friday = next(one for one in RULE_CHART.usual if one.at.date() == date(2026, 11, 13))
    saturday = next(one for one in RULE_CHART.usual if one.at.date() == date(2026, 11, 7))
    assert Money.of("10.00") <= friday.low <= friday.mid <= friday.high <= Money.of("12.00")  # without the judged day
    assert saturday.high == Money.of("2.00")


def test_an_hours_expectation_is_not_drawn_on_a_day() -> None:
    assert rule_chart(replace(RULE, unit="US dollars an hour"), FRIDAYS).expected == ()


def test_few_days_are_not_called_usual() -> None:
    assert rule_chart(RULE, {date(2026, 11, 12): Money.of("1.00"), date(2026, 11, 13): Money.of("90.00")}).usual == ()


def test_the_words_for_who_cannot_see_it_hold_the_figures() -> None:
    assert BUDGET_CHART.alt == (
        "Spend of workspace eng in November 2026: $42.50 of $100.00, 42.5 %."
        " The forecast of the period's end is $130.00, between $110.00 and $150.00."
    )
    assert RULE_CHART.alt == (
        "Daily spend of workspace eng up to 2026-11-13: $90.00 where $12.00 was expected."
        " On 2026-11-13 workspace eng spent $90.00."
    )
    simulated = budget_chart(replace(BUDGET, simulated=True), MONTH, utc("2026-11-05"))
    assert simulated.alt.startswith("Simulated data.")
    assert simulated.subtitle.startswith("Simulated data.")


@pytest.mark.parametrize("theme", Theme)
def test_the_specification_is_json_with_its_data_inside(theme: Theme) -> None:
    written = json.loads(json.dumps(specification(BUDGET_CHART, theme)))
    assert written["description"] == BUDGET_CHART.alt
    assert written["background"] == PALETTES[theme].background
    assert "url" not in json.dumps(written["layer"])
    amounts = [row.get("amount") for layer in written["layer"] for row in layer["data"]["values"]]
    assert 42.5 in amounts
    assert 100.0 in amounts


@pytest.mark.parametrize(
    ("chart", "series"),
    [
        (BUDGET_CHART, [Series.FORECAST, Series.ACTUAL, Series.BUDGET]),
        (RULE_CHART, [Series.USUAL, Series.EXPECTED, Series.ACTUAL]),
    ],
    ids=["budget", "rule"],
)
def test_the_legend_names_what_is_drawn_and_nothing_else(chart: Any, series: list[Series]) -> None:
    written = cast("dict[str, Any]", specification(chart, Theme.LIGHT))
    legend = written["encoding"]["color"]["scale"]["domain"]
    drawn = {layer["encoding"]["color"]["datum"] for layer in written["layer"]}
    assert legend == [one.value for one in series]
    assert drawn == set(legend)


@pytest.mark.parametrize("theme", Theme)
def test_every_colour_stands_out_from_its_background(theme: Theme) -> None:
    """WCAG 2: 4.5 for text, 3 for parts of a picture."""
    palette = PALETTES[theme]
    assert min(contrast(palette.text, palette.background), contrast(palette.quiet, palette.background)) >= 4.5
    assert min(contrast(colour, palette.background) for colour in palette.series.values()) >= 3


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
