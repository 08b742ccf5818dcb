"""A person's estimated cost of Claude Code: a limit on a period, and days far above what is usual of that person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from service.domain.alerts.alert import AlertEvent, AlertState, Command, Reason
from service.domain.alerts.findings import Condition
from service.domain.messages.message import compose
from service.domain.messages.named import with_names
from service.domain.notify.notification import Action, Message
from service.domain.rules.assessment import Assessed, assess_rule
from service.domain.rules.evaluation import evaluate
from service.domain.rules.feedback import Feedback, FeedbackKind
from service.domain.rules.kinds.claude_code import ClaudeCodeCost, RunningPeriod
from service.domain.rules.memory import Past
from service.domain.rules.registry import validate
from service.domain.rules.rule import Gates, Rule, Verdict
from service.domain.rules.view import SpendView
from service.domain.spend.claude_code import MARK, ClaudeCodeDay, ClaudeCodeRecord, ModelUse
from service.domain.values.errors import Invalid
from service.domain.values.money import Money
from service.domain.values.scopes import Dimension, Scope, ScopeKey
from tests.domain.rules.views import NOON, TODAY, day, instant, rule, view
from tests.factories import resource
from tests.sample_alerts import PUBLIC_URL, RULE, RULE_ALERT

ADA, GRACE = (ScopeKey(Dimension.ACTOR, f"person_{digits * 8}") for digits in ("7f", "a1"))
USUAL = {ago: "20" for ago in range(2, 12)}
ANOMALY = ClaudeCodeCost()


def limit(amount: str, period: RunningPeriod = RunningPeriod.MONTH) -> ClaudeCodeCost:
    return ClaudeCodeCost(Money.of(amount), period, times=None)


def record(actor: str, usd: str, terminal: str = "vscode") -> ClaudeCodeRecord:
    use = ModelUse("claude-sonnet-5-5", 1, 1, 0, 0, Money.of(usd))
    return ClaudeCodeRecord(actor, "api", terminal, 1, 0, 0, 0, 0, (), (use,))


def used(people: Mapping[ScopeKey, Mapping[int, str]], at: datetime = NOON, unread: Sequence[int] = ()) -> SpendView:
    """A view at an instant of dollars by person and days ago, counted from TODAY; all days but `unread` were read."""
    days = [
        ClaudeCodeDay(day(ago), tuple(record(key.id, row[ago]) for key, row in people.items() if ago in row))
        for ago in range(31, -8, -1)
        if ago not in unread
    ]
    return replace(view([5.0] * 40, today=at.date()), as_of=at, claude_code=tuple(days))


def judged(
    params: ClaudeCodeCost,
    row: Mapping[int, str],
    at: datetime = NOON,
    said: Sequence[Feedback] = (),
    gates: Gates | None = None,
) -> Verdict:
    return evaluate(used({ADA: row}, at), rule("claude_code", params, gates=gates), said)[ADA]


# ------------------------------------------------------------------------------------------ the limit


@pytest.mark.parametrize(
    ("sentence", "params", "row", "fires"),
    [
        ("the month is above it", limit("100"), {20: "60", 0: "40.01"}, True),
        ("the month is just at it", limit("100"), {20: "60", 0: "40"}, False),
        ("the month before had crossed it", limit("100"), {21: "500", 0: "40"}, False),
        ("Monday to Saturday are above it", limit("100", RunningPeriod.WEEK), {5: "60", 0: "40.01"}, True),
        ("last Sunday would have crossed it", limit("100", RunningPeriod.WEEK), {6: "60", 0: "50"}, False),
        ("today is above it", limit("100", RunningPeriod.DAY), {0: "100.01"}, True),
        ("yesterday was above it", limit("100", RunningPeriod.DAY), {1: "500", 0: "1"}, False),
        ("only tomorrow is above it", limit("100"), {-1: "500", 0: "1"}, False),
    ],
)
def test_the_limit_of_a_running_period_fires_from_the_first_cent_above_it(
    sentence: str, params: ClaudeCodeCost, row: Mapping[int, str], fires: bool
) -> None:
    assert judged(params, row).fires is fires, sentence


@pytest.mark.parametrize(
    ("sentence", "params", "row", "hours", "fires"),
    [
        ("yesterday's last hours are told", limit("100", RunningPeriod.DAY), {1: "100.01", 0: "1"}, 2.9, True),
        ("they were told long ago", limit("100", RunningPeriod.DAY), {1: "100.01", 0: "1"}, 3, False),
        ("the day before yesterday never comes back", limit("100", RunningPeriod.DAY), {2: "500", 0: "1"}, 1, False),
        ("today goes before yesterday", limit("100", RunningPeriod.DAY), {1: "150", 0: "120"}, 2, True),
    ],
)
def test_the_last_hours_of_a_period_count_though_the_report_has_them_after_its_end(
    sentence: str, params: ClaudeCodeCost, row: Mapping[int, str], hours: float, fires: bool
) -> None:
    midnight = instant(0)
    verdict = judged(params, row, midnight + timedelta(hours=hours))
    assert verdict.fires is fires, sentence
    if fires:
        begun = TODAY if row.get(0, "0") == "120" else day(1)
        assert verdict.observation.days[-1] == begun


@pytest.mark.parametrize("period", [RunningPeriod.WEEK, RunningPeriod.MONTH])
def test_so_do_those_of_a_week_and_of_a_month(period: RunningPeriod) -> None:
    ago = next(ago for ago in range(31) if period.start(day(ago)) == day(ago))
    last_night = instant(ago)
    row = {ago + 1: "60", ago + 2: "40.01", ago: "1"}
    assert judged(limit("100", period), row, last_night + timedelta(hours=2)).fires
    assert not judged(limit("100", period), row, last_night + timedelta(hours=4)).fires


@pytest.mark.parametrize(
    ("sentence", "params", "late", "fires"),
    [
        ("a day's limit", limit("100", RunningPeriod.DAY), 4, True),
        ("a day's limit that was read before", limit("100", RunningPeriod.DAY), 3, False),
        ("a week's limit", limit("100", RunningPeriod.WEEK), 6, True),
        ("times the usual", ANOMALY, 4, True),
        ("times the usual, read before", ANOMALY, 3, False),
    ],
)
def test_what_was_crossed_while_nothing_could_be_read_fires_once_it_is_read(
    sentence: str, params: ClaudeCodeCost, late: int, fires: bool
) -> None:
    """Four days ago somebody used ten times the usual; last Sunday, six days ago, a week ended above its limit."""
    row = {ago: "20" for ago in range(1, 16)} | {4 if late < 6 else 6: "200"}
    seen = replace(used({ADA: row}), late_since=day(late))
    verdict = evaluate(seen, rule("claude_code", params))[ADA]
    assert verdict.fires is fires, sentence
    if fires:
        assert verdict.observation.days[-1] == day(late)


def test_gates_of_size_and_of_active_days_do_not_weigh_a_limit_that_a_person_set() -> None:
    found = judged(limit("100"), {0: "100.01"}, gates=Gates(min_active_days=20))
    assert found.fires
    assert {gate.needed for gate in found.gates[:3]} == {"nothing: a person set the limit"}
    assert not judged(limit("100"), {0: "100.01"}, gates=Gates(pending_for=timedelta(hours=1))).fires


def test_the_sum_is_exact_and_of_all_of_a_persons_terminals() -> None:
    records = tuple(record(ADA.id, "0.1", terminal) for terminal in "abc")
    seen = replace(used({}), claude_code=(ClaudeCodeDay(TODAY, records),))
    assert not evaluate(seen, rule("claude_code", limit("0.30")))[ADA].observation.candidate
    assert evaluate(seen, rule("claude_code", limit("0.29")))[ADA].fires


# ----------------------------------------------------------------------------------------- the anomaly


@pytest.mark.parametrize(
    ("sentence", "row", "fires"),
    [
        ("yesterday is three times the median and $20 more", USUAL | {1: "80"}, True),
        ("yesterday is three times the median, but for less than the gate", USUAL | {1: "79.99"}, False),
        ("a loud day among the usual ones moves no median", USUAL | {5: "900", 1: "80"}, True),
        ("today is not over", USUAL | {1: "20", 0: "900"}, False),
        ("days without use are no active ones", {3: "20", 8: "20", 13: "20", 20: "20", 27: "20", 1: "90"}, True),
        ("four active days are too few", {3: "20", 8: "20", 13: "20", 20: "20", 1: "900"}, False),
        (
            "a fifth that lies 29 days before does not count",
            {3: "20", 8: "20", 13: "20", 20: "20", 30: "20", 1: "900"},
            False,
        ),
        ("nothing is known before", {1: "900"}, False),
        ("small dollars stay below the gate", {ago: "0.50" for ago in range(2, 12)} | {1: "20"}, False),
    ],
)
def test_a_full_day_far_above_the_persons_median_fires(sentence: str, row: Mapping[int, str], fires: bool) -> None:
    assert judged(ANOMALY, row).fires is fires, sentence


def test_a_day_is_full_three_hours_after_its_end_as_the_report_is_late() -> None:
    row = USUAL | {1: "20", 0: "900"}
    assert not judged(ANOMALY, row, instant(-1, 2)).fires
    assert judged(ANOMALY, row, instant(-1, 3)).fires
    assert not judged(ANOMALY, row | {-1: "20"}, instant(-2, 3)).fires, "the next day is normal"


def test_a_day_that_was_not_read_is_unknown_and_not_calm() -> None:
    seen = evaluate(used({ADA: USUAL}, unread=[1]), rule("claude_code", ANOMALY))[ADA].observation
    assert not seen.candidate
    assert str(seen.actual) == "nan"
    assert seen.cause.endswith(f"the cost of 20 November 2026, {MARK}, is not known.")


def test_days_of_which_people_said_that_it_is_so_from_now_on_are_the_usual() -> None:
    row = {ago: "20" for ago in range(8, 20)} | {ago: "90" for ago in range(1, 8)}
    said = Feedback(ADA, FeedbackKind.EXPECTED, day(7), day(7), instant(6))
    assert judged(ANOMALY, row).fires
    assert not judged(ANOMALY, row, said=[said]).fires


# ------------------------------------------------------------------------------------------ the person


def test_everybody_is_judged_alone_and_nobody_known_is_not_judged() -> None:
    seen = used({ADA: {0: "101"}, GRACE: {0: "99"}, ScopeKey(Dimension.ACTOR, ""): {0: "900"}})
    verdicts = evaluate(seen, rule("claude_code", limit("100")))
    assert {key: verdict.fires for key, verdict in verdicts.items()} == {ADA: True, GRACE: False}


def test_one_alert_a_person_while_the_limit_and_then_the_day_is_exceeded() -> None:
    params = ClaudeCodeCost(Money.of("50"), RunningPeriod.DAY, Decimal(3))
    spec: Rule[object] = rule("claude_code", params)
    stored = resource("rule_1", spec)
    row = USUAL | {1: "20", 0: "900", -1: "20"}

    def found(at: datetime) -> list[tuple[str, str]]:
        seen = used({ADA: row, GRACE: {0: "60"}}, at)
        alert = replace(RULE_ALERT, scope=ADA, state=AlertState.FIRING, opened_at=NOON, changed_at=NOON)
        past = Past({}, {ADA: replace(alert, evidence=replace(RULE, days=(TODAY,)))})
        findings = assess_rule(stored, seen, evaluate(seen, spec), past).findings
        return [(one.scope.id, one.condition.value) for one in findings]

    assert sorted(found(NOON)) == [(ADA.id, "holds"), (GRACE.id, "fires")]
    assert found(instant(-1, 12)) == [(ADA.id, "holds")], "the full day is now what is objected to"
    assert found(instant(-2, 12)) == [(ADA.id, "over")]


@pytest.mark.parametrize("state", [AlertState.ACKNOWLEDGED, AlertState.RESOLVED])
def test_a_limit_that_is_crossed_anew_while_the_period_before_fills_up_is_told(state: AlertState) -> None:
    """The period before holds until three hours after its end, so that nothing is calm in between."""
    spec: Rule[object] = rule("claude_code", limit("50", RunningPeriod.DAY))
    stored = resource("rule_1", spec)

    def found(at: datetime, costs: Mapping[int, str], past: Past) -> Assessed:
        seen = used({ADA: costs}, at)
        return assess_rule(stored, seen, evaluate(seen, spec), past)

    first = found(NOON, {0: "60"}, Past({}, {}))
    by = "token:ann" if state is AlertState.RESOLVED else None
    opened = replace(RULE_ALERT, scope=ADA, opened_at=NOON, changed_at=NOON, severity=spec.severity, latest=None)
    answered = replace(opened, state=state, resolved_by=by, evidence=first.findings[0].evidence)
    night = found(instant(-1, 1), {0: "60"}, Past(first.episodes, {ADA: answered}))
    assert [one.condition for one in night.findings if one.condition is Condition.FIRES] == []
    anew = found(instant(-1, 2), {0: "60", -1: "51"}, Past(night.episodes, {ADA: answered}))
    assert [one.condition for one in anew.findings] == [Condition.FIRES]
    assert anew.findings[0].evidence.says_more_than(answered.evidence)
    patient = replace(stored, spec=replace(spec, gates=replace(spec.gates, keep_firing_for=timedelta(hours=4))))
    at_two = used({ADA: {0: "60", -1: "51"}}, instant(-1, 2))
    kept = assess_rule(patient, at_two, evaluate(at_two, spec), Past(night.episodes, {ADA: answered}))
    assert [one for one in kept.findings if one.condition is Condition.FIRES] == []


def told(params: ClaudeCodeCost, row: Mapping[int, str], name: str = "") -> Message:
    spec: Rule[object] = rule("claude_code", params)
    seen = used({ADA: row})
    (finding,) = assess_rule(resource("rule_1", spec, name="people"), seen, evaluate(seen, spec), Past({}, {})).findings
    alert = replace(RULE_ALERT, scope=ADA, evidence=finding.evidence, latest=None)
    event = AlertEvent(alert, NOON, Command.OPEN, "tocsin", Reason.FIRST)
    return compose(with_names(event, {ADA: name} if name else {}), Action.OPEN, PUBLIC_URL)


@pytest.mark.parametrize(
    ("params", "row", "headline"),
    [
        (limit("100", RunningPeriod.DAY), {0: "150"}, "$150 on Sat 21 Nov, $50.00 above the limit"),
        (ANOMALY, USUAL | {1: "90"}, "$90.00 on Fri 20 Nov, $30.00 above the limit"),
    ],
)
def test_all_that_is_said_calls_it_estimated_and_not_on_the_bill(
    params: ClaudeCodeCost, row: Mapping[int, str], headline: str
) -> None:
    said = told(params, row)
    assert said.headline == f"Person 7f7f7f7f: {headline}, {MARK}"
    for words in (said.headline, said.summary, dict(said.facts)["How this was judged"], said.one_line):
        assert MARK.lower() in words.lower()


def test_the_name_is_put_in_when_it_is_told() -> None:
    said = told(limit("100"), {0: "150"}, "ada@example.com")
    assert said.headline.startswith("Person ada@example.com: $150")
    assert "7f7f7f7f" not in said.headline + dict(said.facts)["How this was judged"]
    assert said.next_step == "Find out what person ada@example.com did with Claude Code, then acknowledge."


# ---------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("params", "scope", "pointer"),
    [
        (ClaudeCodeCost(amount=None, times=None), Scope(), "/params/amount"),
        (limit("0"), Scope(), "/params/amount"),
        (ClaudeCodeCost(times=Decimal(1)), Scope(), "/params/times"),
        (ClaudeCodeCost(times=Decimal("NaN")), Scope(), "/params/times"),
        (ClaudeCodeCost(times=Decimal(1001)), Scope(), "/params/times"),
        (ANOMALY, Scope(workspaces=("wrkspc_eng",)), "/scope"),
        (ANOMALY, Scope(actors=(ADA.id,)), "/scope"),
    ],
)
def test_what_means_nothing_is_refused(params: ClaudeCodeCost, scope: Scope, pointer: str) -> None:
    with pytest.raises(Invalid) as refusal:
        validate(rule("claude_code", params, scope=scope))
    assert refusal.value.pointer == pointer
