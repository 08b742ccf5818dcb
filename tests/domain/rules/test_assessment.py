"""The life of a rule's alerts: verdicts come in, a person acts now and then, and every move is looked at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from service.domain.alerts.alert import Alert, AlertEvent, Command, Reason, apply
from service.domain.alerts.evidence import LevelChange, RuleEvidence
from service.domain.alerts.reconcile import execute, reconcile
from service.domain.rules.assessment import assess_rule
from service.domain.rules.gates import judge
from service.domain.rules.kinds.change import Change
from service.domain.rules.memory import FIRED, MUTED, PART_OF_ANOTHER, Episode, KeptVerdict, Past, held_since
from service.domain.rules.rule import DOLLARS_A_DAY, DOLLARS_AN_HOUR, Calm, Gates, NewLevel, Observation, Rule
from service.domain.rules.view import SpendView
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION, Cell, Dimension, Scope, ScopeKey
from service.domain.values.severity import Severity
from tests.domain.rules.views import CELL, ENG, NOON, day, observation, view

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OPS = ScopeKey(Dimension.WORKSPACE, "wrkspc_ops")
KEY = ScopeKey(Dimension.API_KEY, CELL.api_key)
GATES = Gates(Money.of("20.00"), Money.of("30").usd, 10)
ROWS = {CELL: [1.0, 1.0], Cell(OPS.id, "claude-haiku", "apikey_cron"): [1.0, 1.0]}
EVERYTHING: SpendView = view(ROWS)


@dataclass
class Life:
    """One rule from evaluation to evaluation, an hour apart, with a person beside it."""

    spec: Rule[object]
    now: datetime = NOON
    episodes: Mapping[ScopeKey, Episode] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    kept: list[KeptVerdict] = field(default_factory=list)
    unjudged: frozenset[ScopeKey] = frozenset()
    edited_at: datetime = NOON
    seen: SpendView = EVERYTHING

    def see(self, seen: Mapping[ScopeKey, Observation], after: timedelta = HOUR) -> list[tuple[str, str]]:
        """What happens at the next evaluation: (command, reason) of every move."""
        return [(event.command.value, event.reason.value) for event in self.events(seen, after)]

    def events(self, seen: Mapping[ScopeKey, Observation], after: timedelta = HOUR) -> list[AlertEvent]:
        self.now += after
        since = held_since(self.episodes)
        verdicts = {key: judge(one, self.spec.gates, since.get(key), self.now) for key, one in seen.items()}
        latest = {alert.scope: alert for alert in self.alerts.values()}
        rule = Resource("rule_1", "unusual", 3, NOON, self.edited_at, {}, self.spec)
        past = Past(self.episodes, latest, self.unjudged)
        assessed = assess_rule(rule, replace(self.seen, as_of=self.now), verdicts, past)
        self.episodes, self.kept = assessed.episodes, list(assessed.kept)
        moves = reconcile([alert for alert in self.alerts.values() if alert.is_open], assessed.findings)
        first = len(self.alerts) + 1
        events = [execute(move, new_alert_id=f"alert_{n}", now=self.now) for n, move in enumerate(moves, first)]
        happened = [event for event in events if event is not None]
        for event in happened:
            self.alerts[event.alert.id] = event.alert
        return happened

    def person(self, command: Command) -> None:
        (alert,) = [alert for alert in self.alerts.values() if alert.is_open]
        event = apply(alert, command, actor="token:ann", reason=Reason.PERSON, now=self.now)
        self.alerts[alert.id] = event.alert

    def outcomes(self) -> dict[ScopeKey, str]:
        return {one.scope: one.outcome for one in self.kept}


def life(gates: Gates = GATES) -> Life:
    return Life(Rule("src_1", "change", Change(), gates=gates, severity=Severity.WARNING))


def rise(actual: float = 300.0, severity: Severity | None = None) -> Observation:
    return replace(observation(actual, 100.0), severity=severity, days=(day(0),))


QUIET = replace(observation(105.0, 100.0, candidate=False), days=(day(0),))
UNKNOWN = replace(observation(math.nan, 100.0, candidate=False), days=(day(0),))


def calming(*, over: bool) -> Observation:
    return replace(QUIET, calm=Calm(over, "1 normal day", "2 normal days", DAY))


def passing(*, over: bool) -> Observation:
    """One of the last days exceeds, and later ones are normal."""
    return replace(rise(), calm=Calm(over, "1 normal day", "2 normal days", DAY))


# ------------------------------------------------------------------------------------- one alert


def test_a_rise_rings_once_and_is_one_alert_until_it_is_over() -> None:
    rule = life()
    assert rule.see({ENG: rise()}) == [("open", "first")]
    assert rule.see({ENG: rise()}) == []
    assert rule.see({ENG: QUIET}) == [("resolve", "recovered")]
    assert rule.episodes == {}


def test_the_alert_says_which_rule_scope_and_dollars_with_its_cause() -> None:
    rule = life()
    seen = replace(rise(), cause="eng spent $300.00.", inputs=(("spent", "$300.00"),), impact=250.5, since=NOON)
    (event,) = rule.events({ENG: seen})
    assert event.alert.fingerprint == "rule:rule_1:workspace:wrkspc_eng"
    assert event.alert.evidence == RuleEvidence(
        rule_id="rule_1",
        rule_name="unusual",
        rule_kind="change",
        scope_name="workspace eng",
        actual=Money.of("300.000000"),
        expected=Money.of("100.000000"),
        unit="US dollars a day",
        cause="eng spent $300.00.",
        inputs=(("spent", "$300.00"),),
        days=(day(0),),
        since=NOON,
        impact=Money.of("250.500000"),
        about=ENG,
    )


def held(*, accepted_at: datetime | None = None) -> Observation:
    """A level that does not exceed any more and is not back to normal either, until it is accepted."""
    level = NewLevel(day(8), accepted_at, 605.2, 1210.4) if accepted_at else None
    return replace(QUIET, calm=Calm(False, "0 normal days", "2 normal days", DAY, accepted=level))


def test_a_launch_is_one_alert_until_its_level_is_accepted_and_the_end_says_so() -> None:
    rule = life()
    assert rule.see({ENG: replace(rise(), calm=held().calm)}) == [("open", "first")]
    assert [rule.see({ENG: held()}, after=DAY) for _ in range(7)] == [[]] * 7
    (event,) = rule.events({ENG: held(accepted_at=rule.now + DAY)}, after=DAY)
    assert (event.command, event.reason) == (Command.RESOLVE, Reason.ACCEPTED)
    assert isinstance(event.alert.evidence, RuleEvidence)
    assert event.alert.evidence.level == LevelChange("workspace eng", day(8), Money.of("605.2"), Money.of("1210.4"))


def test_an_alert_that_lasts_takes_in_what_began_with_it_whatever_it_is_about_by_now() -> None:
    """The organisation's alert came to be about one workspace's later day; another one has exceeded since the first."""
    rule, high = life(), Calm(False, "0 normal days", "2 normal days", DAY, high=True)
    rule.see({ORGANISATION: replace(rise(400.0), calm=high)})
    rule.seen = view(ROWS, today=day(-2))
    later = replace(rise(), days=(day(-2),), since=NOON + 2 * DAY, calm=high)
    rule.see({ORGANISATION: replace(QUIET, calm=high), ENG: later}, after=2 * DAY)
    both = {ENG: later, OPS: replace(rise(250.0), since=NOON, calm=high)}
    rule.see({ORGANISATION: replace(QUIET, calm=high), **both})
    assert len(rule.alerts) == 1


def test_a_workspace_that_joins_another_s_alert_calls_once_and_stays_in_it() -> None:
    """A launch shows in one workspace in the morning and in another at noon, and in the organisation in neither."""
    rule, up = life(), replace(QUIET, calm=Calm(False, "0 normal days", "2 normal days", DAY, up=True))
    assert rule.see({ORGANISATION: up, ENG: rise()}) == [("open", "first")]
    assert rule.see({ORGANISATION: up, ENG: rise(), OPS: rise(350.0)}) == [("raise", "raised")]
    assert rule.see({ORGANISATION: up, ENG: rise(), OPS: rise(350.0)}) == []
    assert rule.see({ORGANISATION: QUIET, ENG: QUIET, OPS: rise(350.0)}) == []
    assert len(rule.alerts) == 1


def test_what_comes_back_half_as_large_again_after_a_pause_calls_again_and_less_does_not() -> None:
    rule, high = life(), Calm(False, "0 normal days", "2 normal days", DAY, high=True)
    rule.see({ENG: replace(rise(), since=NOON, calm=high)})
    again = replace(rise(), days=(day(-1),), since=NOON + DAY, calm=high)
    assert rule.see({ENG: replace(again, actual=390.0)}, after=DAY) == [("amend", "grew")]
    assert rule.see({ENG: replace(again, actual=400.0)}) == [("raise", "raised")]
    assert rule.see({ENG: replace(again, actual=420.0)}) == []


def test_a_level_of_before_an_alert_is_no_end_of_it() -> None:
    rule = life()
    on_top = replace(rise(), calm=held(accepted_at=NOON).calm)
    assert rule.see({ENG: on_top}) == [("open", "first")]
    assert rule.see({ENG: held(accepted_at=NOON)}) == []
    assert rule.see({ENG: calming(over=True)}, after=DAY) == [("resolve", "recovered")]


def test_a_relapse_after_the_end_is_a_new_alert() -> None:
    rule = life()
    rule.see({ENG: rise()})
    rule.see({ENG: QUIET})
    assert rule.see({ENG: rise()}) == [("open", "first")]
    assert len(rule.alerts) == 2


def test_growing_spend_amends_and_a_graver_severity_calls_again() -> None:
    rule = life()
    rule.see({ENG: rise(300)})
    assert rule.see({ENG: rise(309)}) == []
    assert rule.see({ENG: rise(340)}) == [("amend", "grew")]
    assert rule.see({ENG: rise(340, Severity.CRITICAL)}) == [("raise", "raised")]
    rule.see({ENG: rise(340, Severity.INFO)})
    assert [alert.severity for alert in rule.alerts.values()] == [Severity.CRITICAL]


def test_an_unknown_figure_ends_nothing() -> None:
    rule = life()
    rule.see({ENG: rise()})
    assert rule.see({ENG: UNKNOWN}) == []
    assert rule.see({ENG: QUIET}) == [("resolve", "recovered")]


def test_a_series_that_cannot_be_judged_for_a_defect_stays_as_it_is() -> None:
    rule = life()
    rule.see({ENG: rise()})
    rule.unjudged = frozenset({ENG})
    assert rule.see({OPS: QUIET}) == []
    rule.unjudged = frozenset()
    assert rule.see({OPS: QUIET}) == [("resolve", "no_longer_known")]


def test_an_alert_that_the_rule_is_not_about_since_it_was_edited_ends_for_that_reason() -> None:
    rule = life()
    rule.see({ENG: rise()})
    rule.edited_at = rule.now + HOUR
    assert rule.see({OPS: QUIET}, 2 * HOUR) == [("resolve", "rule_edited")]


def test_an_alert_waits_until_the_kind_calls_it_calm_and_it_is_a_day_old() -> None:
    rule = life()
    rule.see({ENG: rise()})
    assert rule.see({ENG: calming(over=False)}, 3 * DAY) == []
    assert rule.see({ENG: calming(over=True)}) == [("resolve", "recovered")]
    rule.see({ENG: rise()})
    assert rule.see({ENG: calming(over=True)}, DAY - HOUR) == []
    assert rule.see({ENG: calming(over=True)}, HOUR) == [("resolve", "recovered")]


def test_a_day_that_people_were_told_of_keeps_no_alert_open_once_enough_normal_ones_have_passed() -> None:
    """The last three days are judged again each time: the incident's own day is still among them."""
    rule = life()
    rule.see({ENG: passing(over=False)})
    assert rule.see({ENG: passing(over=False)}, DAY) == []
    assert rule.see({ENG: passing(over=True)}, DAY) == [("resolve", "recovered")]
    assert rule.see({ENG: passing(over=True)}) == []
    assert rule.see({ENG: QUIET}) == []
    assert rule.episodes == {}


