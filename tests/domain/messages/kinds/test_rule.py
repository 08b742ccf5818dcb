"""A rule's alert says whose money it is, how far from what was expected, why, and through whom."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from service.domain.alerts.alert import Command, Reason
from service.domain.alerts.evidence import Contribution, RuleEvidence
from service.domain.messages.message import compose, describe
from service.domain.notify.notification import Action, Message
from service.domain.rules.assessment import Past, assess_rule
from service.domain.rules.evaluation import evaluate
from service.domain.rules.kinds.change import Change
from service.domain.rules.kinds.first_seen import FirstSeen
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Rule
from service.domain.values.money import Money
from service.domain.values.scopes import Dimension, ScopeKey
from service.domain.values.severity import Severity
from tests.domain.rules.views import CELL, NO_GATES, view
from tests.factories import resource
from tests.sample_alerts import DROP, HOSTILE_NAMES, PUBLIC_URL, RULE, RULE_ALERT, event, hostile, message

BARE = replace(RULE, since=None, impact=None, contributions=())
ZERO = Money(Decimal(0))


def said_of(evidence: RuleEvidence) -> Message:
    return message(event(alert=RULE_ALERT, evidence=evidence))


def fact(said: Message, label: str) -> str:
    return dict(said.facts)[label]


def changed(command: Command, reason: Reason, action: Action, evidence: RuleEvidence = RULE) -> str:
    return compose(event(command, reason, alert=RULE_ALERT, evidence=evidence, actor="Ada"), action, PUBLIC_URL).change


def test_the_headline_names_the_rule_the_scope_and_the_dollars_against_the_expectation() -> None:
    said = said_of(RULE)
    assert said.headline == "unusual spend: workspace eng $1,240.00, expected $310.00 (+300 %)"


def test_the_summary_is_the_cause_and_the_largest_part_of_each_dimension() -> None:
    assert describe(RULE_ALERT) == (
        "Workspace eng spent $1,240.00 on 13 October 2026; $310.00 was expected, and up to $505.00 would have been "
        "usual. Largest parts of the $930.00 excess: model claude-opus-4-5 $700.00, API key ci $650.00."
    )


def test_what_is_more_than_the_whole_excess_is_not_called_a_part_of_it() -> None:
    model, key, *_ = RULE.contributions
    more = replace(RULE, contributions=(replace(model, amount=Money.of("1000.00")), key))
    assert said_of(more).summary.endswith(
        " Furthest above what was expected of each: model claude-opus-4-5 $1,000.00, API key ci $650.00;"
        " with all others, $930.00."
    )
    less = replace(DROP, contributions=tuple(replace(one, amount=Money.of("240.00")) for one in DROP.contributions))
    assert "Furthest below what was expected of each: API key ci $240.00; with all others, $232.50." in describe(
        replace(RULE_ALERT, evidence=less)
    )


def test_the_facts_give_cause_size_parts_inputs_rule_and_scope() -> None:
    assert said_of(RULE).facts == (
        ("Cause", RULE.cause),
        ("Spent", "$1,240.00 on 13 October 2026; expected $310.00 (+300 %)"),
        ("Excess", "$930.00; $1,700.00 in all since 12 October 2026"),
        ("Excess by model", "claude-opus-4-5 $700.00"),
        ("Excess by API key", "ci $650.00\nbatch $120.25"),
        (
            "Worked out from",
            "the last four Tuesdays: $310.00, $295.00, $330.00, $305.00\nusual up to: $505.00",
        ),
        ("Rule", "unusual spend (anomaly)"),
        ("For", "workspace eng"),
        ("Alert opened", "2026-10-14 09:31 UTC"),
        ("State", "warning, firing"),
    )


def test_the_next_step_is_feedback_or_an_acknowledgement() -> None:
    said = said_of(RULE)
    assert said.next_step == (
        f'Expected? POST {said.link}/feedback {{"kind": "expected"}}; or acknowledge: POST {said.link}/acknowledge'
    )


@pytest.mark.parametrize(
    ("command", "reason", "action", "change"),
    [
        (
            Command.OPEN,
            Reason.FIRST,
            Action.OPEN,
            "Spend is unusual: $930.00 more than expected on 13 October 2026, $1,700.00 in all since 12 October 2026.",
        ),
        (
            Command.RAISE,
            Reason.RAISED,
            Action.RAISE,
            "Raised to warning: $930.00 more than expected on 13 October 2026, $1,700.00 in all since 12 October 2026.",
        ),
        (
            Command.AMEND,
            Reason.GREW,
            Action.AMEND,
            "Grown to $1,700.00 more than expected since 12 October 2026.",
        ),
        (
            Command.AMEND,
            Reason.RESTATED,
            Action.AMEND,
            "Now $1,700.00 more than expected since 12 October 2026.",
        ),
        (Command.SNOOZE, Reason.PERSON, Action.SNOOZE, "Snoozed by Ada."),
        (Command.ACKNOWLEDGE, Reason.PERSON, Action.ACKNOWLEDGE, "Acknowledged by Ada."),
        (Command.RESOLVE, Reason.PERSON, Action.RESOLVE, "Resolved by Ada."),
        (Command.RESOLVE, Reason.RECOVERED, Action.RESOLVE, "Resolved: spend is back to normal."),
        (Command.RESOLVE, Reason.RULE_GONE, Action.RESOLVE, "Resolved: the rule was deleted."),
        (Command.RESOLVE, Reason.RULE_DISABLED, Action.RESOLVE, "Resolved: the rule was disabled."),
        (
            Command.RESOLVE,
            Reason.RULE_EDITED,
            Action.RESOLVE,
            "Resolved: the rule was edited, and this alert no longer applies.",
        ),
        (Command.RESOLVE, Reason.SOURCE_GONE, Action.RESOLVE, "Resolved: the source was deleted."),
        (Command.RESOLVE, Reason.SOURCE_DISABLED, Action.RESOLVE, "Resolved: the source was disabled."),
    ],
)
def test_the_change_says_what_just_happened(command: Command, reason: Reason, action: Action, change: str) -> None:
    assert changed(command, reason, action) == change


@pytest.mark.parametrize(
    ("kind", "opened", "ended"),
    [
        ("anomaly", "Spend is unusual: $930.00 more", "spend is back to normal"),
        ("change", "Spend has risen: $930.00 more", "spend is back to normal"),
        ("first_seen", "Workspace eng has begun to spend: $930.00 more", "the rule no longer objects"),
        ("dormant_woke", "Workspace eng spends again after a pause: $930.00 more", "the rule no longer objects"),
        (
            "model_shift",
            "A more expensive model has taken over a part of the spend: $930.00 more",
            "the rule no longer objects",
        ),
        (
            "cache_collapse",
            "Less of the input comes from the cache: $930.00 more",
            "the rule no longer objects",
        ),
        ("priority_tier", "Priority Tier use has grown: $930.00 more", "the rule no longer objects"),
        ("of_the_future", "The rule objects: $930.00 more", "the rule no longer objects"),
    ],
)
def test_every_kind_of_rule_has_words_that_fit_it(kind: str, opened: str, ended: str) -> None:
    evidence = replace(BARE, rule_kind=str(kind))
    assert changed(Command.OPEN, Reason.FIRST, Action.OPEN, evidence) == f"{opened} than expected on 13 October 2026."
    assert changed(Command.RESOLVE, Reason.RECOVERED, Action.RESOLVE, evidence) == f"Resolved: {ended}."
    assert fact(said_of(evidence), "Rule") == f"unusual spend ({str(kind).replace('_', ' ')})"


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.judges_spend])
def test_no_kind_of_rule_is_forgotten(kind: str) -> None:
    assert "The rule objects" not in said_of(replace(RULE, rule_kind=kind)).change


def test_a_priority_tiers_dollars_are_called_estimated() -> None:
    said = said_of(replace(BARE, rule_kind="priority_tier"))
    assert said.headline == "unusual spend: workspace eng $1,240.00 of Priority Tier, expected $310.00 (+300 %)"
    assert fact(said, "Estimated") == "$1,240.00 on 13 October 2026; expected $310.00 (+300 %)"


def test_a_model_shifts_dollars_are_the_models() -> None:
    said = said_of(replace(BARE, rule_kind="model_shift"))
    assert "workspace eng $1,240.00 on a more expensive model, expected $310.00" in said.headline
    assert "Spent on that model" in dict(said.facts)


def test_a_fall_is_told_as_what_is_missing() -> None:
    said = said_of(DROP)
    assert said.headline == "unusual spend: workspace eng $77.50, expected $310.00 (-75 %)"
    assert said.change == "Spend is unusually low: $232.50 less than expected on 13 October 2026."
    assert said.summary.endswith(" Largest parts of the missing $232.50: API key ci $230.00.")
    assert fact(said, "Missing") == "$232.50 since 13 October 2026"
    assert fact(said, "Missing by API key") == "ci $230.00"


def test_where_nothing_was_expected_there_is_no_percentage() -> None:
    new = replace(BARE, rule_kind="first_seen", actual=Money.of("45.60"), expected=ZERO)
    said = said_of(replace(new, days=(date(2026, 10, 11), date(2026, 10, 12), date(2026, 10, 13))))
    assert said.headline == "unusual spend: workspace eng $45.60, nothing expected"
    assert said.change == (
        "Workspace eng has begun to spend: $45.60 where nothing was expected from 11 October 2026 to 13 October 2026."
    )


@pytest.mark.parametrize(
    ("actual", "expected", "shown"),
    [
        ("100.00", "310.00", "(-67.7 %)"),
        ("310.30", "310.00", "(+0 %)"),
        ("310.00", "310.00", "expected $310.00"),
        ("310.00", "-5.00", "expected -$5.00"),
        ("500000.00", "0.50", "(over +9,999 %)"),
    ],
)
def test_the_percentage_is_signed_and_never_overstates(actual: str, expected: str, shown: str) -> None:
    said = said_of(replace(BARE, actual=Money.of(actual), expected=Money.of(expected)))
    assert said.headline.endswith(shown)


def test_dollars_are_rounded_as_in_the_rules_own_sentence() -> None:
    said = said_of(replace(BARE, actual=Money.of("1240.126"), expected=Money.of("0.004")))
    assert "$1,240.13, expected $0.004" in said.headline


def test_an_hour_is_said() -> None:
    said = said_of(replace(BARE, unit="US dollars an hour"))
    assert said.headline == "unusual spend: workspace eng $1,240.00 in an hour, expected $310.00 (+300 %)"
    assert fact(said, "Spent").startswith("$1,240.00 in an hour of 13 October 2026; expected")


def test_an_incident_that_began_within_a_day_is_told_to_the_minute() -> None:
    began = datetime(2026, 10, 12, 9, 30, tzinfo=UTC)
    assert fact(said_of(replace(RULE, since=began)), "Excess").endswith("in all since 2026-10-12 09:30 UTC")


def test_an_incident_that_is_no_larger_than_its_day_is_told_once() -> None:
    said = said_of(replace(RULE, impact=RULE.excess))
    assert said.change == "Spend is unusual: $930.00 more than expected on 13 October 2026."


@pytest.mark.parametrize(
    ("actual", "now"),
    [("310.00", "as much as expected on 13 October 2026"), ("300.00", "$10.00 less than expected on 13 October 2026")],
)
def test_a_restatement_below_the_expectation_is_told_as_it_is(actual: str, now: str) -> None:
    evidence = replace(BARE, actual=Money.of(actual))
    assert changed(Command.AMEND, Reason.RESTATED, Action.AMEND, evidence) == f"Now {now}."


def test_an_alert_without_parts_says_its_dollars_all_the_same() -> None:
    assert describe(replace(RULE_ALERT, evidence=BARE)).endswith(
        " That is $930.00 more than expected on 13 October 2026."
    )


def test_a_cause_that_names_nobody_is_given_its_scope() -> None:
    nameless = replace(BARE, cause="No model's share is known.")
    assert describe(replace(RULE_ALERT, evidence=nameless)).startswith("Workspace eng: No model's share is known. That")


def test_simulated_spend_is_called_simulated_in_headline_facts_and_summary() -> None:
    said = said_of(replace(RULE, simulated=True))
    assert said.simulated
    assert said.headline.startswith("SIMULATED: unusual spend: ")
    assert said.summary.startswith("Simulated data: Workspace eng spent $1,240.00")
    assert fact(said, "Data") == "simulated: nobody spent this money"


def test_all_that_can_be_said_fits_into_one_slack_message() -> None:
    parts = [ScopeKey(dimension, "1") for dimension in Dimension if dimension is not Dimension.ORGANISATION]
    everything = tuple(Contribution(key, "x", Money.of("1")) for key in parts)
    assert len(said_of(replace(RULE, contributions=everything, simulated=True)).facts) == 12


@pytest.mark.parametrize("evidence", [RULE, DROP, BARE, replace(BARE, inputs=(), days=(), scope_name="", rule_name="")])
def test_every_event_can_be_told_by_every_action(evidence: RuleEvidence) -> None:
    for command, reason, action in itertools.product(Command, Reason, Action):
        said = compose(event(command, reason, alert=RULE_ALERT, evidence=evidence), action, PUBLIC_URL)
        assert said.change.endswith("."), (command, reason, action)
        assert "budget" not in said.next_step
        assert all(value for _, value in said.facts), (command, reason, action)


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: name[:20])
def test_a_hostile_name_stays_one_short_line_and_the_dollars_stay(name: str) -> None:
    said = said_of(hostile(name))
    texts = [said.headline, said.summary, said.change, *(label for label, _ in said.facts)]
    assert said.headline.endswith(" $1,240.00, expected $310.00 (+300 %)")
    assert len(said.headline) < 150
    assert sum(len(label) + len(value) for label, value in said.facts) < 3_500
    assert not [text for text in texts if any(not character.isprintable() for character in _unwrapped(text))]
    assert all(text.count("\u2068") == text.count("\u2069") for text in texts)


def _unwrapped(text: str) -> str:
    return text.replace("\u2068", "").replace("\u2069", "")


def test_a_right_to_left_name_inside_the_cause_stays_isolated_by_itself() -> None:
    isolated = "Workspace \u2068מחקר\u2069 spent $1,240.00 on 13 October 2026."
    said = said_of(replace(BARE, cause=isolated, scope_name="workspace eng"))
    assert fact(said, "Cause") == isolated


def test_a_cause_cut_within_an_isolated_name_closes_it() -> None:
    cut = fact(said_of(replace(BARE, cause="\u2068" + "מ" * 1_000)), "Cause")
    assert cut.endswith("…\u2069")
    assert len(cut) <= 601


def test_a_control_character_in_a_cause_does_not_get_through() -> None:
    said = said_of(replace(BARE, cause="one\r\ntwo\x1b[2J\u202e three"))
    assert fact(said, "Cause") == "one  two [2J  three"


@pytest.mark.parametrize(
    ("spec", "row", "headline", "summary"),
    [
        pytest.param(
            Rule("src_1", "change", Change(), for_each=Dimension.WORKSPACE, gates=NO_GATES),
            [100.0] * 13 + [400.004, 1.0],
            "watch: workspace eng $400.00, expected $100.00 (+300 %)",
            "Workspace eng spent $400.00 on 20 November 2026, 300 % more than the same day a week earlier ($100.00). "
            "That is $300.00 more than expected on 20 November 2026.",
            id="change",
        ),
        pytest.param(
            Rule("src_1", "first_seen", FirstSeen(), gates=NO_GATES),
            [0.0] * 12 + [20.0, 20.0, 5.0],
            "watch: API key ci $45.00, nothing expected",
            "API key ci has spent $45.00 since 19 November 2026; it had never spent before. "
            "That is $45.00 where nothing was expected from 19 November 2026 to 21 November 2026.",
            id="first seen",
        ),
    ],
)
def test_what_a_rule_really_finds_reads_well(spec: Rule[object], row: list[float], headline: str, summary: str) -> None:
    seen = view({CELL: row})
    (found,) = assess_rule(resource("rul_1", spec, name="watch"), seen, evaluate(seen, spec), Past({}, {})).findings
    alert = replace(RULE_ALERT, kind="rule", severity=Severity.WARNING, evidence=found.evidence)
    said = message(event(alert=alert))
    assert (said.headline, said.summary) == (headline, summary)
