"""The settings that a rule is tried at beside its own: how often it would ring, and what it would find."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from service.domain.detectors.scores import Sensitivity
from service.domain.rules.kinds.anomaly.rule import Anomaly
from service.domain.rules.kinds.priority_tier import PriorityTier
from service.domain.rules.rule import Gates, Rule
from service.domain.values.money import ZERO

FACTORS = tuple(Decimal(factor) for factor in ("0.5", "1", "1.5", "2"))
"""Of the setting that the rule has."""


@dataclass(frozen=True, slots=True)
class Setting:
    """`name` says what is set to what: "min_percent 45". `configured`: the rule is as it is."""

    name: str
    configured: bool
    rule: Rule[object]


def settings_of(rule: Rule[object]) -> tuple[Setting, ...]:
    """From the one that rings most easily to the one that rings least, the rule's own among them.

    The sensitivity of a detector; of other kinds the gate that their size has to pass, or their own amount."""
    if isinstance(rule.params, Anomaly):
        return tuple(_sensitivities(rule, rule.params))
    if isinstance(rule.params, PriorityTier):
        return tuple(_amounts(rule, rule.params))
    return tuple(_gates(rule))


def _sensitivities(rule: Rule[object], params: Anomaly) -> Iterable[Setting]:
    for sensitivity in (Sensitivity.HIGH, Sensitivity.NORMAL, Sensitivity.LOW):
        changed = replace(rule, params=replace(params, sensitivity=sensitivity))
        yield Setting(f"sensitivity {sensitivity.name.lower()}", sensitivity is params.sensitivity, changed)


def _amounts(rule: Rule[object], params: PriorityTier) -> Iterable[Setting]:
    for factor in FACTORS:
        amount = params.amount * factor
        changed = replace(rule, params=replace(params, amount=amount))
        yield Setting(f"amount {amount.in_full()}", factor == 1, changed)


def _gates(rule: Rule[object]) -> Iterable[Setting]:
    """By percentage; by dollars where no percentage is asked for. Without either there is nothing to set."""
    for factor in FACTORS:
        named = _scaled(rule.gates, factor)
        if named is not None:
            name, gates = named
            yield Setting(name, factor == 1, replace(rule, gates=gates))


def _scaled(gates: Gates, factor: Decimal) -> tuple[str, Gates] | None:
    if gates.min_percent > 0:
        percent = gates.min_percent * factor
        return f"min_percent {percent.normalize():f}", replace(gates, min_percent=percent)
    if gates.min_amount > ZERO:
        amount = gates.min_amount * factor
        return f"min_amount {amount.in_full()}", replace(gates, min_amount=amount)
    return None