def test_the_end_has_the_last_word_on_its_incident() -> None:
    """What was known while the day ran is not what the day has come to."""
    rule = life()
    rule.see({ENG: passing(over=False)})
    settled = replace(passing(over=True), actual=320.0)
    (event,) = rule.events({ENG: settled}, 2 * DAY)
    assert event.command is Command.RESOLVE
    assert isinstance(event.alert.evidence, RuleEvidence)
    assert event.alert.evidence.actual == Money.of("320.000000")


def test_another_scope_s_incident_of_a_later_day_is_an_alert_of_its_own() -> None:
    rule = life()
    rule.see({ORGANISATION: replace(rise(400), days=(day(3),)), ENG: QUIET})
    later = replace(rise(300), days=(day(0),), since=NOON)
    (event,) = rule.events({ORGANISATION: replace(rise(400), days=(day(3),)), ENG: later})
    assert (event.command, event.alert.scope) == (Command.OPEN, ENG)
    assert len([alert for alert in rule.alerts.values() if alert.is_open]) == 2


def test_people_are_called_when_an_open_alert_takes_in_another_scope_on_a_later_day() -> None:
    rule = life()
    yesterday = replace(rise(400), days=(day(1),))
    rule.see({ORGANISATION: yesterday, ENG: QUIET})
    longer = replace(rise(300), days=(day(1), day(0)))
    assert rule.see({ORGANISATION: yesterday, ENG: longer}) == [("raise", "raised")]
    assert rule.see({ORGANISATION: yesterday, ENG: longer}) == []
    (alert,) = rule.alerts.values()
    assert alert.scope == ORGANISATION
    assert isinstance(alert.evidence, RuleEvidence)
    assert alert.evidence.about == ENG


