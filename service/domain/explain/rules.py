"""Why a rule fired or did not: its verdicts with all that stands between them and a message."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from service.domain.alerts.alert import Alert
from service.domain.alerts.evidence import Evidence, RuleEvidence
from service.domain.explain.explanation import (
    ALREADY_TOLD,
    HIGHEST_LEVEL,
    KNOWN,
    MUTED,
    OBJECTS,
    OPEN_ALERT,
    STANDS_ALONE,
    AlertThen,
    Explanation,
    amount,
    decide,
    enabled,
    first_stop,
    shown,
)
from service.domain.rules.assessment import assess_rule
from service.domain.rules.feedback import Feedback
from service.domain.rules.incidents import Family, Incident, covers, firing_alone, incidents, span_of
from service.domain.rules.memory import Past, alert_days, own_alerts, resolved_by_people
from service.domain.rules.rule import PENDING_FOR, GateVerdict, Observation, Rule, Verdict
from service.domain.rules.view import SpendView
from service.domain.rules.wording import day
from service.domain.values.names import describe_scope
from service.domain.values.plain_text import clean, minute
from service.domain.values.resources import Resource
from service.domain.values.scopes import ScopeKey


@dataclass(frozen=True, slots=True)
class RuleCase:
    """One rule at `view.as_of`, and what was known and remembered then.

    `failed` are scopes that could not be judged for a defect, with its words. `remembered` are the scopes of which it
    is known since when they had held. `fired` are the alerts that opened at this very instant: `past` is without them.
    `rejudged` are verdicts by what is stored now, of the scopes whose verdict of that time is in `verdicts`.
    `unread` says why nothing is known at all.
    """

    rule: Resource[Rule[object]]
    source_enabled: bool
    view: SpendView
    verdicts: Mapping[ScopeKey, Verdict]
    failed: Mapping[ScopeKey, str]
    past: Past
    feedback: Sequence[Feedback]
    open_alerts: Mapping[ScopeKey, AlertThen]
    fired: Mapping[ScopeKey, AlertThen]
    remembered: frozenset[ScopeKey]
    is_past: bool
    unread: str = ""
    rejudged: Mapping[ScopeKey, Verdict] = field(default_factory=dict)


def explain_rule(case: RuleCase) -> list[Explanation]:
    """One answer for every scope that the rule looks at."""
    coverage = Coverage.of(case)
    judged = [_judged(case, coverage, scope, verdict) for scope, verdict in case.verdicts.items()]
    return judged + [_unjudged(case, scope, f"a defect: {clean(error, 200)}") for scope, error in case.failed.items()]


def unseen(case: RuleCase, scope: ScopeKey) -> Explanation:
    """The explanation for a scope that the rule did not look at."""
    return _unjudged(case, scope, case.unread or "the rule does not look at it, or nothing was known of it")


def _unjudged(case: RuleCase, scope: ScopeKey, why: str) -> Explanation:
    gates = (enabled(itself=case.rule.spec.enabled, source=case.source_enabled), _known(why, passed=False))
    return Explanation(
        scope=scope,
        name=_name(case, scope),
        outcome=decide(gates, "", past=case.is_past, fired=case.fired.get(scope)),
        gates=gates,
        alert=case.open_alerts.get(scope),
    )


def _judged(case: RuleCase, coverage: Coverage, scope: ScopeKey, verdict: Verdict) -> Explanation:
    seen = verdict.observation
    gates = (
        enabled(itself=case.rule.spec.enabled, source=case.source_enabled),
        *_own_gates(case, scope, verdict),
        *coverage.gates(scope),
    )
    rejudged = first_stop(_own_gates(case, scope, case.rejudged[scope])) if scope in case.rejudged else None
    fired = case.fired.get(scope)
    answer = Explanation(
        scope=scope,
        name=_name(case, scope),
        outcome=decide(gates, seen.cause, past=case.is_past, fired=fired, rejudged=rejudged),
        gates=gates,
        cause=seen.cause,
        unit=seen.unit,
        actual=amount(seen.actual),
        expected=amount(seen.expected),
        excess=amount(seen.excess),
        inputs=seen.inputs,
        alert=case.open_alerts.get(scope),
        severity_reason=seen.because,
    )
    return _as_notified(answer, fired.alert.evidence) if fired else answer


def _own_gates(case: RuleCase, scope: ScopeKey, verdict: Verdict) -> tuple[GateVerdict, ...]:
    """Those that look at nothing but the scope itself."""
    seen = verdict.observation
    return (
        _figures(case, seen),
        _objects(seen),
        *(_remembered(case, scope, verdict, gate) for gate in verdict.gates),
        _stands_alone(seen),
    )


def _as_notified(answer: Explanation, notified: Evidence) -> Explanation:
    """With the numbers of the alert itself: of an hour that was still running not everything is kept."""
    if not isinstance(notified, RuleEvidence):
        return answer
    return replace(
        answer,
        cause=notified.cause,
        unit=notified.unit,
        actual=notified.actual,
        expected=notified.expected,
        excess=notified.excess,
        inputs=notified.inputs,
        severity_reason=notified.severity_reason,
    )


def _name(case: RuleCase, scope: ScopeKey) -> str:
    return clean(describe_scope(case.rule.spec.scope, scope, case.view.names), 200)


def _figures(case: RuleCase, seen: Observation) -> GateVerdict:
    if case.unread:
        return _known(case.unread, passed=False)
    judged = f"of {day(seen.days[-1])}" if seen.days else "of now"
    if math.isnan(seen.actual):
        return _known(f"the figure {judged} is not known", passed=False)
    return _known(f"the figure {judged}{_lateness(case.view, seen)}", passed=True)


def _lateness(view: SpendView, seen: Observation) -> str:
    if not seen.days:
        return ""
    if seen.days[-1] >= view.today:
        return ", a day that is not over"
    settled = view.settled_until is not None and seen.days[-1] < view.settled_until.date()
    return ", settled" if settled else ", not settled: late data may still change it"


def _known(found: str, *, passed: bool) -> GateVerdict:
    return GateVerdict(KNOWN, passed, found, "the source read, and the judged figure known")


def _objects(seen: Observation) -> GateVerdict:
    if math.isnan(seen.expected):
        found = "there is nothing to compare it with yet"
    else:
        actual, expected = shown(seen.actual, seen.unit), shown(seen.expected, seen.unit)
        found = f"{actual} is what the rule objects to" if seen.candidate else f"the rule does not object to {actual}"
        found = f"{found} where {expected} is expected"
    return GateVerdict(OBJECTS, seen.candidate, found, "an objection of the rule itself")


def _remembered(case: RuleCase, scope: ScopeKey, verdict: Verdict, gate: GateVerdict) -> GateVerdict:
    """How long something had held in the past is known where it was kept; elsewhere the answer says so."""
    forgotten = case.is_past and scope not in case.remembered and verdict.stands
    if gate.gate != PENDING_FOR or gate.passed or not forgotten:
        return gate
    return replace(gate, found="a time that was not kept and cannot be known exactly")


def _stands_alone(seen: Observation) -> GateVerdict:
    found = "it may fire by itself" if seen.stands_alone else "it only explains others, and never fires by itself"
    return GateVerdict(STANDS_ALONE, seen.stands_alone, found, "it may fire by itself")


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whose alert covers what: the incidents, those of them that fire, and those covered by an alert that is over."""

    case: RuleCase
    found: Sequence[Incident]
    heard: frozenset[ScopeKey]
    covered: frozenset[ScopeKey]
    resolved: Mapping[ScopeKey, Alert]
    family: Family

    @classmethod
    def of(cls, case: RuleCase) -> Coverage:
        assessed = assess_rule(case.rule, case.view, case.verdicts, case.past, case.feedback)
        heard = frozenset(incident.scope for incident in assessed.firing)
        covered = frozenset(incident.scope for incident in assessed.notified)
        return cls(case, assessed.incidents, heard, covered, resolved_by_people(case.past), Family.of(case.view))

    def gates(self, scope: ScopeKey) -> tuple[GateVerdict, ...]:
        return self._highest_level(scope), self._muted(scope), self._already_covered(scope), self._open_alert(scope)

    def _highest_level(self, scope: ScopeKey) -> GateVerdict:
        covering, needed = self._covering(scope), "no other scope's alert covers it"
        if covering == scope:
            return GateVerdict(HIGHEST_LEVEL, True, needed, needed)
        found = f"the alert of {_name(self.case, covering)} covers it{self._which(covering)}"
        return GateVerdict(HIGHEST_LEVEL, False, found, needed)

    def _which(self, covering: ScopeKey) -> str:
        alert, resolved = self.case.open_alerts.get(covering), self.resolved.get(covering)
        if alert is not None:
            return f" ({alert.alert.id}, open since {minute(alert.alert.opened_at)})"
        return f" ({_resolution(resolved)})" if resolved is not None else ""

    def _covering(self, scope: ScopeKey) -> ScopeKey:
        """The scope whose alert is the one that tells of this scope, be it its own."""
        own = next((one.scope for one in self.found if scope in (one.scope, one.found)), None)
        if own is not None:
            return own
        for incident in self.found:
            if self._lies_in(incident, scope) or self._is_one_with(incident, scope):
                return incident.scope
        return scope

    def _lies_in(self, incident: Incident, scope: ScopeKey) -> bool:
        today = self.case.view.today
        spans = [span_of(one, today) for one in (incident.verdict.observation, self.case.verdicts[scope].observation)]
        inside = any(self.family.contains(above, scope) for above in (incident.scope, incident.found))
        return inside and covers(*spans)

    def _is_one_with(self, incident: Incident, scope: ScopeKey) -> bool:
        """Whether the two alone would make one alert. Asked only of what fires."""
        both = {key: self.case.verdicts[key] for key in (incident.found, scope)}
        if scope not in firing_alone(both):
            return False
        alone = incidents(self.case.view, both, alert_days(own_alerts(self.case.past)))
        return not any(scope in (one.scope, one.found) for one in alone)

    def _muted(self, scope: ScopeKey) -> GateVerdict:
        alert = self.resolved.get(scope)
        again = ", or crossed again in a later period" if self.case.verdicts[scope].observation.limit_set else ""
        needed = f"not resolved by a person, or more severe since{again}"
        if alert is None:
            return GateVerdict(MUTED, True, "nobody has resolved it", needed)
        heard = scope in self.heard
        since = f", and it is {self._news(scope, alert)}" if heard else ""
        return GateVerdict(MUTED, heard, f"{_resolution(alert)}{since}", needed)

    def _news(self, scope: ScopeKey, resolved: Alert) -> str:
        """Why it fires although a person has resolved its alert."""
        severity = self.case.verdicts[scope].observation.severity or self.case.rule.spec.severity
        return "more severe since" if severity.rank > resolved.severity.rank else "crossed again in a later period"

    def _already_covered(self, scope: ScopeKey) -> GateVerdict:
        needed = "not covered by an alert that is over"
        if scope not in self.covered:
            return GateVerdict(ALREADY_TOLD, True, needed, needed)
        alert = self.case.past.latest[scope]
        found = f"{alert.id} covered it on {minute(alert.opened_at)}, and enough normal time has passed since"
        return GateVerdict(ALREADY_TOLD, False, found, needed)

    def _open_alert(self, scope: ScopeKey) -> GateVerdict:
        alert, needed = self.case.past.latest.get(scope), "no alert of it is open"
        if alert is None or not alert.is_open:
            return GateVerdict(OPEN_ALERT, True, needed, needed)
        return GateVerdict(OPEN_ALERT, False, f"{alert.id}, open since {minute(alert.opened_at)}", needed)


def _resolution(alert: Alert) -> str:
    actor = alert.resolved_by or "somebody"
    return f"{clean(actor.partition(':')[2] or actor)} resolved {alert.id} on {minute(alert.changed_at)}"
