"""From one rule's verdicts to findings: which incident opens or amends which alert, and which alerts are over."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from service.domain.alerts.alert import Alert, Reason
from service.domain.alerts.evidence import Evidence, RuleEvidence
from service.domain.alerts.findings import Condition, Finding, over
from service.domain.rules.billed import contradicting_bill, not_confirmed
from service.domain.rules.evaluation import gates_of, still_held
from service.domain.rules.feedback import NO_FEEDBACK, Feedback
from service.domain.rules.gates import endures, exceeds
from service.domain.rules.incidents import AlertDays, Family, Incident, incidents
from service.domain.rules.memory import (
    FIRED,
    MUTED,
    PART_OF_ANOTHER,
    Episode,
    Episodes,
    KeptVerdict,
    Past,
    alert_days,
    days_of,
    held_since,
    own_alerts,
)
from service.domain.rules.rest import Rest, accepting, ending_level, rest_of
from service.domain.rules.rule import NewLevel, Rule, Verdict
from service.domain.rules.verdicts import objected
from service.domain.rules.view import SpendView
from service.domain.rules.wording import approximate
from service.domain.values.money import Money
from service.domain.values.names import describe_scope
from service.domain.values.resources import Resource
from service.domain.values.scopes import ScopeKey
from service.domain.values.severity import Severity
from service.domain.values.utc import midnight


@dataclass(frozen=True, slots=True)
class Assessed:
    """The result: `findings` for the alerts, `episodes` for the next evaluation, `kept` for whoever asks later.

    `incidents` are all that were found; of these `firing` open an alert or amend one, and `notified` stand in an
    alert that is over.
    """

    findings: tuple[Finding, ...]
    episodes: Episodes
    kept: tuple[KeptVerdict, ...]
    incidents: tuple[Incident, ...]
    firing: tuple[Incident, ...]
    notified: tuple[Incident, ...]


def fingerprint(rule_id: str, scope: ScopeKey) -> str:
    """The fingerprint, which has no day: an incident may last, and stays one alert."""
    return f"rule:{rule_id}:{scope}"


def assess_rule(
    rule: Resource[Rule[object]],
    view: SpendView,
    verdicts: Mapping[ScopeKey, Verdict],
    past: Past,
    feedback: Sequence[Feedback] = NO_FEEDBACK,
) -> Assessed:
    """Compares one rule's verdicts at `view.as_of` with what people were notified of already."""
    return _Assessment(rule, view, verdicts, past, feedback).assessed()


