"""The order of gates, whose alert tells of what, and what is remembered of a past instant."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest

from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason
from service.domain.alerts.evidence import RuleEvidence
from service.domain.explain.explanation import ExplainedOutcome, Explanation, ranked, then
from service.domain.explain.past_spend import window_spend
from service.domain.explain.rules import RuleCase, explain_rule
from service.domain.rules.assessment import fingerprint
from service.domain.rules.gates import judge
from service.domain.rules.kinds.change import Change
from service.domain.rules.memory import Episode, KeptVerdict, Past, episodes_at
from service.domain.rules.rule import Gates, GateVerdict, Observation, Rule
from service.domain.rules.view import DayFigures, KnownFigures
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION, Dimension, ScopeKey
from service.domain.values.severity import Severity
from tests.domain.rules.views import CELL, ENG, NOON, day, observation, view

HOUR = timedelta(hours=1)
KEY = ScopeKey(Dimension.API_KEY, CELL.api_key)
MODEL = ScopeKey(Dimension.MODEL, CELL.model)
GATES = Gates(Money.of("20.00"), Money.of("30").usd, 10)
VIEW = view({CELL: [100.0, 300.0]})
RISE = replace(observation(300.0, 100.0), days=(day(0),), cause="Spend is three times the usual.")
CALM = replace(observation(100.0, 100.0, candidate=False), days=(day(1),))


def case(seen: Mapping[ScopeKey, Observation], *alerts: Alert, gates: Gates = GATES, **changes: object) -> RuleCase:
    """A rule that is asked about now; each alert's scope has an episode that began with it."""
    latest = {alert.scope: alert for alert in alerts}
    past = Past({alert.scope: Episode(alert.opened_at) for alert in alerts}, latest)
    spec: Rule[object] = Rule("src_1", "change", Change(), gates=gates)
    made = RuleCase(
        rule=Resource("rule_1", "unusual", 3, NOON, NOON, {}, spec),
        source_enabled=True,
        view=VIEW,
        verdicts={key: judge(one, gates, None, NOON) for key, one in seen.items()},
        failed={},
        past=past,
        feedback=(),
        open_alerts={scope: told for scope, alert in latest.items() if (told := then([event(alert)], NOON))},
        fired={},
        remembered=frozenset(),
        is_past=False,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def alert(
    scope: ScopeKey,
    *,
    resolved_by: str | None = None,
    severity: Severity = Severity.WARNING,
    days: tuple[date, ...] = (),
) -> Alert:
    evidence = RuleEvidence(
        rule_id="rule_1",
        rule_name="unusual",
        rule_kind="change",
        scope_name="",
        actual=ZERO,
        expected=ZERO,
        unit="US dollars a day",
        cause="It rose.",
        inputs=(),
        days=days,
    )
    opened = NOON - HOUR
    return Alert(
        id=f"alert_{scope.dimension}",
        version=1,
        fingerprint=fingerprint("rule_1", scope),
        kind="rule",
        source_id="src_1",
        scope=scope,
        severity=severity,
        state=AlertState.RESOLVED if resolved_by else AlertState.FIRING,
        opened_at=opened,
        changed_at=opened,
        evidence=evidence,
        resolved_by=resolved_by,
    )


def event(of: Alert) -> AlertEvent:
    return AlertEvent(of, of.opened_at, Command.OPEN, "tocsin", Reason.FIRST)


def outcomes(asked: RuleCase) -> dict[str, str]:
    return {str(one.scope): one.outcome.name for one in explain_rule(asked)}


def of(asked: RuleCase, scope: ScopeKey) -> Explanation:
    (found,) = [one for one in explain_rule(asked) if one.scope == scope]
    return found


# ----------------------------------------------------------------------------------- gates


def test_what_passes_every_gate_rings_next() -> None:
    one = of(case({ENG: RISE}), ENG)
    assert (one.outcome.name, one.outcome.fires) == ("would_ring", True)
    assert one.outcome.conclusion == "It fires when it is evaluated next: Spend is three times the usual."


def test_the_past_is_told_as_past() -> None:
    one = of(case({ENG: RISE}, is_past=True), ENG)
    assert one.outcome.conclusion.startswith("It would have fired, if evaluated at that instant")


@pytest.mark.parametrize(
    ("seen", "changes", "outcome"),
    [
        (RISE, {"source_enabled": False}, "enabled"),
        (RISE, {"unread": "the source has not been read yet"}, "known"),
        (replace(RISE, actual=math.nan, candidate=False), {}, "known"),
        (replace(RISE, expected=math.nan, candidate=False), {}, "objects"),
        (CALM, {}, "objects"),
        (replace(RISE, actual=110.0), {}, "min_amount"),
        (replace(RISE, actual=1120.0, expected=1000.0), {}, "min_percent"),
        (replace(RISE, active_days=3), {}, "min_active_days"),
        (RISE, {"gates": replace(GATES, pending_for=HOUR)}, "pending_for"),
        (replace(RISE, stands_alone=False), {}, "stands_alone"),
    ],
)
def test_the_first_gate_that_did_not_pass_is_what_stopped_it(
    seen: Observation, changes: dict[str, object], outcome: str
) -> None:
    one = of(case({ENG: seen}, **changes), ENG)  # type: ignore[arg-type]
    assert one.outcome.name == outcome
    (stop,) = [gate for gate in one.gates if gate.gate == outcome]
    assert not stop.passed
    assert all(gate.passed for gate in one.gates[: one.gates.index(stop)])
    assert one.outcome.fires is False


def test_an_unknown_figure_is_no_number() -> None:
    one = of(case({ENG: replace(RISE, actual=math.nan, candidate=False)}), ENG)
    assert (one.actual, one.expected, one.excess) == (None, Money.of("100.000000"), None)


@pytest.mark.parametrize(
    ("ago", "settled", "words"),
    [(0, 0, "not over"), (1, 0, "settled"), (1, 1, "late data may still change it"), (1, None, "late data")],
)
def test_how_final_the_judged_figure_is_stands_beside_it(ago: int, settled: int | None, words: str) -> None:
    seen = replace(RISE, days=(day(ago),))
    one = of(case({ENG: seen}, view=view({CELL: [100.0, 300.0]}, settled=settled)), ENG)
    (known,) = [gate for gate in one.gates if gate.gate == "known"]
    assert words in known.found


def test_a_scope_that_a_defect_kept_from_being_judged_says_so() -> None:
    one = of(case({}, failed={ENG: "ZeroDivisionError: by zero"}), ENG)
    assert one.outcome.conclusion == "It is not judged: a defect: ZeroDivisionError: by zero."


def test_how_long_it_had_held_cannot_be_known_of_the_past_where_it_was_not_kept() -> None:
    gates = replace(GATES, pending_for=HOUR)
    forgotten = of(case({ENG: RISE}, gates=gates, is_past=True), ENG)
    assert "cannot be known exactly" in forgotten.outcome.conclusion
    remembered = of(case({ENG: RISE}, gates=gates, is_past=True, remembered=frozenset({ENG})), ENG)
    assert remembered.outcome.conclusion == "It did not fire: it has held for 0s, and the gate asks for 1h."


# ----------------------------------------------------------------------------------- whose alert covers it


def test_the_highest_scope_rings_and_tells_of_those_inside_it() -> None:
    asked = case({KEY: RISE, ENG: RISE, ORGANISATION: RISE})
    assert outcomes(asked) == {
        "api_key:apikey_ci": "highest_level",
        "workspace:wrkspc_eng": "highest_level",
        "org": "would_ring",
    }
    assert "the alert of the organisation covers it" in of(asked, KEY).outcome.conclusion


def test_a_child_inside_an_open_alert_of_the_organisation_names_that_alert() -> None:
    asked = case({ENG: RISE, ORGANISATION: CALM}, alert(ORGANISATION))
    assert outcomes(asked) == {"workspace:wrkspc_eng": "highest_level", "org": "objects"}
    assert "alert_org" in of(asked, ENG).outcome.conclusion
    told = of(asked, ORGANISATION).alert
    assert told is not None
    assert (told.alert.id, told.reason, told.cause) == ("alert_org", Reason.FIRST, "It rose.")


def test_what_crosses_a_workspace_with_most_of_its_dollars_inside_is_told_there() -> None:
    inside = replace(RISE, parts=((ENG, 150.0),))
    assert outcomes(case({MODEL: inside, ENG: RISE}))["model:claude-sonnet-4-5"] == "highest_level"
    apart = replace(RISE, parts=((ENG, 50.0),))
    assert outcomes(case({MODEL: apart, ENG: RISE}))["model:claude-sonnet-4-5"] == "would_ring"


def test_what_a_person_resolved_is_muted_until_it_is_graver() -> None:
    resolved = alert(ENG, resolved_by="token:ann")
    one = of(case({ENG: RISE}, resolved), ENG)
    assert one.outcome.name == "muted"
    assert one.outcome.conclusion == "It does not fire: ann resolved alert_workspace on 2026-11-21 11:00 UTC."
    more_severe = of(case({ENG: replace(RISE, severity=Severity.CRITICAL)}, resolved), ENG)
    assert more_severe.outcome.name == "would_ring"


def test_a_limit_that_is_crossed_in_a_later_period_is_not_called_more_severe() -> None:
    crossed = replace(RISE, limit_set=True, days=(day(0),))
    resolved = alert(ENG, resolved_by="token:ann", days=(day(1),))
    gates = {gate.gate: gate for gate in of(case({ENG: crossed}, resolved), ENG).gates}
    assert gates["muted"].passed
    assert gates["muted"].found.endswith("11:00 UTC, and it is crossed again in a later period")
    assert gates["muted"].needed == "not resolved by a person, or more severe since, or crossed again in a later period"


def test_an_alert_that_opened_just_then_is_why_it_rang_even_where_judging_anew_says_otherwise() -> None:
    opened = then([event(alert(ENG))], NOON)
    assert opened is not None
    rang = of(case({ENG: RISE}, fired={ENG: opened}), ENG)
    assert (rang.outcome.name, rang.outcome.conclusion) == ("rang", "It fired: It rose.")
    doubted = of(case({ENG: replace(RISE, actual=110.0)}, fired={ENG: opened}), ENG)
    assert doubted.outcome.name == "rang"
    assert "it would not: the excess of $10.00 is below the gate of $20.00" in doubted.outcome.conclusion


def test_what_rings_comes_first_then_what_amends_then_by_excess() -> None:
    def one(scope: str, outcome: str, excess: str | None) -> Explanation:
        key = ScopeKey(Dimension.WORKSPACE, scope)
        dollars = Money.of(excess) if excess else None
        return Explanation(key, scope, ExplainedOutcome(outcome, ""), (GateVerdict("", True, "", ""),), excess=dollars)

    order = ranked(
        [
            one("unknown", "known", None),
            one("small", "min_amount", "1.00"),
            one("large", "min_amount", "9.00"),
            one("open", "amends", "90.00"),
            one("new", "would_ring", "30.00"),
        ]
    )
    assert [explanation.name for explanation in order] == ["new", "open", "large", "small", "unknown"]


# ----------------------------------------------------------------------------------- what was remembered


def kept(outcome: str, ago: timedelta) -> KeptVerdict:
    first, last = NOON - ago, NOON
    return KeptVerdict("rule_1", 1, ENG, day(0), outcome, first, last, ZERO, ZERO, "", (), ())


@pytest.mark.parametrize(
    ("outcome", "since"),
    [("pending_for", NOON - HOUR), ("rang", NOON - 3 * HOUR), ("muted", NOON - 3 * HOUR), ("min_amount", None)],
)
def test_since_when_something_had_held_follows_from_what_was_kept(outcome: str, since: object) -> None:
    episodes = episodes_at(NOON, 2 * HOUR, [kept(outcome, HOUR)], {}, {})
    assert episodes[ENG].held_since == since


def test_an_episode_that_runs_still_is_remembered_exactly_and_a_later_one_is_not() -> None:
    running = Episode(NOON - 5 * HOUR, held_since=NOON - 4 * HOUR)
    assert episodes_at(NOON, HOUR, [], {}, {ENG: running}) == {ENG: running}
    assert episodes_at(NOON - 6 * HOUR, HOUR, [], {}, {ENG: running}) == {}
    began_again = episodes_at(NOON - 4.5 * HOUR, HOUR, [], {}, {ENG: running})
    assert began_again[ENG].held_since is None


def test_a_resolved_alert_mutes_the_past_where_a_muted_verdict_was_kept() -> None:
    resolved = {ENG: alert(ENG, resolved_by="token:ann")}
    muted = episodes_at(NOON, HOUR, [kept("muted", HOUR)], resolved, {})
    assert muted[ENG].began_at == resolved[ENG].opened_at
    assert episodes_at(NOON, HOUR, [kept("rang", HOUR)], resolved, {})[ENG].began_at == NOON
    over = {ENG: alert(ENG, resolved_by="tocsin")}
    assert episodes_at(NOON, HOUR, [kept("rang", HOUR)], over, {})[ENG].began_at == over[ENG].opened_at


# ----------------------------------------------------------------------------------- spend of a past instant


def test_whole_days_of_a_window_add_up_and_the_running_one_is_cut_at_the_instant() -> None:
    days = {day(1): DayFigures(spend=10.0), day(0): DayFigures(spend=6.0)}
    figures = KnownFigures(NOON, (day(1), day(0)), {CELL: days}, frozenset(), None)
    midnight = NOON - 12 * HOUR
    whole = window_spend(figures, Window(midnight - 24 * HOUR, midnight + 24 * HOUR))
    assert whole[CELL].total == Money.of("16.00")
    cut = window_spend(figures, Window(midnight - 6 * HOUR, midnight + 6 * HOUR))
    assert cut[CELL].total == Money.of("5.50")
    assert cut[CELL].split
    assert window_spend(figures, Window(NOON + 24 * HOUR, NOON + 48 * HOUR)) == {}
