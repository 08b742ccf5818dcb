"""Every kind of rule: one module or folder of `kinds/`, and one line here."""

from __future__ import annotations

from service.domain.rules.kind import RuleKind
from service.domain.rules.kinds import (
    cache_collapse,
    change,
    claude_code,
    dormant_woke,
    first_seen,
    model_shift,
    priority_tier,
    stale_source,
)
from service.domain.rules.kinds.anomaly import kind as anomaly
from service.domain.rules.limits import check_gates
from service.domain.rules.rule import Rule
from service.domain.values.errors import Invalid
from service.domain.values.scopes import SPENDER_DIMENSIONS, tells_spenders

_ALL: tuple[RuleKind[object], ...] = (
    anomaly.KIND,
    change.KIND,
    first_seen.KIND,
    dormant_woke.KIND,
    model_shift.KIND,
    cache_collapse.KIND,
    priority_tier.KIND,
    claude_code.KIND,
    stale_source.KIND,
)

KINDS: dict[str, RuleKind[object]] = {kind.name: kind for kind in _ALL}
"""The kinds by name. Functions of a kind are called for its own rules alone, which is what `kind_of` makes sure of."""


def kind_of(rule: Rule[object]) -> RuleKind[object]:
    """The kind of a rule. Raises TypeError where the parameters are not those of its kind."""
    kind = KINDS[rule.kind]
    if not isinstance(rule.params, kind.params):
        raise TypeError(f"{rule.kind} takes {kind.params.__name__}, not {type(rule.params).__name__}")
    return kind


def validate(rule: Rule[object]) -> None:
    """Raises Invalid, with a pointer into the request body, for a rule that cannot be kept."""
    kind = KINDS.get(rule.kind)
    if kind is None:
        raise Invalid(f"no rules of the kind {rule.kind} are known", "/kind")
    if not isinstance(rule.params, kind.params):
        raise Invalid(f"these are not the parameters of {rule.kind}", "/params")
    if rule.for_each is not None and rule.for_each not in kind.for_each:
        choice = " or ".join(kind.for_each) or "nothing"
        raise Invalid(f"{rule.kind} can be repeated for each {choice}, not {rule.for_each}", "/for_each")
    if tells_spenders(rule.scope.grain) and not set(SPENDER_DIMENSIONS) <= set(kind.for_each):
        raise Invalid(f"{rule.kind} cannot be of actors or products: only their spend is known", "/scope")
    kind.validate(rule)
    check_gates(rule.gates)