@dataclass(frozen=True, slots=True)
class _Assessment:
    rule: Resource[Rule[object]]
    view: SpendView
    verdicts: Mapping[ScopeKey, Verdict]
    past: Past
    feedback: Sequence[Feedback]

    def assessed(self) -> Assessed:
        own = own_alerts(self.past)
        found = incidents(self.view, self.verdicts, self._alert_days(own))
        notified = [incident for incident in found if self._is_notified(incident, own.get(incident.scope))]
        present = [incident for incident in found if incident not in notified]
        firing = [incident for incident in present if self._is_news(incident, own.get(incident.scope))]
        homes = {incident.scope for incident in present}
        refuted = self._refuted([alert for scope, alert in own.items() if alert.is_open and scope not in homes])
        going_on = {scope for scope in own if scope not in homes | refuted.keys() and self._goes_on(scope)}
        ended = [alert for scope, alert in own.items() if alert.is_open and scope not in homes | going_on]
        return Assessed(
            findings=(
                *(self._finding(incident, own.get(incident.scope)) for incident in firing),
                *self._resting([alert for scope, alert in own.items() if alert.is_open and scope in going_on]),
                *self._ends(ended, notified, refuted),
            ),
            episodes=self._episodes(homes, going_on | {incident.scope for incident in notified}),
            kept=tuple(self._kept(found, [*firing, *notified])),
            incidents=tuple(found),
            firing=tuple(firing),
            notified=tuple(notified),
        )

    def _alert_days(self, own: Mapping[ScopeKey, Alert]) -> dict[ScopeKey, AlertDays]:
        """The days of each alert; of one that is not back to normal, up to today."""
        today = self.view.today
        return {
            scope: replace(days, days=(days.days[0], max(days.days[1], today))) if self._lasts(own[scope]) else days
            for scope, days in alert_days(own).items()
        }

    def _lasts(self, alert: Alert) -> bool:
        verdict = self.verdicts.get(alert.scope)
        calm = verdict.observation.calm if verdict else None
        return alert.is_open and calm is not None and calm.high

    def _is_notified(self, incident: Incident, alert: Alert | None) -> bool:
        """Whether people were notified of it, and enough normal time has passed since for the alert to end."""
        calm, now = incident.verdict.observation.calm, self.view.as_of
        if calm is None or not calm.over or alert is None:
            return False
        return not alert.is_open or now - alert.opened_at >= calm.at_least

    def _is_news(self, incident: Incident, alert: Alert | None) -> bool:
        """Whether it opens an alert or amends one: not what a person has resolved, unless it is more severe since."""
        if alert is None or not alert.resolved_by_a_person or self._is_of_a_later_period(incident, alert):
            return True
        return self._severity(incident).rank > alert.severity.rank

    def _severity(self, incident: Incident) -> Severity:
        return incident.verdict.observation.severity or self.rule.spec.severity

    def _goes_on(self, scope: ScopeKey) -> bool:
        """Whether an incident that does not fire just now is still not over."""
        verdict, alert = self.verdicts.get(scope), self.past.latest[scope]
        if verdict is None:
            return scope in self.past.unjudged
        now, seen = self.view.as_of, verdict.observation
        last_held, gates = self._last_held(alert), gates_of(self.rule.spec, scope, self.feedback, now)
        if seen.calm is None:
            return endures(seen, gates, last_held, now).passed
        if ending_level(alert, seen.calm):
            return False
        is_calm = seen.calm.over and now - alert.opened_at >= seen.calm.at_least
        return not is_calm or now - last_held < gates.keep_firing_for

    def _last_held(self, alert: Alert) -> datetime:
        episode = self.past.episodes.get(alert.scope)
        return (episode and episode.last_held) or alert.opened_at

    def _rest(self, scope: ScopeKey, alert: Alert) -> Rest | None:
        verdict = self.verdicts.get(scope)
        if verdict is None:
            return None
        now = self.view.as_of
        gates = gates_of(self.rule.spec, scope, self.feedback, now)
        return rest_of(verdict.observation, alert, self._last_held(alert), gates, now)

    def _resting(self, alerts: Sequence[Alert]) -> list[Finding]:
        """Findings of alerts that go on although nothing fires: they are back to normal."""
        resting = [(alert, self._rest(alert.scope, alert)) for alert in alerts]
        found = [(alert, rest.of(alert)) for alert, rest in resting if rest is not None]
        return [
            replace(over(alert, Reason.NOTHING_NEW), condition=Condition.HOLDS, evidence=evidence)
            for alert, evidence in found
            if evidence is not None
        ]

    def _refuted(self, alerts: Sequence[Alert]) -> dict[ScopeKey, Money]:
        """The settled bills that contradict alerts, by their scopes."""
        found = {}
        for alert in alerts:
            gates = gates_of(self.rule.spec, alert.scope, self.feedback, self.view.as_of)
            billed = contradicting_bill(alert, self.view, self.rule.spec.scope, gates)
            if billed is not None and alert.scope in self.verdicts:
                found[alert.scope] = billed
        return found

    def _ends(
        self, alerts: Sequence[Alert], notified: Sequence[Incident], refuted: Mapping[ScopeKey, Money]
    ) -> list[Finding]:
        """Each with the last word on its incident, as far as that is still judged."""
        last = {incident.scope: incident for incident in notified}
        return [
            not_confirmed(alert, refuted[alert.scope])
            if alert.scope in refuted
            else replace(
                over(alert, self._ending(alert)),
                evidence=self._last_word(alert, last.get(alert.scope)),
            )
            for alert in alerts
        ]

    def _ending(self, alert: Alert) -> Reason:
        if alert.scope not in self.verdicts:
            is_edited = self.rule.updated_at >= self._last_held(alert)
            return Reason.RULE_EDITED if is_edited else Reason.NO_LONGER_KNOWN
        return Reason.ACCEPTED if self._level(alert) else Reason.RECOVERED

    def _last_word(self, alert: Alert, incident: Incident | None) -> Evidence:
        evidence = alert.newest if incident is None else self._shown(incident, alert)
        level = self._level(alert)
        if level is None or not isinstance(evidence, RuleEvidence):
            return evidence
        return accepting(evidence, level, describe_scope(self.rule.spec.scope, alert.scope, self.view.names))

    def _level(self, alert: Alert) -> NewLevel | None:
        verdict = self.verdicts.get(alert.scope)
        return ending_level(alert, verdict.observation.calm) if verdict else None

    def _finding(self, incident: Incident, own: Alert | None) -> Finding:
        severity, alert = self._severity(incident), own if own and own.is_open else None
        besides = self._is_elsewhere, self._is_on_top, self._is_of_a_later_period
        is_news = alert is None or any(is_besides(incident, alert) for is_besides in besides)
        return Finding(
            fingerprint=fingerprint(self.rule.id, incident.scope),
            source_id=self.view.source_id,
            scope=incident.scope,
            severity=max(severity, alert.severity, key=lambda one: one.rank) if alert else severity,
            condition=Condition.FIRES if is_news else Condition.HOLDS,
            reason=Reason.NOTHING_NEW if alert else Reason.FIRST,
            evidence=self._evidence(incident) if alert is None or is_news else self._shown(incident, alert),
        )

    def _shown(self, incident: Incident, alert: Alert) -> RuleEvidence:
        """The evidence of an incident with an open alert, which may be back to normal."""
        found, rest = self._evidence(incident), self._rest(incident.found, alert)
        if isinstance(alert.newest, RuleEvidence) and alert.severity.rank > self._severity(incident).rank:
            found = replace(found, severity_reason=alert.newest.severity_reason)
        return (rest.of(alert, found) if rest else None) or found

    def _is_elsewhere(self, incident: Incident, alert: Alert) -> bool:
        """Whether an open alert takes in what happened on a later day, in a scope that nobody was notified of.

        It may be the rest of the same incident, or another one: nobody can know, so that people are notified.
        """
        shown, seen = alert.evidence, incident.verdict.observation
        if not isinstance(shown, RuleEvidence) or shown.about in (None, incident.found) or not seen.days:
            return False
        widened = shown.about is not None and Family.of(self.view).contains(incident.found, shown.about)
        is_beside = shown.about is not None and incident.found.dimension is shown.about.dimension
        if widened or (max(seen.days) <= days_of(alert)[1] and not is_beside):
            return False
        return shown.heard is None or self._evidence(incident).is_new_beside(shown.heard)

    def _is_on_top(self, incident: Incident, alert: Alert) -> bool:
        """Whether an open alert, of a launch that is not accepted yet, takes in another incident of the same scope."""
        heard = alert.evidence.heard if isinstance(alert.evidence, RuleEvidence) else None
        since = incident.verdict.observation.since
        if heard is None or heard.about != incident.found or heard.since is None or since is None:
            return False
        return since > heard.since and self._evidence(incident).is_new_beside(heard)

    def _is_of_a_later_period(self, incident: Incident, alert: Alert) -> bool:
        """Whether a limit is crossed in a period that began after all days of an alert, which could have ended in it.

        The period before holds until its last hours are told, and would leave no calm in between.
        """
        seen, shown, now = incident.verdict.observation, alert.evidence, self.view.as_of
        if not seen.limit_set or not isinstance(shown, RuleEvidence) or not shown.days:
            return False
        kept = gates_of(self.rule.spec, incident.scope, self.feedback, now).keep_firing_for
        return min(seen.days) > max(shown.days) and now - midnight(min(seen.days)) >= kept

    def _evidence(self, incident: Incident) -> RuleEvidence:
        seen = incident.verdict.observation
        return RuleEvidence(
            rule_id=self.rule.id,
            rule_name=self.rule.name,
            rule_kind=self.rule.spec.kind,
            scope_name=describe_scope(self.rule.spec.scope, incident.found, self.view.names),
            about=incident.found,
            actual=approximate(seen.actual),
            expected=approximate(seen.expected),
            unit=seen.unit,
            cause=seen.cause,
            inputs=seen.inputs,
            days=seen.days,
            since=seen.since,
            hour=seen.hour,
            impact=None if math.isnan(seen.impact) else approximate(seen.impact),
            contributions=incident.contributions,
            falls=seen.falls,
            severity_reason=seen.because,
            simulated=self.view.simulated,
        )

    def _episodes(self, homes: set[ScopeKey], others: set[ScopeKey]) -> dict[ScopeKey, Episode]:
        now = self.view.as_of
        held = still_held(self.verdicts, held_since(self.past.episodes), now)
        episodes = {}
        for scope in held.keys() | homes | others:
            before = self.past.episodes.get(scope, Episode(began_at=now))
            last = now if scope in homes or self._exceeds(scope) else before.last_held
            episodes[scope] = replace(before, held_since=held.get(scope), last_held=last)
        return episodes

    def _exceeds(self, scope: ScopeKey) -> bool:
        verdict = self.verdicts.get(scope)
        if verdict is None or (verdict.observation.calm is not None and verdict.observation.calm.over):
            return False
        return exceeds(verdict.observation, gates_of(self.rule.spec, scope, self.feedback, self.view.as_of))

    def _kept(self, found: Sequence[Incident], announced: Sequence[Incident]) -> list[KeptVerdict]:
        """The verdict of every scope that may fire by itself and that the rule objects to."""
        homes = {scope: incident for incident in found for scope in (incident.scope, incident.found)}
        outcomes = {scope: FIRED if incident in announced else MUTED for scope, incident in homes.items()}
        return [
            self._keep(scope, verdict, outcomes.get(scope, PART_OF_ANOTHER))
            for scope, verdict in objected(self.verdicts).items()
            if verdict.observation.candidate and verdict.observation.stands_alone
        ]

    def _keep(self, scope: ScopeKey, verdict: Verdict, outcome: str) -> KeptVerdict:
        seen, now = verdict.observation, self.view.as_of
        stopped = next((gate.gate for gate in verdict.gates if not gate.passed), None)
        return KeptVerdict(
            rule_id=self.rule.id,
            rule_version=self.rule.version,
            scope=scope,
            day=seen.days[-1] if seen.days else now.date(),
            outcome=stopped or outcome,
            first_at=now,
            last_at=now,
            actual=approximate(seen.actual),
            expected=approximate(seen.expected),
            cause=seen.cause,
            inputs=seen.inputs,
            gates=verdict.gates,
        )
