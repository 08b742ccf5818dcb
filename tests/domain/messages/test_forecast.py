"""A forecast's message says at once where it is heading, how sure that is, and when the money is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

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

AHEAD_OF_IT = "is heading for $1,240 (between $1,110 and $1,390) of $1,000.00 by 31 October"
SENTENCE = f"{AHEAD_OF_IT}; at this pace it is used up on 24 October"


def ahead(evidence: BudgetEvidence = AHEAD, command: Command = Command.OPEN, reason: Reason = Reason.FIRST) -> str:
    actions = {Command.AMEND: Action.AMEND, Command.RAISE: Action.RAISE, Command.RESOLVE: Action.RESOLVE}
    return message(event(command, reason, evidence=evidence), actions.get(command, Action.OPEN)).change


def headline(forecast: ForecastEvidence, **changes: object) -> str:
    evidence = replace(AHEAD, forecast=forecast, **changes)  # type: ignore[arg-type]
    return message(event(evidence=evidence)).headline


def test_the_headline_says_it_all_in_one_sentence() -> None:
    assert message(event(evidence=AHEAD)).headline == f"eng monthly (workspace Research) {SENTENCE}"


def test_the_summary_also_says_what_is_spent_so_far_and_on_whose_word() -> None:
    assert describe(replace(ALERT, evidence=AHEAD)) == (
        "Workspace Research is heading for $1,240 (between $1,110 and $1,390) of the $1,000.00 budget eng monthly by "
        "31 October; at this pace it is used up on 24 October; $412.50 spent so far (billed); "
        "largest: model claude-opus-4-5 $9.10, API key ci-runner $3.24."
    )


def test_the_facts_give_the_range_the_history_and_the_spend() -> None:
    assert message(event(evidence=AHEAD)).facts[:6] == (
        ("Forecast", "$1,240 by 31 October, four times in five between $1,110 and $1,390, from 41 days of history"),
        ("Used up", "on 24 October, at this pace"),
        ("Spent", "$412.507, 41.2 %, billed"),
        ("Budget", "eng monthly: $1,000.00 for October 2026"),
        ("For", "workspace Research"),
        ("Crossed", "100 % of the budget ($1,000.00), by the forecast"),
    )


def test_an_alert_on_spend_shows_the_forecast_beside_it() -> None:
    said = message(event(evidence=replace(EVIDENCE, forecast=FORECAST)))
    assert said.headline == "eng monthly (workspace Research): $12.34 of $10.00, 123.4 %"
    assert dict(said.facts)["Forecast"].startswith("$1,240 by 31 October")
    assert dict(said.facts)["Used up"] == "already"


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        pytest.param({"exhausted_at": None}, "by 31 October", id="not within the period"),
        pytest.param({"exhausted_at": utc("2026-10-24T23:30")}, "used up on 24 October", id="late on that day"),
    ],
)
def test_the_headline_ends_with_when_it_is_used_up(changes: dict[str, datetime | None], end: str) -> None:
    assert headline(replace(FORECAST, **changes)).endswith(end)  # type: ignore[arg-type]


def test_what_is_used_up_already_is_said() -> None:
    assert headline(FORECAST, spent=Money.of("1000.00")).endswith("; it is used up already")


def test_days_are_those_of_the_budget_s_zone() -> None:
    berlin = Window(datetime(2026, 9, 30, 22, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC))
    late = replace(FORECAST, exhausted_at=utc("2026-10-24T22:30"))
    assert headline(late, timezone="Europe/Berlin", period=berlin).endswith(
        "by 31 October; at this pace it is used up on 25 October"
    )


def test_of_a_day_s_budget_the_hour_is_said() -> None:
    today = Window(utc("2026-10-24"), utc("2026-10-25"))
    assert headline(FORECAST, period=today).endswith("by 24 October; at this pace it is used up on 24 October at 15:30")


@pytest.mark.parametrize(
    ("dollars", "shown"),
    [
        ("1238.77", "$1,240"),
        ("999.99", "$1,000"),
        ("123456.78", "$123,000"),
        ("312.47", "$312"),
        ("12.3456", "$12.3"),
        ("1.2355", "$1.24"),
        ("0.0456", "$0.05"),
        ("0.000456", "$0.000456"),
        ("0", "$0.00"),
    ],
)
def test_an_estimate_has_three_digits(dollars: str, shown: str) -> None:
    assert about(Money.of(dollars)) == shown


@pytest.mark.parametrize(
    ("evidence", "command", "reason", "change"),
    [
        (AHEAD, Command.OPEN, Reason.FIRST, "The forecast crossed 100 % of the budget ($1,000.00)."),
        (
            AHEAD,
            Command.RAISE,
            Reason.RAISED,
            "Raised to critical: the forecast crossed 100 % of the budget ($1,000.00).",
        ),
        (
            AHEAD,
            Command.AMEND,
            Reason.GREW,
            "The forecast is now $1,240 (between $1,110 and $1,390) of $1,000.00 by 31 October.",
        ),
        (
            replace(AHEAD, forecast=replace(FORECAST, mid=Money.of("930"), low=Money.of("880"), released=True)),
            Command.AMEND,
            Reason.RESTATED,
            "The forecast fell below the threshold again: $930 (between $880 and $1,390) of $1,000.00 by 31 October.",
        ),
        (
            AHEAD,
            Command.RESOLVE,
            Reason.INHIBITED,
            "Resolved: spend itself has crossed a threshold of this budget, and has its own alert.",
        ),
        (AHEAD, Command.RESOLVE, Reason.PERIOD_CLOSED, "Resolved: October 2026 is closed."),
    ],
)
def test_the_change_says_what_just_happened(
    evidence: BudgetEvidence, command: Command, reason: Reason, change: str
) -> None:
    assert ahead(evidence, command, reason) == change


def test_of_a_period_that_is_over_it_says_what_it_came_to() -> None:
    over = replace(FORECAST, method=ForecastMethod.FINISHED, mid=Money.of("990"))
    said = message(event(evidence=replace(AHEAD, spent=Money.of("990.00"), forecast=over)))
    assert said.headline == "eng monthly (workspace Research) has come to $990.00 of $1,000.00 in October 2026"
    assert "Forecast" not in dict(said.facts)


def test_an_alert_keeps_its_severity_in_the_state() -> None:
    said = message(event(alert=replace(ALERT, severity=Severity.WARNING, evidence=AHEAD)))
    assert dict(said.facts)["State"] == "warning, firing"