def test_what_was_told_of_as_part_of_an_organisation_s_incident_rings_no_more_when_that_is_over() -> None:
    rule = life()
    both = {ORGANISATION: passing(over=False), ENG: passing(over=False)}
    assert rule.see(both) == [("open", "first")]
    over = {ORGANISATION: passing(over=True), ENG: passing(over=True)}
    assert rule.see(over, 2 * DAY) == [("resolve", "recovered")]
    assert rule.see({ORGANISATION: QUIET, ENG: passing(over=True)}) == []


def test_a_relapse_while_the_last_incident_s_day_is_still_judged_is_a_new_alert() -> None:
    rule = life()
    rule.see({ENG: passing(over=False)})
    rule.see({ENG: passing(over=True)}, 2 * DAY)
    assert rule.see({ENG: passing(over=False)}) == [("open", "first")]


def test_what_is_found_late_rings_although_later_days_were_normal_and_stays_for_a_day() -> None:
    rule = life()
    assert rule.see({ENG: passing(over=True)}) == [("open", "first")]
    assert rule.see({ENG: passing(over=True)}, DAY - HOUR) == []
    assert rule.see({ENG: passing(over=True)}) == [("resolve", "recovered")]
    assert rule.see({ENG: passing(over=True)}) == []


def test_an_alert_is_kept_open_for_as_long_as_the_gate_says() -> None:
    rule = life(replace(GATES, keep_firing_for=3 * HOUR))
    rule.see({ENG: rise()})
    rule.see({ENG: rise()})
    assert [rule.see({ENG: QUIET}) for _ in range(3)] == [[], [("amend", "calm")], [("resolve", "recovered")]]


