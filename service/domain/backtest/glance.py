"""Short cuts of a replay: what needs no full look because it cannot ring. They never change what is found."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from service.domain.rules.anomaly import Anomaly
from service.domain.rules.anomaly_ground import ground, judges
from service.domain.rules.anomaly_sides import RINGING_DAYS
from service.domain.rules.rule import Rule, RuleKind, Verdict
from service.domain.rules.view import SpendView
from service.domain.scopes import ORGANISATION, Dimension, ScopeKey

APART = frozenset({RuleKind.CHANGE, RuleKind.DORMANT_WOKE, RuleKind.CACHE_COLLAPSE, RuleKind.PRIORITY_TIER})
"""Kinds that judge each scope by nothing but its own figures."""


def may_ring(view: SpendView, rule: Rule[object]) -> bool:
    """False only where no scope can ring at this instant: of the scopes that may, no judged day is unusual.

    Of kinds without a cheap answer it is True. So it is where a rule waits before it rings: then what does not ring
    has to be remembered.
    """
    if not isinstance(rule.params, Anomaly) or rule.gates.pending_for:
        return True
    stands = ground(view, rule.scope)
    if not stands.cells:
        return False
    days = judges(stands, rule.params.sensitivity, ()).days
    levels = {*rule.params.levels, Dimension.ORGANISATION, *([rule.for_each] if rule.for_each else [])}
    last = days.open_day
    stirring = days.stirring(range(last, max(-1, last - RINGING_DAYS - 1), -1))
    return any(stands.keys[row].dimension in levels for row in stirring)


def candidates(rule: Rule[object], verdicts: Mapping[ScopeKey, Verdict]) -> frozenset[ScopeKey]:
    """The scopes that may ring at this rule's setting; at a stricter one no others can."""
    waits = bool(rule.gates.pending_for)
    return frozenset(
        key
        for key, verdict in verdicts.items()
        if verdict.stands and (waits or key == ORGANISATION or verdict.observation.stands_alone)
    )


def narrowed(view: SpendView, rule: Rule[object], scopes: Collection[ScopeKey]) -> SpendView:
    """The view of these scopes alone, where the others have no say in what is found of them."""
    if rule.for_each is None or rule.kind not in APART:
        return view
    members = view.members(rule.for_each, rule.scope)
    return view.only(cell for scope in scopes for cell in members.get(scope, ()))
