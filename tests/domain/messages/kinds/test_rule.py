"""A rule's alert says whose money it is, how far from what was expected, why, and through whom."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from service.domain.alerts.alert import AlertEvent, AlertState, Command, Reason
from service.domain.alerts.evidence import Contribution, LevelChange, RuleEvidence
from service.domain.messages.message import compose, describe
from service.domain.notify.notification import Action, Message
from service.domain.rules.assessment import assess_rule
from service.domain.rules.evaluation import evaluate
from service.domain.rules.kinds.change import Change
from service.domain.rules.kinds.first_seen import FirstSeen
from service.domain.rules.memory import Past
from service.domain.rules.rule import Rule
from service.domain.values.money import Money
from service.domain.values.scopes import Dimension, ScopeKey
from service.domain.values.severity import Severity
from tests.domain.rules.views import CELL, NO_GATES, view
from tests.factories import resource
from tests.sample_alerts import DROP, HOSTILE_NAMES, PUBLIC_URL, RULE, RULE_ALERT, event, hostile, message

BARE = replace(RULE, since=None, impact=None, contributions=())
ZERO = Money(Decimal(0))
OBJECTS_NO_LONGER = "the rule no longer objects to Workspace eng"
RESOLVED = "Resolved by Ada: API key ci: $650 above normal on Tue 13 Oct. $1,700 above normal since Mon 12 Oct."


def said_of(evidence: RuleEvidence) -> Message:
    return message(event(alert=RULE_ALERT, evidence=evidence))


def fact(said: Message, label: str) -> str:
    return dict(said.facts)[label]


def changed(command: Command, reason: Reason, action: Action, evidence: RuleEvidence = RULE) -> str:
    return compose(event(command, reason, alert=RULE_ALERT, evidence=evidence, actor="Ada"), action, PUBLIC_URL).change


HOUR = datetime(2026, 11, 28, 13, tzinfo=UTC)
HOURLY = replace(
    RULE,
    scope_name="the organisation",
    actual=Money.of("71.674"),
    expected=Money.of("19.35"),
    unit="US dollars an hour",
    days=(HOUR.date(),),
    hour=HOUR,
    since=HOUR,
    impact=Money.of("52.324"),
    contributions=(
        Contribution(ScopeKey(Dimension.WORKSPACE, "ws_1"), "support-assistant", Money.of("54.80"), Money.of("60")),
        Contribution(ScopeKey(Dimension.MODEL, "claude-sonnet-5"), "claude-sonnet-5", Money.of("54.70")),
        Contribution(
            ScopeKey(Dimension.API_KEY, "apikey_1"),
            "support-bot",
            Money.of("54.70"),
            Money.of("55.20"),
            "support-assistant",
        ),
        Contribution(ScopeKey(Dimension.API_KEY, "apikey_2"), "crumbs", Money.of("0.41"), Money.of("0.50")),
    ),
)
"""An hour in which one key costs more than the whole excess: others cost less than ever."""


def divided(*amounts: str, dimension: Dimension = Dimension.WORKSPACE) -> RuleEvidence:
    parts = [
        Contribution(ScopeKey(dimension, f"id_{place}"), f"name-{place}", Money.of(amount))
        for place, amount in enumerate(amounts)
    ]
    return replace(HOURLY, contributions=tuple(parts))


def test_an_hour_s_headline_names_the_key_that_explains_it_since_when_and_where() -> None:
    said = said_of(HOURLY)
    assert said.headline == "API key support-bot: $55/h above normal since 13:00 UTC (support-assistant)"
    assert said.title == "API key support-bot: $55/h above normal"
    assert said.one_line == said.headline
    assert len(said.headline) <= 80, "a phone shows no more"


def test_below_the_headline_is_what_is_normal_and_what_it_costs_if_it_goes_on() -> None:
    assert said_of(HOURLY).summary.splitlines() == [
        "$55.20 between 13:00 and 14:00 UTC, Sat 28 Nov; normally about $0.50."
        " Model claude-sonnet-5, workspace support-assistant.",
        "Organisation: $71.67 in that hour, normally $19.35. If it goes on: about $1,300 a day more.",
    ]


def test_the_budget_that_is_used_up_first_is_named_with_the_day() -> None:
    said = said_of(replace(HOURLY, strained_budget="org monthly", used_up_on=date(2026, 12, 3)))
    assert said.summary.endswith("If it goes on: about $1,300 a day more; budget org monthly used up Thu 3 Dec.")


def test_an_hour_s_small_print_says_that_it_is_estimated_and_by_which_rule() -> None:
    assert said_of(HOURLY).small_print == (
        "warning, firing",
        "estimated from usage, the bill follows",
        "rule unusual spend",
    )


def test_an_incident_that_began_on_another_day_says_which() -> None:
    since = datetime(2026, 11, 27, 22, tzinfo=UTC)
    said = said_of(replace(HOURLY, since=since, impact=Money.of("612.10")))
    assert "above normal since 22:00 UTC, Fri 27 Nov (support-assistant)" in said.headline
    assert "$612 above normal in all since 22:00 UTC, Fri 27 Nov." in said.summary


@pytest.mark.parametrize(
    ("amounts", "headline"),
    [
        (("31.4", "20.9"), "Workspace name-0: $31/h above normal since 13:00 UTC"),
        (
            ("31.39", "20.9"),
            "Organisation: $52/h above normal since 13:00 UTC; top: workspace name-0 $31, workspace name-1 $21",
        ),
        (
            ("20", "18", "0.52", "0.52"),
            "Organisation: $52/h above normal since 13:00 UTC; top: workspace name-0 $20, workspace name-1 $18",
        ),
        (("20", "0.52"), "Organisation: $52/h above normal since 13:00 UTC"),
        ((), "Organisation: $52/h above normal since 13:00 UTC"),
    ],
)
def test_who_explains_less_than_60_percent_is_not_the_culprit(amounts: tuple[str, ...], headline: str) -> None:
    assert said_of(divided(*amounts)).headline == headline


def test_spend_of_no_key_is_nobody_to_stop() -> None:
    nameless = Contribution(ScopeKey(Dimension.API_KEY, ""), "no API key", Money.of("52"))
    said = said_of(replace(HOURLY, contributions=(nameless,)))
    assert said.headline.startswith("Organisation: $52/h above normal")
    assert said.next_step.startswith("Find what spends in the organisation and stop it: https://")


def test_the_first_advice_is_to_find_and_stop_the_spender() -> None:
    said = said_of(HOURLY)
    assert said.next_step == (
        "Find and stop API key support-bot: https://platform.claude.com/settings/keys – then acknowledge."
    )
    assert said.page == "https://platform.claude.com/settings/keys"
    assert said_of(DROP).next_step == "Find out what no longer runs, then acknowledge."


ADA = ScopeKey(Dimension.ACTOR, "person_7f3a91c2aabbccdd")


@pytest.mark.parametrize(
    "evidence",
    [
        replace(BARE, about=ADA, scope_name="person 7f3a91c2"),
        replace(BARE, contributions=(Contribution(ADA, "person 7f3a91c2", Money.of("900")),)),
    ],
    ids=["judged by person", "most of the excess is one person's"],
)
def test_no_page_of_keys_shows_what_a_person_runs(evidence: RuleEvidence) -> None:
    said = said_of(evidence)
    assert said.next_step == "Find out what person 7f3a91c2 runs and stop what is not needed, then acknowledge."
    assert said.page == ""


def test_a_day_s_headline_has_both_figures_where_the_whole_is_named() -> None:
    assert said_of(BARE).headline == "Workspace eng: $1,240 on Tue 13 Oct, normally $310"
    days = (date(2026, 10, 11), date(2026, 10, 12), date(2026, 10, 13))
    assert said_of(replace(BARE, days=days)).headline.endswith(" from Sun 11 Oct to Tue 13 Oct, normally $310")


def test_a_day_s_culprit_has_its_own_figures() -> None:
    key = Contribution(ScopeKey(Dimension.API_KEY, "k"), "ci", Money.of("650"), Money.of("700"), "eng")
    said = said_of(replace(RULE, contributions=(key,), impact=RULE.excess, since=None))
    assert said.headline == "API key ci: $700 on Tue 13 Oct, normally $50.00 (eng)"
    assert said.summary == "Workspace eng: $1,240 that day, normally $310. If it goes on: about $650 a day more."


def test_the_description_is_headline_and_lines_in_one_paragraph() -> None:
    assert describe(RULE_ALERT) == (
        "API key ci: $650 above normal on Tue 13 Oct. Model claude-opus-4-5. Workspace eng: $1,240 that day, normally"
        " $310. $1,700 above normal in all since Mon 12 Oct. If it goes on: about $650 a day more."
    )


def test_the_facts_are_for_who_checks_it() -> None:
    assert said_of(RULE).facts == (
        ("How this was judged", RULE.cause),
        ("Excess by API key", "ci $650\nbatch $120"),
        ("Alert opened", "09:31 UTC, Wed 14 Oct"),
    )


def test_parts_below_one_percent_are_dropped() -> None:
    table = dict(said_of(divided("30", "20", "0.53", "0.52")).facts)["Excess by workspace"]
    assert table.splitlines() == ["name-0 $30.00", "name-1 $20.00", "name-2 $0.53"]


@pytest.mark.parametrize(
    ("command", "reason", "action", "change"),
    [
        (Command.OPEN, Reason.FIRST, Action.OPEN, ""),
        (
            Command.RAISE,
            Reason.RAISED,
            Action.RAISE,
            "Now warning: API key ci $650 on Tue 13 Oct, $1,700 above normal since Mon 12 Oct.",
        ),
        (Command.AMEND, Reason.GREW, Action.AMEND, "Grown to $1,700 above normal since Mon 12 Oct."),
        (Command.AMEND, Reason.RESTATED, Action.AMEND, "Now $1,700 above normal since Mon 12 Oct."),
        (Command.SNOOZE, Reason.PERSON, Action.SNOOZE, "Snoozed by Ada."),
        (Command.ACKNOWLEDGE, Reason.PERSON, Action.ACKNOWLEDGE, "Acknowledged by Ada."),
        (Command.RESOLVE, Reason.PERSON, Action.RESOLVE, RESOLVED),
        (
            Command.RESOLVE,
            Reason.RECOVERED,
            Action.RESOLVE,
            "Over: API key ci was back to normal. $1,700 above normal since Mon 12 Oct.",
        ),
        (Command.RESOLVE, Reason.RULE_GONE, Action.RESOLVE, "Resolved: the rule was deleted."),
        (Command.RESOLVE, Reason.RULE_DISABLED, Action.RESOLVE, "Resolved: the rule was disabled."),
        (
            Command.RESOLVE,
            Reason.RULE_EDITED,
            Action.RESOLVE,
            "Resolved: the rule was edited, and this alert no longer applies.",
        ),
        (
            Command.RESOLVE,
            Reason.NO_LONGER_KNOWN,
            Action.RESOLVE,
            "Resolved: no report says anything any more of what this alert is about.",
        ),
        (Command.RESOLVE, Reason.SOURCE_GONE, Action.RESOLVE, "Resolved: the source was deleted."),
        (Command.RESOLVE, Reason.SOURCE_DISABLED, Action.RESOLVE, "Resolved: the source was disabled."),
    ],
)
def test_the_change_says_what_just_happened(command: Command, reason: Reason, action: Action, change: str) -> None:
    assert changed(command, reason, action) == change


@pytest.mark.parametrize(
    ("kind", "headline", "ended"),
    [
        ("anomaly", "Workspace eng: $1,240 on Tue 13 Oct, normally $310", "Workspace eng was back to normal"),
        ("change", "Workspace eng: $1,240 on Tue 13 Oct, normally $310", "Workspace eng was back to normal"),
        ("first_seen", "Workspace eng has begun to spend: $1,240 on Tue 13 Oct", OBJECTS_NO_LONGER),
        ("dormant_woke", "Workspace eng spends again after a pause: $1,240 on Tue 13 Oct", OBJECTS_NO_LONGER),
        (
            "model_shift",
            "Workspace eng: $1,240 on a more expensive model on Tue 13 Oct, normally $310",
            OBJECTS_NO_LONGER,
        ),
        ("cache_collapse", "Workspace eng: the lost cache cost $930 on Tue 13 Oct", OBJECTS_NO_LONGER),
        (
            "priority_tier",
            "Workspace eng: $1,240 of Priority Tier on Tue 13 Oct (estimated), normally $310",
            OBJECTS_NO_LONGER,
        ),
        ("of_the_future", "Workspace eng: $1,240 on Tue 13 Oct, normally $310", OBJECTS_NO_LONGER),
    ],
)
def test_every_kind_of_rule_has_words_that_fit_it(kind: str, headline: str, ended: str) -> None:
    evidence = replace(BARE, rule_kind=kind)
    assert said_of(evidence).headline == headline
    over = changed(Command.RESOLVE, Reason.RECOVERED, Action.RESOLVE, evidence)
    assert over == f"Over: {ended}. $930 above normal on Tue 13 Oct."


def test_a_fall_is_what_is_missing() -> None:
    said = said_of(replace(DROP, contributions=()))
    assert said.headline == "Workspace eng: only $77.50 on Tue 13 Oct, normally $310"
    assert "If it goes on" not in said.summary
    named = said_of(DROP)
    assert named.headline == "API key ci: $230 below normal on Tue 13 Oct"
    assert named.summary == "Workspace eng: $77.50 that day, normally $310."


def test_where_nothing_was_expected_nothing_is_normal() -> None:
    assert said_of(replace(BARE, expected=ZERO)).headline == "Workspace eng: $1,240 on Tue 13 Oct, normally nothing"


@pytest.mark.parametrize(
    ("actual", "shown"),
    [("1240.56", "$1,240"), ("99.994", "$99.99"), ("100.00", "$100"), ("45.6", "$45.60"), ("0.0042", "under $0.01")],
)
def test_dollars_have_cents_below_100_only(actual: str, shown: str) -> None:
    assert f" {shown} on " in said_of(replace(BARE, actual=Money.of(actual), expected=ZERO)).headline


ANSWERED = replace(
    event(Command.ACKNOWLEDGE, Reason.PERSON, alert=RULE_ALERT, evidence=HOURLY, actor="token:deploy"),
    at=RULE_ALERT.opened_at + timedelta(minutes=4),
)
"""The answer of somebody who uses a token called deploy."""


def over(history: tuple[AlertEvent, ...]) -> str:
    evidence = replace(HOURLY, hour=HOUR + timedelta(hours=5), impact=Money.of("312.4"))
    ended = event(Command.RESOLVE, Reason.RECOVERED, alert=RULE_ALERT, evidence=evidence)
    return compose(ended, Action.RESOLVE, PUBLIC_URL, history).one_line


def test_an_end_says_how_it_ended_what_it_cost_and_who_answered() -> None:
    assert over((ANSWERED,)) == (
        "Over: API key support-bot was back to normal at 19:00 UTC. $312 above normal in 6 h;"
        " acknowledged by deploy after 4 min ($52.32 by then)"
    )


LEVEL = LevelChange("the organisation", date(2026, 12, 9), Money.of("605.2"), Money.of("1210.4"))


def test_an_end_with_a_new_level_says_whose_from_when_and_how_to_take_it_back() -> None:
    evidence = replace(RULE, level=LEVEL)
    ended = event(Command.RESOLVE, Reason.ACCEPTED, alert=RULE_ALERT, evidence=evidence)
    ended = replace(ended, alert=replace(ended.alert, state=AlertState.RESOLVED))
    said = compose(ended, Action.RESOLVE, PUBLIC_URL)
    level = "accepted as the new level from Wed 9 Dec: $605 -> $1,210 a day"
    assert said.one_line == f"Over: what the organisation spends is {level}. $1,700 above normal since Mon 12 Oct"
    request = f'POST {PUBLIC_URL}/v1/alerts/{RULE_ALERT.id}/feedback {{"kind": "fixed"}}'
    assert said.next_step == f"If it is not to stay: {request}. It then fires again while it lasts."


def test_an_end_that_nobody_answered_names_nobody() -> None:
    assert over(()) == "Over: API key support-bot was back to normal at 19:00 UTC. $312 above normal in 6 h"


@pytest.mark.parametrize(
    ("actor", "name"),
    [
        ("token:environment efadc50f", "the first admin"),
        ("token:environment", "environment"),
        ("slack:U0ADAFAKE", "slack:U0ADAFAKE"),
        ("Ada", "Ada"),
    ],
)
def test_who_answered_has_a_name(actor: str, name: str) -> None:
    assert f"acknowledged by {name} after" in over((replace(ANSWERED, actor=actor),))
    acknowledged = event(Command.ACKNOWLEDGE, Reason.PERSON, alert=RULE_ALERT, actor=actor)
    said = compose(acknowledged, Action.ACKNOWLEDGE, PUBLIC_URL)
    assert said.change == f"Acknowledged by {name}."
    assert said.small_print[0] == f"warning, acknowledged by {name}"


def test_simulated_spend_is_called_simulated_in_headline_and_small_print() -> None:
    said = said_of(replace(RULE, simulated=True))
    assert said.simulated
    assert said.headline.startswith("SIMULATED: API key ci: ")
    assert said.small_print[-1] == "simulated: nobody spent this money"
    assert said.page == ""


def test_all_that_can_be_said_fits_into_one_slack_message() -> None:
    parts = [ScopeKey(dimension, "1") for dimension in Dimension if dimension is not Dimension.ORGANISATION]
    everything = tuple(Contribution(key, "x", Money.of("100")) for key in parts for _ in range(2))
    assert len(said_of(replace(RULE, contributions=everything, simulated=True)).facts) == 7


@pytest.mark.parametrize("evidence", [RULE, DROP, BARE, replace(BARE, inputs=(), days=(), scope_name="", rule_name="")])
def test_every_event_can_be_told_by_every_action(evidence: RuleEvidence) -> None:
    for command, reason, action in itertools.product(Command, Reason, Action):
        said = compose(event(command, reason, alert=RULE_ALERT, evidence=evidence), action, PUBLIC_URL)
        assert said.change.endswith(".") or (not said.change and action is Action.OPEN), (command, reason, action)
        assert "budget" not in said.next_step
        assert all(value for _, value in said.facts), (command, reason, action)


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: name[:20])
def test_a_hostile_name_stays_one_short_line_and_the_dollars_stay(name: str) -> None:
    said = said_of(hostile(name))
    texts = [said.headline, *said.summary.splitlines(), said.change, *(label for label, _ in said.facts)]
    assert said.headline.endswith(": $700 above normal on Tue 13 Oct")
    assert len(said.headline) < 150
    assert sum(len(label) + len(value) for label, value in said.facts) < 3_500
    assert not [text for text in texts if any(not character.isprintable() for character in _unwrapped(text))]
    assert all(text.count("\u2068") == text.count("\u2069") for text in texts)


def _unwrapped(text: str) -> str:
    return text.replace("\u2068", "").replace("\u2069", "")


def test_a_right_to_left_name_inside_the_cause_stays_isolated_by_itself() -> None:
    isolated = "Workspace \u2068מחקר\u2069 spent $1,240.00 on 13 October 2026."
    said = said_of(replace(BARE, cause=isolated, scope_name="workspace eng"))
    assert fact(said, "How this was judged") == isolated


def test_a_cause_cut_within_an_isolated_name_closes_it() -> None:
    cut = fact(said_of(replace(BARE, cause="\u2068" + "מ" * 1_000)), "How this was judged")
    assert cut.endswith("…\u2069")
    assert len(cut) <= 601


def test_a_control_character_in_a_cause_does_not_get_through() -> None:
    said = said_of(replace(BARE, cause="one\r\ntwo\x1b[2J\u202e three"))
    assert fact(said, "How this was judged") == "one  two [2J  three"


@pytest.mark.parametrize(
    ("spec", "row", "headline", "summary"),
    [
        pytest.param(
            Rule("src_1", "change", Change(), for_each=Dimension.WORKSPACE, gates=NO_GATES),
            [100.0] * 13 + [400.004, 1.0],
            "Workspace eng: $400 on Fri 20 Nov, normally $100",
            "If it goes on: about $300 a day more.",
            id="change",
        ),
        pytest.param(
            Rule("src_1", "first_seen", FirstSeen(), gates=NO_GATES),
            [0.0] * 12 + [20.0, 20.0, 5.0],
            "API key ci has begun to spend: $45.00 from Thu 19 Nov to Sat 21 Nov",
            "",
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