def test_what_has_to_hold_for_a_while_rings_when_it_has_and_not_before() -> None:
    rule = life(replace(GATES, pending_for=2 * HOUR))
    assert [rule.see({ENG: rise()}) for _ in range(3)] == [[], [], [("open", "first")]]


def test_what_fell_back_while_it_was_pending_starts_anew() -> None:
    rule = life(replace(GATES, pending_for=2 * HOUR))
    rule.see({ENG: rise()})
    rule.see({ENG: QUIET})
    assert [rule.see({ENG: rise()}) for _ in range(3)] == [[], [], [("open", "first")]]


# ------------------------------------------------------------------------------------- severity


def test_an_alert_that_is_confirmed_is_raised_with_its_reason_which_it_keeps() -> None:
    rule = life()
    rule.see({ENG: replace(rise(severity=Severity.WARNING), because="warning until it is confirmed")})
    confirmed = replace(rise(severity=Severity.CRITICAL), because="critical: two hours in a row")
    assert rule.see({ENG: confirmed}) == [("raise", "raised")]
    assert shown(rule).severity_reason == "critical: two hours in a row"
    rule.see({ENG: replace(rise(900.0, Severity.WARNING), because="warning until it is confirmed")})
    assert shown(rule).actual == Money.of("900.000000")
    assert shown(rule).severity_reason == "critical: two hours in a row"


