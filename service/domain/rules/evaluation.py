"""One rule against one view: how long the view must be, and every scope's observation with each gate's answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from service.domain.rules.feedback import NO_FEEDBACK, Feedback, raised, stricter
from service.domain.rules.gates import judge
from service.domain.rules.kind import Lookback
from service.domain.rules.limits import LONGEST_WINDOW
from service.domain.rules.registry import kind_of
from service.domain.rules.rule import Gates, Rule, Verdict
from service.domain.rules.verdicts import Verdicts, objected
from service.domain.rules.view import LEARNING_DAYS, SpendView
from service.domain.values.scopes import FINEST, SPENDERS, Grain, ScopeKey, tells_spenders

NEVER_HELD: Mapping[ScopeKey, datetime] = {}
MARGIN = 31
"""Days beyond a rule's own window: the days it judges, and what came just before."""


def days_needed(rule: Rule[object]) -> int:
    """UTC days, today included. Twice the active days that a gate asks for: a scope may rest at weekends."""
    lookback = lookback_of(rule)
    if lookback.ever:
        return LONGEST_WINDOW + MARGIN
    asked = (sum(lookback.days.values()), 2 * rule.gates.min_active_days)
    return max(LEARNING_DAYS, *(days + MARGIN for days in asked))


def grain_needed(rules: Collection[Rule[object]]) -> Grain:
    """SPENDERS where a rule tells actors or products apart, else FINEST."""
    told = {dimension for rule in rules for dimension in (*rule.grain, *kind_of(rule).levels(rule.params))}
    return SPENDERS if tells_spenders(frozenset(told)) else FINEST


def hours_needed(rule: Rule[object]) -> int:
    """UTC hours that are over."""
    return lookback_of(rule).hours


def view_for(rule: Rule[object], view: SpendView) -> SpendView:
    """Cuts a view to as much as the rule looks at: what others need of the same view must make no difference."""
    return view.lately(days_needed(rule), hours_needed(rule))


def lookback_of(rule: Rule[object]) -> Lookback:
    """The stretches of the past that the rule's parameters ask for."""
    return kind_of(rule).lookback(rule.params)


def evaluate(
    view: SpendView,
    rule: Rule[object],
    feedback: Sequence[Feedback] = NO_FEEDBACK,
    held_since: Mapping[ScopeKey, datetime] = NEVER_HELD,
) -> Verdicts:
    """The verdicts at `view.as_of`, firing or not: the same answer for alerts, explanations and backtests.

    `feedback` is what was said about this rule's scopes; `held_since` what `still_held` gave at the evaluation before.
    """
    now, seen = view.as_of, kind_of(rule).observe(view, rule, feedback)

    def judged(key: ScopeKey) -> Verdict:
        return judge(seen[key], gates_of(rule, key, feedback, now), held_since.get(key), now)

    return Verdicts(seen, objected(seen), judged)


def gates_of(rule: Rule[object], key: ScopeKey, feedback: Sequence[Feedback], now: datetime) -> Gates:
    """The rule's gates as feedback has raised them for one scope."""
    return stricter(rule.gates, raised(feedback, key, now))


def still_held(
    verdicts: Mapping[ScopeKey, Verdict], held_since: Mapping[ScopeKey, datetime], now: datetime
) -> dict[ScopeKey, datetime]:
    """Since when each scope has passed every gate but `pending_for`, to be kept until the next evaluation."""
    return {key: held_since.get(key, now) for key, verdict in objected(verdicts).items() if verdict.stands}
