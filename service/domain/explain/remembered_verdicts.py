"""Verdicts of the newest evaluation up to a past instant, as far as they are kept: they count more than new ones.

Spend of an hour or a day that still ran when it was read has no history of its own, so that an alert may have fired by
figures that nothing else remembers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from service.domain.alerts.evidence import RuleEvidence
from service.domain.explain.explanation import AlertThen
from service.domain.rules.evaluation import gates_of
from service.domain.rules.feedback import Feedback
from service.domain.rules.gates import judge
from service.domain.rules.memory import FIRED, KeptVerdict
from service.domain.rules.rule import Observation, Rule, Verdict
from service.domain.values.scopes import ScopeKey


@dataclass(frozen=True, slots=True)
class KeptThen:
    """A kept verdict as an instant saw it. `figures_at` is when its figures were found: at that instant or before.

    None where only later figures are kept: then it has none.
    """

    verdict: KeptVerdict
    figures_at: datetime | None


@dataclass(frozen=True, slots=True)
class RememberedVerdicts:
    """The verdicts in force at an instant, and the alerts that were open or opened just then."""

    at: datetime
    kept: Sequence[KeptVerdict]
    alerts: Mapping[ScopeKey, tuple[AlertThen, RuleEvidence]]

    @classmethod
    def of(cls, at: datetime, kept: Sequence[KeptVerdict], alerts: Iterable[AlertThen]) -> RememberedVerdicts:
        """Each alert by the scope that it is about."""
        by_scope = {}
        for one in alerts:
            evidence = one.alert.evidence
            if isinstance(evidence, RuleEvidence):
                by_scope[evidence.about or one.alert.scope] = one, evidence
        return cls(at, kept, by_scope)

    def decided(
        self,
        judged: Mapping[ScopeKey, Verdict],
        rule: Rule[object],
        feedback: Sequence[Feedback],
        held_since: Mapping[ScopeKey, datetime],
    ) -> dict[ScopeKey, Verdict]:
        """The verdicts as they were of scopes that fired, or changed an open alert, though now they would not."""
        found = {}
        for scope, (one, evidence) in self.alerts.items():
            rejudged, kept = judged.get(scope), self._fired(scope)
            if (kept is None and one.alert.opened_at != self.at) or (rejudged is not None and rejudged.fires):
                continue
            gates = gates_of(rule, scope, feedback, self.at)
            # It had passed the gate of active days, however many of them are stored.
            days = max(gates.min_active_days, rejudged.observation.active_days if rejudged is not None else 0)
            seen = self._observed(one, evidence, kept, days)
            found[scope] = judge(seen, gates, held_since.get(scope), self.at)
        return found

    def stored(self, scope: ScopeKey | None) -> list[KeptThen]:
        """The verdicts in force, of one scope or of all, without what was found only later."""
        return [self._as_known(one) for one in self.kept if scope in (None, one.scope)]

    def _fired(self, scope: ScopeKey) -> KeptVerdict | None:
        fired = [one for one in self.kept if one.scope == scope and one.outcome == FIRED]
        return max(fired, key=lambda one: one.last_at, default=None)

    def _observed(
        self, one: AlertThen, evidence: RuleEvidence, kept: KeptVerdict | None, active_days: int
    ) -> Observation:
        """An observation of the verdict's own figures; where these were updated since, of the notified ones."""
        exact = kept if kept is not None and kept.last_at <= self.at else None
        seen = exact or evidence
        is_same_day = exact is None or evidence.days[-1:] == (exact.day,)
        return Observation(
            candidate=True,
            actual=float(seen.actual.usd),
            expected=float(seen.expected.usd),
            unit=evidence.unit,
            cause=seen.cause,
            inputs=seen.inputs,
            active_days=active_days,
            severity=one.alert.severity,
            days=evidence.days if is_same_day or exact is None else (exact.day,),
            falls=evidence.falls,
            since=evidence.since,
            impact=math.nan if evidence.impact is None else float(evidence.impact.usd),
        )

    def _as_known(self, one: KeptVerdict) -> KeptThen:
        if one.last_at <= self.at:
            return KeptThen(one, one.last_at)
        alert, evidence = self.alerts.get(one.scope, (None, None))
        if alert is None or evidence is None or one.outcome != FIRED or alert.alert.changed_at < one.first_at:
            return KeptThen(one, None)
        figures = replace(
            one,
            actual=evidence.actual,
            expected=evidence.expected,
            cause=evidence.cause,
            inputs=evidence.inputs,
            gates=(),
        )
        return KeptThen(figures, alert.alert.changed_at)


def in_force(seen: Sequence[KeptVerdict], at: datetime, moved_at: datetime) -> list[KeptVerdict]:
    """Those of the newest evaluation at or before an instant.

    `moved_at` is when something last had the rule evaluated again: what was not seen since then, no longer held.
    """
    evaluated = [moment for one in seen for moment in (one.first_at, one.last_at) if moment <= at]
    newest = max([moved_at, *evaluated])
    return [one for one in seen if one.last_at >= newest]