# ------------------------------------------------------------------------------------- back to normal


def resting(seen: Observation, since: datetime) -> Observation:
    """Normal again since then, though not for long enough."""
    return replace(seen, calm=Calm(False, "2 normal hours", "6 normal hours", HOUR, since, since + 6 * HOUR))


def shown(rule: Life) -> RuleEvidence:
    (alert,) = rule.alerts.values()
    assert isinstance(alert.evidence, RuleEvidence)
    return alert.evidence


def test_a_calm_alert_says_so_once_and_when_it_closes() -> None:
    rule = life()
    rule.see({ENG: passing(over=False)})
    since = rule.now
    assert rule.see({ENG: resting(QUIET, since)}) == [("amend", "calm")]
    assert rule.see({ENG: resting(QUIET, since)}) == []
    assert (shown(rule).calm_since, shown(rule).closes_at) == (since, since + 6 * HOUR)
    assert rule.see({ENG: calming(over=True)}, DAY) == [("resolve", "recovered")]


def test_an_incident_known_by_its_hour_is_not_shown_by_its_day_once_it_is_calm() -> None:
    """The hours are past those that are judged again; their day still exceeds."""
    rule = life()
    hour = replace(rise(160.0), unit=DOLLARS_AN_HOUR, impact=300.0)
    rule.see({ENG: hour})
    assert rule.see({ENG: resting(replace(rise(900.0), impact=310.0), rule.now)}) == [("amend", "calm")]
    assert (shown(rule).unit, shown(rule).actual, shown(rule).impact) == (
        DOLLARS_AN_HOUR,
        Money.of("160.000000"),
        Money.of("310.000000"),
    )


def test_what_returns_before_it_is_over_is_the_same_alert_and_says_so() -> None:
    rule = life()
    rule.see({ENG: passing(over=False)})
    rule.see({ENG: resting(QUIET, rule.now)})
    assert rule.see({ENG: passing(over=False)}) == [("amend", "returned")]
    assert shown(rule).calm_since is None


def test_an_unknown_figure_is_not_calm() -> None:
    rule = life(replace(GATES, keep_firing_for=9 * HOUR))
    rule.see({ENG: rise()})
    assert [rule.see({ENG: UNKNOWN}) for _ in range(4)] == [[], [], [], []]


# ------------------------------------------------------------------------------------- what the bill says


def told_of_yesterday(actual: float = 300.0, unit: str = DOLLARS_A_DAY) -> Life:
    """An open alert about yesterday, of which nothing fires any more; the kind would let it wait for two days."""
    rule = life()
    rule.see({ENG: replace(passing(over=False), actual=actual, days=(day(1),), unit=unit, since=NOON - DAY)})
    return rule


def billed(rule: Life, yesterday: float, settled: datetime | None) -> list[tuple[str, str]]:
    rule.seen = replace(view({CELL: [yesterday, 50.0]}), settled_until=settled)
    return rule.see({ENG: calming(over=False)})


YESTERDAYS_END = NOON.replace(hour=0)


def test_a_settled_bill_that_is_not_unusual_ends_the_alert_as_not_confirmed_with_both_figures() -> None:
    rule = told_of_yesterday()
    assert billed(rule, 0.0, YESTERDAYS_END) == [("resolve", "not_confirmed")]
    assert (shown(rule).billed, shown(rule).actual) == (Money.of("0.000000"), Money.of("300.000000"))
    assert rule.see({ENG: passing(over=False)}) == [("open", "first")]


@pytest.mark.parametrize(
    ("yesterday", "settled"),
    [
        pytest.param(0.0, None, id="a bill that is not settled"),
        pytest.param(0.0, YESTERDAYS_END - DAY, id="a bill that is settled for the days before"),
        pytest.param(200.0, YESTERDAYS_END, id="a bill that is lower and still unusual"),
        pytest.param(400.0, YESTERDAYS_END, id="a bill that is higher"),
    ],
)
def test_an_alert_is_not_contradicted_by(yesterday: float, settled: datetime | None) -> None:
    assert billed(told_of_yesterday(), yesterday, settled) == []


