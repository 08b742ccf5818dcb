"""A forecast's message says at once where it is heading, how sure that is, and when the money is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from service.domain.alerts.alert import Command, Reason
from service.domain.alerts.evidence import BudgetEvidence, ForecastEvidence
from service.domain.forecasts.forecast import ForecastMethod
from service.domain.messages.forecast import about
from service.domain.messages.message import describe
from service.domain.notify.notification import Action
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.severity import Severity
from tests.factories import utc
from tests.sample_alerts import AHEAD, ALERT, EVIDENCE, FORECAST, event, message

SENTENCE = "will probably be exceeded: $1,240 by 31 Oct (80% range $1,110-1,390)"
BUDGET = "Budget eng monthly (workspace Research)"


def ahead(evidence: BudgetEvidence = AHEAD, command: Command = Command.OPEN, reason: Reason = Reason.FIRST) -> str:
    actions = {Command.AMEND: Action.AMEND, Command.RAISE: Action.RAISE, Command.RESOLVE: Action.RESOLVE}
    return message(event(command, reason, evidence=evidence), actions.get(command, Action.OPEN)).change


def summary(forecast: ForecastEvidence, **changes: object) -> str:
    evidence = replace(AHEAD, forecast=forecast, **changes)  # type: ignore[arg-type]
    return message(event(evidence=evidence)).summary.splitlines()[0]


def test_the_headline_says_it_all_in_one_sentence() -> None:
    assert message(event(evidence=AHEAD)).headline == f"{BUDGET} {SENTENCE}"


def test_below_the_whole_budget_the_headline_says_which_level() -> None:
    evidence = replace(AHEAD, threshold="forecast:80%", level=Money.of("800"))
    assert message(event(evidence=evidence)).headline == (
        f"{BUDGET} will probably reach 80% of the budget ($800): $1,240 of $1,000 by 31 Oct (80% range $1,110-1,390)"
    )


def test_the_summary_says_what_each_day_may_cost_from_now_on() -> None:
    assert summary(FORECAST) == (
        "Used so far $412 (41%). Used up Sat 24 Oct at this pace."
        " Stays under 100% if the rest averages $33.40 a day (now $46.90)."
    )


def test_on_the_last_day_nothing_is_averaged_any_more() -> None:
    ends = Window(utc("2026-10-01"), utc("2026-10-15"))
    assert "averages" not in summary(FORECAST, period=ends)


def test_the_description_also_says_what_is_spent_so_far() -> None:
    assert describe(replace(ALERT, evidence=AHEAD)) == (
        f"{BUDGET} {SENTENCE}. Used so far $412 (41%). Used up Sat 24 Oct at this pace. "
        "Top: model claude-opus-4-5 $9.10 (2%)."
    )


def test_the_facts_name_the_holidays_that_less_is_expected_of() -> None:
    days = tuple(date(2026, 10, number) for number in (12, 26))
    ahead = replace(AHEAD, forecast=replace(FORECAST, quiet_days=days))
    assert message(event(evidence=ahead)).facts[0] == (
        "Forecast",
        "from 41 days of history; public holidays to come: Mon 12 Oct, Mon 26 Oct",
    )


def test_the_facts_give_the_history_and_the_spend() -> None:
    assert message(event(evidence=AHEAD)).facts[:6] == (
        ("Forecast", "from 41 days of history"),
        ("Spent", "$412.50, billed"),
        ("Budget", "$1,000 for October 2026"),
        ("Crossed", "100% of the budget ($1,000), by the forecast"),
        ("Largest models", "claude-opus-4-5 $9.10"),
        ("Alert opened", "09:31 UTC, Wed 14 Oct"),
    )


def test_an_alert_on_spend_shows_the_forecast_beside_it() -> None:
    spent = replace(EVIDENCE, amount=Money.of("1000"), spent=Money.of("812.507"), threshold="actual:80%")
    said = message(event(evidence=replace(spent, level=Money.of("800"), forecast=FORECAST)))
    assert said.headline == f"{BUDGET}: 81% used ($812 of $1,000), 18 days left"
    assert said.summary.splitlines()[0] == (
        "At this pace: used up Sat 24 Oct, $1,240 by 31 Oct (80% range $1,110-1,390)."
    )
    over = message(event(evidence=replace(EVIDENCE, forecast=FORECAST)))
    assert over.summary.splitlines()[0] == "At this pace: $1,240 by 31 Oct (80% range $1,110-1,390)."


@pytest.mark.parametrize(
    ("spent", "amount", "mid", "said"),
    [
        ("15402.19", "15400", "15418.20", "At this pace: $15,418 by 31 Oct (80% range $15,410-15,500)."),
        ("15002.19", "15420", "15418.20", "At this pace: not used up, $15,400 by 31 Oct (80% range $15,400-15,500)."),
        ("15002.19", "15390", "15385.20", "At this pace: not used up, $15,385 by 31 Oct (80% range $15,400-15,500)."),
    ],
    ids=["less than is spent", "no line is near", "more than the amount"],
)
def test_no_rounding_takes_a_forecast_over_what_is_spent_or_may_be(
    spent: str, amount: str, mid: str, said: str
) -> None:
    """ "exceeded: $15,402 of $15,400. At this pace: $15,400"."""
    ends = {"mid": Money.of(mid), "low": Money.of("15410.00"), "high": Money.of("15500"), "exhausted_at": None}
    evidence = replace(EVIDENCE, amount=Money.of(amount), level=Money.of(amount), spent=Money.of(spent))
    forecast = replace(FORECAST, **ends)  # type: ignore[arg-type]
    assert message(event(evidence=replace(evidence, forecast=forecast))).summary.splitlines()[0] == said


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        pytest.param({"exhausted_at": None}, " (41%). Stays under", id="not within the period"),
        pytest.param({"exhausted_at": utc("2026-10-24T23:30")}, " Used up Sat 24 Oct at this pace.", id="late"),
    ],
)
def test_the_summary_says_when_it_is_used_up(changes: dict[str, datetime | None], end: str) -> None:
    assert end in summary(replace(FORECAST, **changes))  # type: ignore[arg-type]


def test_what_is_used_up_already_has_no_date() -> None:
    assert summary(FORECAST, spent=Money.of("1000.00")) == "Used so far $1,000 (100%)."


def test_days_are_those_of_the_budget_s_zone() -> None:
    berlin = Window(datetime(2026, 9, 30, 22, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC))
    late = replace(FORECAST, exhausted_at=utc("2026-10-24T22:30"))
    assert "Used up Sun 25 Oct at this pace." in summary(late, timezone="Europe/Berlin", period=berlin)


def test_of_a_day_s_budget_the_hour_is_said() -> None:
    today = Window(utc("2026-10-24"), utc("2026-10-25"))
    assert "Used up Sat 24 Oct at 15:30 UTC at this pace." in summary(FORECAST, period=today)
    elsewhere = summary(FORECAST, period=today, timezone="America/Los_Angeles")
    assert "Used up Sat 24 Oct at 08:30 America/Los_Angeles at this pace." in elsewhere


@pytest.mark.parametrize(
    ("dollars", "shown"),
    [
        ("1238.77", "$1,240"),
        ("999.99", "$1,000"),
        ("123456.78", "$123,000"),
        ("312.47", "$312"),
        ("12.3456", "$12.30"),
        ("1.2355", "$1.24"),
        ("0.0456", "$0.05"),
        ("0.000456", "under $0.01"),
        ("0", "$0.00"),
    ],
)
def test_an_estimate_has_three_digits(dollars: str, shown: str) -> None:
    assert about(Money.of(dollars)) == shown


@pytest.mark.parametrize(
    ("evidence", "command", "reason", "change"),
    [
        (AHEAD, Command.OPEN, Reason.FIRST, ""),
        (
            AHEAD,
            Command.RAISE,
            Reason.RAISED,
            f"Now critical: {BUDGET} {SENTENCE}.",
        ),
        (
            AHEAD,
            Command.AMEND,
            Reason.GREW,
            "The forecast is now $1,240 by 31 Oct (80% range $1,110-1,390).",
        ),
        (
            replace(AHEAD, forecast=replace(FORECAST, mid=Money.of("930"), low=Money.of("880"), released=True)),
            Command.AMEND,
            Reason.RESTATED,
            "The forecast fell below the threshold again: $930 by 31 Oct (80% range $880-1,390).",
        ),
        (
            AHEAD,
            Command.RESOLVE,
            Reason.INHIBITED,
            "Resolved: spend itself has crossed a threshold of this budget, and has its own alert.",
        ),
        (
            AHEAD,
            Command.RESOLVE,
            Reason.PERIOD_CLOSED,
            "Period closed: eng monthly (workspace Research) ended October 2026 at $412, within its $1,000.",
        ),
    ],
)
def test_the_change_says_what_just_happened(
    evidence: BudgetEvidence, command: Command, reason: Reason, change: str
) -> None:
    assert ahead(evidence, command, reason) == change


def test_of_a_period_that_is_over_it_says_what_it_came_to() -> None:
    over = replace(FORECAST, method=ForecastMethod.FINISHED, mid=Money.of("990"))
    said = message(event(evidence=replace(AHEAD, spent=Money.of("990.00"), forecast=over)))
    assert said.headline == f"{BUDGET} ended at $990 of $1,000 in October 2026"
    assert "Forecast" not in dict(said.facts)


def test_an_alert_keeps_its_severity_in_the_state() -> None:
    said = message(event(alert=replace(ALERT, severity=Severity.WARNING, evidence=AHEAD)))
    assert said.small_print[0] == "warning, firing"
