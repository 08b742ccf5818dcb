"""One rule against one view: every scope's observation with the answer of every gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from service.domain.rules.feedback import NO_FEEDBACK, Feedback, raised, stricter
from service.domain.rules.gates import judge
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Gates, Rule, Verdict
from service.domain.rules.view import SpendView
from service.domain.values.scopes import ScopeKey

NEVER_HELD: Mapping[ScopeKey, datetime] = {}


def evaluate(
    view: SpendView,
    rule: Rule[object],
    feedback: Sequence[Feedback] = NO_FEEDBACK,
    held_since: Mapping[ScopeKey, datetime] = NEVER_HELD,
) -> dict[ScopeKey, Verdict]:
    """The verdicts at `view.as_of`, ringing or not: the same answer for alerts, explanations and backtests.

    `feedback` is what was said about this rule's scopes; `held_since` what `still_held` gave at the evaluation before.
    """
    now = view.as_of
    return {
        key: judge(seen, gates_of(rule, key, feedback, now), held_since.get(key), now)
        for key, seen in KINDS[rule.kind].observe(view, rule, feedback).items()
    }


def gates_of(rule: Rule[object], key: ScopeKey, feedback: Sequence[Feedback], now: datetime) -> Gates:
    """The rule's gates as feedback has raised them for one scope."""
    return stricter(rule.gates, raised(feedback, key, now))


def still_held(
    verdicts: Mapping[ScopeKey, Verdict], held_since: Mapping[ScopeKey, datetime], now: datetime
) -> dict[ScopeKey, datetime]:
    """Since when each scope has passed every gate but `pending_for`, to be kept until the next evaluation."""
    return {key: held_since.get(key, now) for key, verdict in verdicts.items() if verdict.stands}