def test_an_hour_is_contradicted_by_a_bill_whose_whole_day_is_no_more_than_usual_for_the_hour() -> None:
    assert billed(told_of_yesterday(unit=DOLLARS_AN_HOUR), 90.0, YESTERDAYS_END) == [("resolve", "not_confirmed")]
    assert billed(told_of_yesterday(unit=DOLLARS_AN_HOUR), 290.0, YESTERDAYS_END) == []


# ------------------------------------------------------------------------------------- corrections


def yesterday(actual: float) -> Observation:
    return replace(rise(actual), days=(day(1),))


def spike(impact: float, hours_ago: int = 1) -> Observation:
    """An incident of hours: `impact` in all since it began yesterday at noon."""
    judged = NOON - hours_ago * HOUR
    return replace(rise(), unit=DOLLARS_AN_HOUR, impact=impact, since=NOON - DAY, hour=judged)


@pytest.mark.parametrize(
    ("heard", "by_now", "move"),
    [
        pytest.param(yesterday(300.0), yesterday(190.0), "corrected", id="a bill of less than half the excess"),
        pytest.param(yesterday(300.0), yesterday(210.0), "restated", id="a bill of a little more than that"),
        pytest.param(yesterday(300.0), yesterday(400.0), "corrected", id="a bill of half as much again"),
        pytest.param(yesterday(300.0), yesterday(390.0), "grew", id="a bill of a little less than that"),
        pytest.param(rise(300.0), rise(900.0), "grew", id="a day that still runs"),
        pytest.param(yesterday(300.0), rise(900.0), "grew", id="a later day that is worse"),
        pytest.param(yesterday(300.0), rise(150.0), "restated", id="a later day that is better"),
        pytest.param(spike(400.0), spike(190.0, 0), "corrected", id="hours that come to less in all"),
        pytest.param(spike(400.0), spike(900.0, 0), "grew", id="hours that go on"),
        pytest.param(spike(400.0), spike(900.0), "grew", id="an hour whose report fills up"),
    ],
)
def test_what_was_heard_is_corrected_where_it_was_wrong_and_not_where_it_goes_on(
    heard: Observation, by_now: Observation, move: str
) -> None:
    rule = life()
    rule.see({ENG: heard})
    assert rule.see({ENG: by_now}) == [("amend", move)]


def test_small_corrections_add_up_to_one_that_is_heard_and_it_is_heard_once() -> None:
    rule = life()
    rule.see({ENG: yesterday(300.0)})
    moves = [rule.see({ENG: yesterday(actual)}) for actual in (270.0, 240.0, 210.0, 195.0, 190.0)]
    assert moves == [[("amend", "restated")]] * 3 + [[("amend", "corrected")], []]
    heard = shown(rule).heard
    assert heard is not None
    assert (heard.excess, heard.before) == (Money.of("95.000000"), Money.of("200.000000"))


def test_what_an_older_release_stored_is_not_corrected() -> None:
    rule = life()
    rule.see({ENG: yesterday(300.0)})
    (alert,) = rule.alerts.values()
    rule.alerts[alert.id] = replace(alert, evidence=replace(shown(rule), heard=None))
    assert rule.see({ENG: yesterday(150.0)}) == [("amend", "restated")]


# ------------------------------------------------------------------------------------- one incident


def test_a_workspace_inside_a_ringing_organisation_is_no_alert_of_its_own() -> None:
    rule = life()
    assert rule.see({ORGANISATION: rise(400), ENG: rise(300)}) == [("open", "first")]
    (alert,) = rule.alerts.values()
    assert alert.scope == ORGANISATION
    assert rule.outcomes() == {ORGANISATION: FIRED, ENG: PART_OF_ANOTHER}


def test_an_incident_that_moves_from_the_organisation_to_its_workspace_stays_one_alert() -> None:
    rule = life()
    rule.see({ORGANISATION: rise(400), ENG: rise(300)})
    assert rule.see({ORGANISATION: QUIET, ENG: rise(300)}) == [("amend", "restated")]
    assert rule.see({ORGANISATION: QUIET, ENG: QUIET}) == [("resolve", "recovered")]


