"""How much of the past a rule looks at: what its view has to hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from service.domain.rules.kinds.anomaly.rule import Anomaly, Granularity
from service.domain.rules.limits import LONGEST_WINDOW
from service.domain.rules.rule import Rule, RuleKind
from service.domain.rules.view import LEARNING_DAYS

LEARNING_HOURS = 700
"""The 672 that a band is made of, and the newest ones, that are judged."""
MARGIN = 31
"""Days beyond a rule's own window: the days it judges, and what came just before."""

_WINDOWS = frozenset({"days", "idle_days", "within_days"})
_EVER = frozenset({RuleKind.FIRST_SEEN})
"""These ask whether something has happened before, ever."""


def days_needed(rule: Rule[object]) -> int:
    """UTC days, today included. Twice the active days that a gate asks for: a scope may rest at weekends."""
    if rule.kind in _EVER:
        return LONGEST_WINDOW + MARGIN
    windows = [days for days, _ in windows_of(rule)]
    return max(LEARNING_DAYS, *(days + MARGIN for days in (sum(windows), 2 * rule.gates.min_active_days)))


def hours_needed(rule: Rule[object]) -> int:
    """UTC hours that are over. A rule on days alone asks for none."""
    is_hourly = isinstance(rule.params, Anomaly) and rule.params.granularity is not Granularity.DAYS
    return LEARNING_HOURS if is_hourly else 0


def windows_of(rule: Rule[object]) -> Iterable[tuple[int, str]]:
    """Every parameter of a rule that is a number of days, with its name."""
    names = [field.name for field in fields(rule.params) if field.name in _WINDOWS]  # type: ignore[arg-type]
    return [(getattr(rule.params, name), name) for name in names]
