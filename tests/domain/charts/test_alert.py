"""What an alert's chart shows, and its specification."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, cast

import pytest

from service.domain.alerts.evidence import BudgetEvidence, ForecastEvidence, KeptBucket, RuleEvidence
from service.domain.charts.alert import anomaly_chart, budget_chart, rule_chart, spend_so_far
from service.domain.charts.chart import Chart, Series, Theme
from service.domain.charts.palettes import PALETTES
from service.domain.charts.specification import specification
from service.domain.forecasts.forecast import ForecastMethod
from service.domain.messages.kinds.rule import RuleWords
from service.domain.rules.rule import DOLLARS_A_DAY, DOLLARS_AN_HOUR
from service.domain.spend.best_known import Basis
from service.domain.values.money import Money
from service.domain.values.periods import Window
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
        Money.of("110.00"), Money.of("130.00"), Money.of("150.00"), ForecastMethod.WEEKDAY_LEVEL, 60, None
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
MONTH = (
    *(KeptBucket(utc("2026-11-01") + n * DAY, Money.of("10.00")) for n in range(4)),
    KeptBucket(utc("2026-11-05"), Money.of("2.50")),
)
FRIDAYS = {
    date(2026, 10, 16) + n * DAY: Money.of("2.00" if (date(2026, 10, 16) + n * DAY).weekday() > 4 else f"{10 + n % 3}")
    for n in range(28)
} | {date(2026, 11, 13): Money.of("90.00")}

BUDGET_CHART = budget_chart(BUDGET, MONTH, utc("2026-11-05T06:00"))
AT = utc("2026-11-14T12:30")
RULE_CHART = rule_chart(RULE, FRIDAYS, AT)


def test_a_budgets_spend_adds_up_to_what_the_alert_says() -> None:
    assert [str(point.amount) for point in BUDGET_CHART.actual] == ["0.00", "10.00", "20.00", "30.00", "40.00", "42.50"]
    assert BUDGET_CHART.actual[0].at == BUDGET.period.start
    assert BUDGET_CHART.actual[-1].at == utc("2026-11-05T06:00")
    assert BUDGET_CHART.budget == BUDGET.amount


def test_a_budgets_line_is_on_the_clock_of_its_zone_and_knows_what_came_before_the_first_whole_day() -> None:
    period = Window(utc("2026-11-01T07:00"), utc("2026-12-01T08:00"))
    here = replace(BUDGET, period=period, timezone="America/Los_Angeles")
    chart = budget_chart(here, MONTH[1:], utc("2026-11-05T06:00"))
    assert [(point.at, str(point.amount)) for point in chart.actual] == [
        (utc("2026-11-01T00:00"), "0.00"),
        (utc("2026-11-01T16:00"), "10.00"),
        (utc("2026-11-02T16:00"), "20.00"),
        (utc("2026-11-03T16:00"), "30.00"),
        (utc("2026-11-04T16:00"), "40.00"),
        (utc("2026-11-04T22:00"), "42.50"),
    ]
    assert chart.span == Window(utc("2026-11-01"), utc("2026-12-01"))
    assert chart.forecast[-1].at == utc("2026-12-01")
    assert chart.subtitle[1].endswith("spend so far, America/Los_Angeles")


@pytest.mark.parametrize(
    ("period", "shown"),
    [
        (BUDGET.period, ["17.00", "25.50"]),
        (Window(utc("2026-11-01"), utc("2026-11-02")), ["17.00", "25.50"]),
    ],
    ids=["days that add up to more", "hours"],
)
def test_buckets_share_what_the_alert_says(period: Window, shown: list[str]) -> None:
    amounts = {utc("2026-11-01T01:00"): Money.of("60.00"), utc("2026-11-01"): Money.of("40.00")}
    kept = spend_so_far(replace(BUDGET, period=period), amounts)
    assert [str(one.amount) for one in kept] == shown
    assert kept[0].start == utc("2026-11-01")


def test_days_that_add_up_to_less_stay_as_they_are_and_a_refund_is_seen() -> None:
    amounts = {utc("2026-11-01"): Money.of("50.00"), utc("2026-11-02"): Money.of("-7.50")}
    kept = spend_so_far(BUDGET, amounts)
    assert [one.amount for one in kept] == list(amounts.values())
    line = budget_chart(BUDGET, kept, utc("2026-11-03")).actual
    assert [str(point.amount) for point in line] == ["0.00", "50.00", "42.50"]


def test_the_days_of_a_long_period_are_put_together() -> None:
    year = replace(BUDGET, period=Window(utc("2026-01-01"), utc("2027-01-01")), spent=Money.of("300.00"))
    kept = spend_so_far(year, {utc("2026-01-01") + n * DAY: Money.of("1.00") for n in range(300)})
    assert len(kept) == 60
    assert Money.total(one.amount for one in kept if one.amount) == year.spent


def test_a_budgets_chart_shows_the_whole_period_and_a_short_one_by_the_hour() -> None:
    def axis(period: Window) -> Any:
        chart = budget_chart(replace(BUDGET, period=period), (), utc("2026-11-01T06:00"))
        written = cast("dict[str, Any]", specification(chart, Theme.LIGHT))
        return written["layer"][0]["encoding"]["x"]

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


@pytest.mark.parametrize(("actual", "shown"), [("109.638", "$109"), ("99.634", "$99.63")])
def test_a_rules_chart_says_the_very_dollars_of_the_message(actual: str, shown: str) -> None:
    told = replace(RULE, actual=Money.of(actual), expected=Money.of("20.846"))
    line = f"{shown} where $20.84 was expected"
    assert (rule_chart(told, FRIDAYS, AT).subtitle[0], anomaly_chart(told, [], AT).subtitle[0]) == (line, line)
    assert RuleWords(told).headline() == f"Workspace eng: {shown} on Fri 13 Nov, normally $20.84"


def kept(start: datetime, amount: str = "11.00") -> KeptBucket:
    return KeptBucket(start, Money.of(amount), *(Money.of(dollars) for dollars in ("12.00", "8.00", "17.00")))


def anomaly(unit: str = DOLLARS_A_DAY) -> Chart:
    """The last bucket but one rang, the first was too young to be judged, the third is not known."""
    end, bucket = utc("2026-11-14T12:00") if unit == DOLLARS_AN_HOUR else utc("2026-11-15"), BUCKETS[unit]
    judged = [kept(end - back * bucket, "90.00" if back == 2 else "11.00") for back in range(20, 0, -1)]
    judged[0] = replace(judged[0], expected=None, low=None, high=None)
    judged[2] = replace(judged[2], amount=None)
    return anomaly_chart(replace(RULE, unit=unit), judged, AT)


BUCKETS = {DOLLARS_A_DAY: DAY, DOLLARS_AN_HOUR: timedelta(hours=1)}


def test_an_anomalys_chart_has_the_band_of_every_bucket_that_was_judged() -> None:
    chart = anomaly()
    assert (chart.bucket, chart.usual) == (DAY, ())
    assert chart.actual[-1].at == utc("2026-11-13")  # what came later is not what rang
    assert (len(chart.actual), len(chart.limits), len(chart.expected)) == (18, 18, 18)
    last = chart.limits[-1]
    assert (last.at, last.low, last.mid, last.high) == (
        utc("2026-11-13"),
        *(Money.of(dollars) for dollars in ("8.00", "12.00", "17.00")),
    )
    assert utc("2026-10-28") in {one.at for one in chart.limits} - {one.at for one in chart.actual}
    assert chart.actual[0].at not in {one.at for one in chart.limits}


def test_an_anomalys_words_name_the_range_of_what_rang() -> None:
    assert anomaly().alt == (
        "Daily spend of workspace eng up to 2026-11-13: $90.00 where $12.00 was expected."
        " The expected range was $8.00 to $17.00. On 2026-11-13 workspace eng spent $90.00."
    )
    assert anomaly(DOLLARS_AN_HOUR).alt.startswith("Hourly spend of workspace eng up to 2026-11-13: $90.00")


def test_an_hour_that_rang_is_drawn_among_hours_and_not_on_a_day() -> None:
    chart = anomaly(DOLLARS_AN_HOUR)
    assert chart.bucket == timedelta(hours=1)
    assert chart.actual[-1].at == utc("2026-11-14T11:00")
    written = cast("dict[str, Any]", specification(chart, Theme.LIGHT))
    assert {layer["encoding"]["x"]["axis"]["format"] for layer in written["layer"]} == {"%d %b %H:%M"}
    (bar,) = [row for row in rows(written, Series.FIRED) if row["amount"] == 90.0]
    assert bar["at"] > "2026-11-14T10:00"
    assert bar["end"] < "2026-11-14T11:00"


def rows(written: dict[str, Any], series: Series) -> list[dict[str, Any]]:
    """What is drawn of one series."""
    (layer,) = [one for one in written["layer"] if one["encoding"]["color"]["datum"] == series.value]
    return cast("list[dict[str, Any]]", layer["data"]["values"])


def test_the_day_that_rang_has_its_date_below_it() -> None:
    written = cast("dict[str, Any]", specification(anomaly(), Theme.LIGHT))
    dates = written["layer"][0]["encoding"]["x"]["axis"]["values"]
    assert dates[-1] == "2026-11-13T12:00:00Z"
    assert 4 <= len(dates) <= 7


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("🚀 prod 👩‍💻", "prod"),
        ("<b>*x*</b> <!channel>", "<b>*x*</b> <!channel>"),
        ("مراقبة", "\u2068مراقبة\u2069"),
        ("研究", "研究"),
        ("1️⃣ first ➜ 🇩🇪", "1 first"),
        ("𠮷野", "𠮷野"),
        ("🔥🔥", "…"),
        ("x" * 10_000, "x" * 39 + "…"),
    ],
    ids=[
        "emoji",
        "markup",
        "right to left",
        "Chinese",
        "keycap, arrow and flag",
        "beyond 16 bits",
        "nothing but emoji",
        "10,000 characters",
    ],
)
def test_a_name_is_shown_in_one_line_without_what_no_font_has(name: str, shown: str) -> None:
    chart = rule_chart(replace(RULE, rule_name=name), FRIDAYS, AT)
    assert chart.subtitle[1] == f"{shown}: spend by UTC day"
    assert budget_chart(replace(BUDGET, budget_name=name), MONTH, utc("2026-11-05")).subtitle[1].startswith(shown)
    assert chart.title == "workspace eng, Fri 13 Nov"


def test_an_hours_expectation_is_not_drawn_on_a_day() -> None:
    assert rule_chart(replace(RULE, unit="US dollars an hour"), FRIDAYS, AT).expected == ()


@pytest.mark.parametrize("unit", [DOLLARS_A_DAY, DOLLARS_AN_HOUR])
def test_what_fired_is_drawn_from_the_evidence_where_nothing_else_knows_it(unit: str) -> None:
    hour = utc("2026-11-13T13:00") if unit == DOLLARS_AN_HOUR else None
    start = hour or utc("2026-11-13")
    known = [kept(start - back * BUCKETS[unit]) for back in range(5, 0, -1)]
    chart = anomaly_chart(replace(RULE, unit=unit, hour=hour), known, AT)
    assert (chart.actual[-1].at, chart.actual[-1].amount) == (start, RULE.actual)
    assert chart.fired == (start,)
    assert chart.expected[-1].amount == RULE.expected
    assert chart.span is not None
    assert chart.span.end == start + BUCKETS[unit]
    restated = [*known, kept(start)]
    assert anomaly_chart(replace(RULE, unit=unit, hour=hour), restated, AT).actual == chart.actual


def test_an_hour_that_fired_stands_at_its_place_among_later_ones() -> None:
    hour = utc("2026-11-13T13:00")
    later = [kept(hour + after * timedelta(hours=1)) for after in (-1, 1, 2)]
    chart = anomaly_chart(replace(RULE, unit=DOLLARS_AN_HOUR, hour=hour), later, AT)
    assert [point.at for point in chart.actual] == [hour + after * timedelta(hours=1) for after in (-1, 0, 1, 2)]
    assert chart.title == "workspace eng, Fri 13 Nov 13:00-14:00 UTC"


def test_another_rules_day_stays_as_it_fired_when_its_bill_is_restated() -> None:
    restated = FRIDAYS | {date(2026, 11, 13): Money.of("3.00")}
    assert rule_chart(RULE, restated, AT).actual == RULE_CHART.actual


def test_a_day_that_is_not_over_is_an_outline_with_stripes() -> None:
    def marks(at: str) -> list[tuple[str, float]]:
        written = cast("dict[str, Any]", specification(rule_chart(RULE, FRIDAYS, utc(at)), Theme.LIGHT))
        fired = [one for one in written["layer"] if one["encoding"]["color"]["datum"] == Series.FIRED.value]
        return [(one["mark"]["type"], one["mark"].get("fillOpacity", 1)) for one in fired]

    assert marks("2026-11-13T15:00") == [("rect", 0.25), ("rect", 1), ("rule", 1)]
    assert marks("2026-11-14T00:00") == [("rect", 1)]


def test_the_band_is_behind_the_bars() -> None:
    written = cast("dict[str, Any]", specification(anomaly(), Theme.LIGHT))
    drawn = [layer["encoding"]["color"]["datum"] for layer in written["layer"]]
    assert drawn.index(Series.LIMITS.value) < drawn.index(Series.ACTUAL.value) < drawn.index(Series.FIRED.value)


def test_a_budgets_line_has_its_amount_above_its_beginning() -> None:
    written = cast("dict[str, Any]", specification(BUDGET_CHART, Theme.LIGHT))
    halo, name = [layer for layer in written["layer"] if "text" in layer["encoding"]]
    assert (name["data"], name["mark"]["baseline"], name["mark"]["dy"]) == (halo["data"], "bottom", -5)
    assert name["data"]["values"] == [{"at": "2026-11-01T00:00:00Z", "amount": 100.0, "name": "Budget $100"}]
    assert halo["encoding"]["stroke"]["value"] == PALETTES[Theme.LIGHT].background
    assert BUDGET_CHART.title == "workspace eng, November 2026"


def test_a_title_that_is_too_long_has_its_time_in_a_line_of_its_own() -> None:
    hour = replace(
        RULE, unit=DOLLARS_AN_HOUR, hour=utc("2026-11-13T13:00"), scope_name="API key support-bot, of support-eng"
    )
    written = cast("dict[str, Any]", specification(anomaly_chart(hour, [], AT), Theme.LIGHT))
    assert written["title"]["text"] == ["API key support-bot, of support-eng,", "Fri 13 Nov 13:00-14:00 UTC"]
    assert cast("dict[str, Any]", specification(RULE_CHART, Theme.LIGHT))["title"]["text"] == RULE_CHART.title


def test_few_days_are_not_called_usual() -> None:
    assert (
        rule_chart(RULE, {date(2026, 11, 12): Money.of("1.00"), date(2026, 11, 13): Money.of("90.00")}, AT).usual == ()
    )


def test_the_words_for_who_cannot_see_it_hold_the_figures() -> None:
    assert BUDGET_CHART.alt == (
        "Spend of workspace eng, November 2026: $42.50 of $100.00, 42%."
        " The forecast of the period's end is $130.00, between $110.00 and $150.00."
    )
    assert RULE_CHART.alt == (
        "Daily spend of workspace eng up to 2026-11-13: $90.00 where $12.00 was expected."
        " On 2026-11-13 workspace eng spent $90.00."
    )
    simulated = budget_chart(replace(BUDGET, simulated=True), MONTH, utc("2026-11-05"))
    assert simulated.alt.startswith("Simulated data.")
    assert simulated.subtitle[1].startswith("Simulated data.")


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
        (RULE_CHART, [Series.USUAL, Series.EXPECTED, Series.ACTUAL, Series.FIRED]),
        (anomaly(), [Series.LIMITS, Series.EXPECTED, Series.ACTUAL, Series.FIRED]),
    ],
    ids=["budget", "rule", "anomaly"],
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
