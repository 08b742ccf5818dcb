"""A person must understand at once who spent how much of what, what just happened, and what to do."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason
from service.domain.alerts.evidence import Contribution
from service.domain.messages.message import badge, compose, describe, sample
from service.domain.notify.notification import Action, Message, MessageType
from service.domain.spend.best_known import Basis
from service.domain.values.money import Money
from service.domain.values.plain_text import clean, percentage
from service.domain.values.scopes import Dimension, ScopeKey
from service.domain.values.severity import Severity
from tests.sample_alerts import (
    ACKNOWLEDGED_EVENT,
    ALERT,
    EVIDENCE,
    OPENED,
    OPENED_EVENT,
    PUBLIC_URL,
    RAISED_EVENT,
    RESOLVED_EVENT,
    RESTATED_EVENT,
    STALE,
    STALE_ALERT,
    event,
    message,
)

EXCEEDED = "Budget eng monthly (workspace Research) exceeded: $12.34 of $10.00"
STOP_IT = (
    "Find and stop the largest spender, API key ci-runner: https://platform.claude.com/settings/keys"
    " – then acknowledge, or raise the budget."
)


def fact(said: Message, label: str) -> str:
    return dict(said.facts)[label]


def test_the_headline_names_the_budget_the_scope_the_dollars_and_the_days_that_are_left() -> None:
    assert message().headline == "Budget eng monthly (workspace Research) exceeded: $12.34 of $10.00, 18 days left"
    most = replace(EVIDENCE, amount=Money.of("12000"), spent=Money.of("9612.34"), level=Money.of("9600"))
    said = message(event(evidence=replace(most, threshold="actual:80%", scope_name="the organisation")))
    assert said.headline == "Budget eng monthly: 80% used ($9,612 of $12,000), 18 days left"


def test_a_budget_of_everything_does_not_repeat_the_organisation_s_name() -> None:
    everything = replace(EVIDENCE, scope_name="Acme Ltd", of_everything=True)
    assert message(event(evidence=everything)).headline.startswith("Budget eng monthly exceeded: $12.34 of $10.00")
    late = replace(everything, late=True)
    assert message(event(evidence=late)).headline.startswith("Late for October 2026: eng monthly crossed 100%")


@pytest.mark.parametrize(
    ("days", "named"),
    [
        ((31,), "Sat 31 Oct was billed"),
        ((29, 30, 31), "Thu 29 Oct to Sat 31 Oct were billed"),
        ((20, 29, 31), "3 days up to Sat 31 Oct were billed"),
    ],
)
def test_a_late_crossing_names_the_days_that_were_billed_late(days: tuple[int, ...], named: str) -> None:
    billed = tuple(date(2026, 10, day) for day in days)
    said = message(event(evidence=replace(EVIDENCE, late=True, billed_days=billed, billed_on=date(2026, 11, 2))))
    assert said.headline.endswith(f"crossed 100% ($12.34 of $10.00) when {named}")
    assert said.summary.startswith(f"The bill for {named.partition(' w')[0]} came on Mon 2 Nov.")


def test_the_facts_say_how_much_of_what_since_when_and_through_whom() -> None:
    assert message().facts == (
        ("Spent", "$12.34, billed"),
        ("Budget", "$10.00 for October 2026"),
        ("Crossed", "100% of the budget ($10.00)"),
        ("Largest models", "claude-opus-4-5 $9.10"),
        ("Largest API keys", "ci-runner $3.24"),
        ("Alert opened", "09:31 UTC, Wed 14 Oct"),
    )


def test_a_time_zone_other_than_utc_is_named() -> None:
    said = message(event(evidence=replace(EVIDENCE, timezone="Europe/Berlin")))
    assert fact(said, "Budget") == "$10.00 for October 2026 (Europe/Berlin time)"


@pytest.mark.parametrize(
    ("basis", "words"),
    [
        (Basis.BILLED, "billed"),
        (Basis.ESTIMATED, "estimated from usage, not billed yet"),
        (Basis.MIXED, "partly billed, partly estimated from usage"),
    ],
)
def test_the_basis_of_the_spend_is_said_in_words(basis: Basis, words: str) -> None:
    said = message(event(evidence=replace(EVIDENCE, basis=basis)))
    assert fact(said, "Spent").endswith(f", {words}")
    assert (words in said.small_print) is (basis is not Basis.BILLED)


@pytest.mark.parametrize(
    ("percent", "shown"),
    [
        ("99.96", "99%"),
        ("99.999999999999", "99%"),
        ("100", "100%"),
        ("100.04", "100%"),
        ("0.44", "0.4%"),
        ("0.04", "0%"),
        ("123.45678", "123%"),
        ("1234567.89", "1,234,567%"),
        ("-0.01", "0%"),
        ("-2.13", "-2%"),
    ],
)
def test_a_percentage_never_claims_more_than_was_reached(percent: str, shown: str) -> None:
    assert percentage(Decimal(percent)) == shown


def test_a_budget_of_nothing_has_no_percentage() -> None:
    said = message(event(evidence=replace(EVIDENCE, amount=Money.of("0"))))
    assert said.headline == "Budget eng monthly (workspace Research) exceeded: $12.34 of $0.00, 18 days left"
    assert fact(said, "Spent") == "$12.34, billed"


@pytest.mark.parametrize(
    ("command", "reason", "action", "change"),
    [
        (Command.OPEN, Reason.FIRST, Action.OPEN, ""),
        (Command.RAISE, Reason.RAISED, Action.RAISE, f"Now critical: {EXCEEDED}, 18 days left."),
        (
            Command.OPEN,
            Reason.REPEAT_DUE,
            Action.RAISE,
            f"Still going on: {EXCEEDED}, 18 days left; nobody has acknowledged.",
        ),
        (Command.AMEND, Reason.GREW, Action.AMEND, "Grown to $12.34, 123%."),
        (Command.SNOOZE, Reason.PERSON, Action.SNOOZE, "Snoozed by Ada."),
        (Command.WAKE, Reason.SNOOZE_OVER, Action.RAISE, f"The snooze is over: {EXCEEDED}, 18 days left."),
        (Command.ACKNOWLEDGE, Reason.PERSON, Action.ACKNOWLEDGE, "Acknowledged by Ada."),
        (Command.RESOLVE, Reason.PERSON, Action.RESOLVE, f"Resolved by Ada: {EXCEEDED}."),
        (
            Command.RESOLVE,
            Reason.PERIOD_CLOSED,
            Action.RESOLVE,
            "Period closed: eng monthly (workspace Research) ended October 2026 at $12.34, $2.34 over.",
        ),
        (
            Command.RESOLVE,
            Reason.BUDGET_GONE,
            Action.RESOLVE,
            "Resolved: the budget was deleted.",
        ),
        (
            Command.RESOLVE,
            Reason.BUDGET_DISABLED,
            Action.RESOLVE,
            "Resolved: the budget was disabled.",
        ),
        (
            Command.RESOLVE,
            Reason.BUDGET_EDITED,
            Action.RESOLVE,
            "Resolved: the budget was edited, and this alert no longer applies.",
        ),
    ],
)
def test_the_change_says_what_just_happened(command: Command, reason: Reason, action: Action, change: str) -> None:
    assert compose(event(command, reason, actor="Ada"), action, PUBLIC_URL).change == change


def test_a_restatement_gives_the_new_dollars_and_percentage() -> None:
    said = message(RESTATED_EVENT, Action.AMEND)
    assert said.change == "Restated to $9.80, 98%."
    assert said.headline.endswith(": 98% used ($9.80 of $10.00), 18 days left")
    assert said.one_line == f"Restated to $9.80, 98%: {said.headline}"


def test_a_rolling_budget_s_spend_changes_without_a_restatement() -> None:
    rolling = replace(EVIDENCE, period_label="last 2 days")
    fell = event(Command.AMEND, Reason.RESTATED, evidence=rolling)
    assert message(fell, Action.AMEND).change == "The last 2 days: now $12.34, 123%."
    grew = event(Command.AMEND, Reason.GREW, evidence=rolling)
    assert message(grew, Action.AMEND).change == "Grown to $12.34, 123%."


def test_a_rolling_budget_whose_spend_fell_back_says_so() -> None:
    rolling = replace(EVIDENCE, period_label="last 30 days")
    said = message(event(Command.RESOLVE, Reason.RECOVERED, evidence=rolling), Action.RESOLVE)
    assert said.change == (
        "Over: the spend of eng monthly (workspace Research) in the last 30 days is below the alert's level again."
    )


def test_a_threshold_in_dollars_is_shown_in_dollars_alone() -> None:
    evidence = replace(EVIDENCE, threshold="actual:8.50", level=Money.of("8.50"))
    assert fact(message(event(evidence=evidence)), "Crossed") == "$8.50"


def test_a_persons_note_is_passed_on() -> None:
    noted = event(Command.RESOLVE, Reason.PERSON, actor="Ada", note="batch job stopped")
    assert message(noted, Action.RESOLVE).change == f"Resolved by Ada: {EXCEEDED}. Note: batch job stopped"


def test_the_name_of_a_person_in_slack_is_no_note_but_stands_beside_their_id() -> None:
    noted = event(Command.ACKNOWLEDGE, Reason.PERSON, actor="slack:U0ADAFAKE", note="ada (ops), in Slack")
    assert message(noted, Action.ACKNOWLEDGE).change == "Acknowledged by slack:U0ADAFAKE (ada ops)."
    later = replace(event(Command.AMEND, Reason.RESTATED), alert=noted.alert)
    said = compose(later, Action.AMEND, PUBLIC_URL, (noted, later))
    assert said.small_print[0] == "critical, acknowledged by slack:U0ADAFAKE (ada ops)"
    elsewhere = event(Command.ACKNOWLEDGE, Reason.PERSON, actor="ada", note="we talk, in Slack")
    assert message(elsewhere, Action.ACKNOWLEDGE).change == "Acknowledged by ada. Note: we talk, in Slack"


def test_who_acknowledged_is_still_shown_after_a_later_amendment() -> None:
    acknowledged = replace(ALERT, state=AlertState.ACKNOWLEDGED, acknowledged_by="Ada")
    amended = replace(RESTATED_EVENT, alert=acknowledged)
    assert message(amended, Action.AMEND).small_print[0] == "critical, acknowledged by Ada"


@pytest.mark.parametrize(
    ("told", "next_step"),
    [
        (OPENED_EVENT, STOP_IT),
        (RAISED_EVENT, STOP_IT),
        (ACKNOWLEDGED_EVENT, "Resolve it when it is dealt with."),
        (RESOLVED_EVENT, ""),
    ],
)
def test_the_next_step_follows_the_state(told: AlertEvent, next_step: str) -> None:
    assert message(told).next_step == next_step


def test_the_link_leads_to_the_alert_whatever_the_public_urls_ending() -> None:
    link = f"https://tocsin.example.com/pages/alerts/{ALERT.id}"
    assert compose(OPENED_EVENT, Action.OPEN, "https://tocsin.example.com/").link == link
    assert compose(OPENED_EVENT, Action.OPEN, "https://tocsin.example.com").link == link


def test_simulated_spend_is_called_simulated_in_headline_and_small_print() -> None:
    said = message(event(evidence=replace(EVIDENCE, simulated=True)))
    assert said.simulated
    assert said.headline.startswith("SIMULATED: Budget eng monthly")
    assert said.small_print[-1] == "simulated: nobody spent this money"
    assert "platform.claude.com" not in said.next_step + said.page  # nobody can stop there what nobody spends


def test_the_description_is_the_headline_and_the_largest_parts() -> None:
    assert describe(ALERT) == f"{EXCEEDED}. Top: model claude-opus-4-5 $9.10 (73%)."


def test_the_summary_names_the_two_largest_workspaces_and_nothing_below_one_percent() -> None:
    parts = [
        Contribution(ScopeKey(Dimension.WORKSPACE, "default"), "default workspace", Money.of("7")),
        Contribution(ScopeKey(Dimension.WORKSPACE, "wrkspc_2"), "ops", Money.of("3")),
        Contribution(ScopeKey(Dimension.WORKSPACE, "wrkspc_3"), "web", Money.of("2")),
        Contribution(ScopeKey(Dimension.API_KEY, "apikey_1"), "tiny", Money.of("0.12")),
    ]
    described = describe(replace(ALERT, evidence=replace(EVIDENCE, contributions=tuple(parts))))
    assert described.endswith(" Top: default workspace $7.00 (56%), workspace ops $3.00 (24%).")
    assert "tiny" not in described


def test_a_blind_source_says_since_when_why_and_what_to_check() -> None:
    said = message(event(alert=STALE_ALERT))
    assert said.headline == "No cost data from source acme for 35 min: 401: the key was revoked"
    assert fact(said, "Last error") == "401: the key was revoked"
    assert said.summary.startswith("Budgets and rules use figures read until 08:56 UTC, Wed 14 Oct.")
    assert said.next_step.startswith("Run `tocsin check` where Tocsin runs. If the key is refused, make")
    assert said.page == "https://platform.claude.com/settings/admin-keys"
    assert describe(STALE_ALERT).startswith("No cost data from source acme since 08:56 UTC, Wed 14 Oct: 401: the key")


def test_a_source_never_read_says_never() -> None:
    said = message(event(alert=STALE_ALERT, evidence=replace(STALE, last_success_at=None)))
    assert said.headline == "No cost data from source acme for 30 min: 401: the key was revoked"
    assert "it was never read" in said.summary


def test_a_recovered_source_is_resolved_in_words() -> None:
    said = message(event(Command.RESOLVE, Reason.RECOVERED, alert=STALE_ALERT), Action.RESOLVE)
    assert said.change == "Over: source acme is read again. No data since 08:56 UTC, Wed 14 Oct."
    assert said.one_line == said.change.rstrip(".")
    assert badge(said) == "RESOLVED"


@pytest.mark.parametrize("alert", [ALERT, STALE_ALERT], ids=["budget", "stale source"])
def test_every_event_can_be_told_by_every_action(alert: Alert) -> None:
    for command, reason, action in itertools.product(Command, Reason, Action):
        said = compose(event(command, reason, alert=alert), action, PUBLIC_URL)
        assert said.change.endswith(".") or (not said.change and action is Action.OPEN), (command, reason, action)
        assert said.one_line, (command, reason, action)
        assert all(value for _, value in said.facts), (command, reason, action)


def test_the_badge_gives_the_state_and_while_firing_the_severity() -> None:
    assert badge(message()) == "FIRING critical"
    assert badge(message(ACKNOWLEDGED_EVENT, Action.ACKNOWLEDGE)) == "ACKNOWLEDGED"
    assert badge(message(RESOLVED_EVENT, Action.RESOLVE)) == "RESOLVED"


def test_a_receivers_test_says_that_it_is_one_and_alarms_nobody() -> None:
    said = sample(PUBLIC_URL, datetime(2026, 11, 21, tzinfo=UTC))
    assert said.headline == "This is a test from Tocsin"
    assert badge(said) == "TEST"
    assert said.severity is Severity.INFO
    assert said.type is MessageType.TEST
    assert said.alert_id != sample(PUBLIC_URL, OPENED).alert_id


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("eng\r\nBcc: everybody@example.com", "eng Bcc: everybody@example.com"),
        ("\x1b[31mred\x1b[0m\x07", "[31mred[0m"),
        ("reversed \u202etxet", "reversed txet"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("half a pair \ud83d!", "half a pair !"),
        ("  two\u2028lines\tand\u00a0spaces ", "two lines and spaces"),
        ("family 👩‍👩‍👧 stays", "family 👩‍👩‍👧 stays"),
        ("naïve café 研究", "naïve café 研究"),
        ("\x00\x01", ""),
    ],
)
def test_names_lose_what_could_do_harm_and_keep_the_rest(raw: str, kept: str) -> None:
    assert clean(raw) == kept


def test_a_right_to_left_name_cannot_reorder_the_dollars() -> None:
    assert clean("מחקר") == "\u2068מחקר\u2069"
    said = message(event(evidence=replace(EVIDENCE, budget_name="מחקר")))
    assert said.headline.startswith("Budget \u2068מחקר\u2069 (workspace Research) exceeded: $12.34")


def test_endless_names_are_cut_and_the_dollars_stay() -> None:
    endless = "x" * 10_000
    evidence = replace(
        EVIDENCE,
        budget_name=endless,
        scope_name=endless,
        period_label=endless,
        timezone=endless,
        contributions=(Contribution(ScopeKey(Dimension.MODEL, "m"), endless, Money.of("1")),) * 100,
    )
    said = message(event(Command.RESOLVE, Reason.PERSON, evidence=evidence, actor=endless, note=endless))
    assert len(said.headline) < 150
    assert said.headline.endswith(" exceeded: $12.34 of $10.00")
    assert sum(len(label) + len(value) for label, value in said.facts) < 2_000


def test_a_cut_ends_in_an_ellipsis_and_never_on_a_joiner() -> None:
    assert clean("abcdef", 4) == "abc…"
    assert clean("ab👩\u200d👧 and more", 5) == "ab👩…"


def test_tokens_without_a_price_are_named_beside_the_dollars() -> None:
    said = message(event(evidence=replace(EVIDENCE, unpriced_tokens=2_500_000)))
    assert dict(said.facts)["Not in it"] == "2,500,000 tokens of models without a known price, not billed yet"
    assert "Not in it" not in dict(message(event(evidence=EVIDENCE)).facts)