def test_an_incident_that_grows_from_a_workspace_to_the_organisation_stays_one_alert() -> None:
    rule = life()
    rule.see({ORGANISATION: QUIET, ENG: rise(300)})
    assert rule.see({ORGANISATION: rise(600), ENG: rise(300)}) == [("amend", "grew")]
    (alert,) = rule.alerts.values()
    assert alert.scope == ENG


def test_two_workspaces_are_two_incidents() -> None:
    rule = life()
    assert rule.see({ENG: rise(300), OPS: rise(200)}) == [("open", "first"), ("open", "first")]
    assert rule.see({ENG: QUIET, OPS: rise(200)}) == [("resolve", "recovered")]


# ------------------------------------------------------------------------------------- people


def test_what_a_person_resolved_is_quiet_until_it_was_over() -> None:
    rule = life()
    rule.see({ENG: rise()})
    rule.person(Command.RESOLVE)
    assert [rule.see({ENG: rise(900)}) for _ in range(3)] == [[], [], []]
    assert rule.outcomes() == {ENG: MUTED}
    assert rule.see({ENG: QUIET}) == []
    assert rule.see({ENG: rise()}) == [("open", "first")]


def test_what_a_person_resolved_rings_again_when_it_gets_graver() -> None:
    rule = life()
    rule.see({ENG: rise(300, Severity.WARNING)})
    rule.person(Command.RESOLVE)
    assert rule.see({ENG: rise(900, Severity.ERROR)}) == [("open", "first")]
    rule.person(Command.RESOLVE)
    assert rule.see({ENG: rise(900, Severity.ERROR)}) == []
    assert rule.see({ENG: rise(900, Severity.CRITICAL)}) == [("open", "first")]


@pytest.mark.parametrize("relative", [ENG, KEY])
def test_resolving_the_organisation_s_alert_quiets_what_is_inside_it(relative: ScopeKey) -> None:
    rule = life()
    rule.see({ORGANISATION: rise(400)})
    rule.person(Command.RESOLVE)
    assert rule.see({ORGANISATION: rise(400), relative: rise(300)}) == []
    assert rule.see({ORGANISATION: QUIET, relative: rise(300)}) == []


def test_a_mute_waits_for_calm_like_an_open_alert_does() -> None:
    rule = life()
    rule.see({ENG: rise()})
    rule.person(Command.RESOLVE)
    rule.see({ENG: calming(over=False)}, DAY)
    assert rule.see({ENG: rise()}) == []
    rule.see({ENG: calming(over=True)}, DAY)
    assert rule.see({ENG: rise()}) == [("open", "first")]


def test_an_acknowledged_alert_stays_the_same_alert() -> None:
    rule = life()
    rule.see({ENG: rise()})
    rule.person(Command.ACKNOWLEDGE)
    assert rule.see({ENG: rise()}) == []
    assert rule.see({ENG: QUIET}) == [("resolve", "recovered")]


# ------------------------------------------------------------------------------------- what is kept


def test_an_objection_is_kept_with_the_gate_that_stopped_it() -> None:
    rule = life()
    assert rule.see({ENG: rise(115.0), OPS: QUIET}) == []
    (kept,) = rule.kept
    assert (kept.scope, kept.day, kept.outcome) == (ENG, day(0), "min_amount")
    assert (kept.actual, kept.expected, kept.rule_version) == (Money.of("115.000000"), Money.of("100.000000"), 3)
    assert kept.first_at == kept.last_at == rule.now


def test_what_only_explains_others_neither_rings_nor_is_kept() -> None:
    rule = life()
    assert rule.see({KEY: replace(rise(), stands_alone=False)}) == []
    assert rule.kept == []


def test_a_rule_of_one_workspace_names_it() -> None:
    rule = life()
    rule.spec = replace(rule.spec, scope=Scope(workspaces=(ENG.id,)))
    (event,) = rule.events({ORGANISATION: rise()})
    assert isinstance(event.alert.evidence, RuleEvidence)
    assert event.alert.evidence.scope_name == "workspace eng"
