"""Every kind of rule, one entry each. A new kind is one file with its function and one entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeGuard, TypeVar

from service.domain.rules.feedback import NO_FEEDBACK, Feedback
from service.domain.rules.kinds import (
    cache_collapse,
    change,
    dormant_woke,
    first_seen,
    model_shift,
    priority_tier,
    stale_source,
)
from service.domain.rules.kinds.anomaly import rule as anomaly
from service.domain.rules.limits import check_gates
from service.domain.rules.rule import Gates, Observation, Rule, RuleKind
from service.domain.rules.view import SpendView
from service.domain.spend.lateness import Patience
from service.domain.values.errors import Invalid
from service.domain.values.scopes import Dimension, ScopeKey

P = TypeVar("P")
EVERY = tuple(dimension for dimension in Dimension if dimension is not Dimension.ORGANISATION)
NONE: tuple[Dimension, ...] = ()


class Observe(Protocol):
    """What a rule sees of every scope it is about, in the view as it is at `view.as_of`."""

    def __call__(
        self, view: SpendView, rule: Rule[object], feedback: Sequence[Feedback] = ...
    ) -> Mapping[ScopeKey, Observation]: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """`params` is the dataclass of the kind's parameters; all of them have defaults.

    `for_each` are the dimensions that such a rule may be repeated over. `observe` raises TypeError for another kind's
    rule, `validate` raises Invalid.
    """

    title: str
    description: str
    params: type[object]
    gates: Gates
    for_each: tuple[Dimension, ...]
    observe: Observe
    validate: Callable[[Rule[object]], None]


def _kind(
    title: str,
    description: str,
    params: type[P],
    gates: Gates,
    for_each: tuple[Dimension, ...],
    observe: Callable[[SpendView, Rule[P], Sequence[Feedback]], Mapping[ScopeKey, Observation]],
    validate: Callable[[Rule[P]], None],
) -> Kind:
    def is_ours(rule: Rule[object]) -> TypeGuard[Rule[P]]:
        return isinstance(rule.params, params)

    def see(
        view: SpendView, rule: Rule[object], feedback: Sequence[Feedback] = NO_FEEDBACK
    ) -> Mapping[ScopeKey, Observation]:
        if not is_ours(rule):
            raise TypeError(f"{title} takes {params.__name__}, not {type(rule.params).__name__}")
        return observe(view, rule, feedback)

    def check(rule: Rule[object]) -> None:
        if not is_ours(rule):
            raise Invalid(f"these are not the parameters of {rule.kind}", "/params")
        if rule.for_each is not None and rule.for_each not in for_each:
            choice = " or ".join(for_each) or "nothing"
            raise Invalid(f"{rule.kind} can be repeated for each {choice}, not {rule.for_each}", "/for_each")
        validate(rule)
        check_gates(rule.gates)

    return Kind(title, description, params, gates, for_each, see, check)


KINDS: Mapping[RuleKind, Kind] = {
    RuleKind.ANOMALY: _kind(
        "Unusual spend",
        "A day or an hour is unlike what the organisation, or a part of it, usually spends.",
        anomaly.Anomaly,
        anomaly.DEFAULT_GATES,
        EVERY,
        anomaly.observe,
        anomaly.validate,
    ),
    RuleKind.CHANGE: _kind(
        "Change of daily spend",
        "A day's spend differs from the day before, the same day last week, or a trailing mean or median.",
        change.Change,
        change.DEFAULT_GATES,
        EVERY,
        change.observe,
        change.validate,
    ),
    RuleKind.FIRST_SEEN: _kind(
        "First seen",
        "A workspace, model or API key spends that has never spent before.",
        first_seen.FirstSeen,
        first_seen.DEFAULT_GATES,
        NONE,
        first_seen.observe,
        first_seen.validate,
    ),
    RuleKind.DORMANT_WOKE: _kind(
        "Dormant, woke up",
        "Something that had spent nothing for days spends again.",
        dormant_woke.DormantWoke,
        dormant_woke.DEFAULT_GATES,
        EVERY,
        dormant_woke.observe,
        dormant_woke.validate,
    ),
    RuleKind.MODEL_SHIFT: _kind(
        "Shift to a dearer model",
        "A dearer model takes over a part of the spend.",
        model_shift.ModelShift,
        model_shift.DEFAULT_GATES,
        (Dimension.WORKSPACE, Dimension.API_KEY),
        model_shift.observe,
        model_shift.validate,
    ),
    RuleKind.CACHE_COLLAPSE: _kind(
        "Cache collapse",
        "The cached part of the input falls, and the same input costs more.",
        cache_collapse.CacheCollapse,
        cache_collapse.DEFAULT_GATES,
        EVERY,
        cache_collapse.observe,
        cache_collapse.validate,
    ),
    RuleKind.PRIORITY_TIER: _kind(
        "Priority Tier",
        "Priority Tier tokens, which no cost report contains, appear or grow.",
        priority_tier.PriorityTier,
        priority_tier.DEFAULT_GATES,
        EVERY,
        priority_tier.observe,
        priority_tier.validate,
    ),
    RuleKind.STALE_SOURCE: _kind(
        "Source not read",
        "Reading a source fails, so that nothing would ring.",
        Patience,
        stale_source.DEFAULT_GATES,
        NONE,
        stale_source.observe,
        stale_source.validate,
    ),
}


def validate(rule: Rule[object]) -> None:
    """Raises Invalid, with a pointer into the request body, for a rule that cannot be kept."""
    kind = KINDS.get(rule.kind)
    if kind is None:
        raise Invalid(f"no rules of the kind {rule.kind} are known", "/kind")
    kind.validate(rule)
