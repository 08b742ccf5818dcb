"""The gates between a rule's objection and a message, in the order in which people read them."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta

from service.domain.rules.rule import DOLLARS, PENDING_FOR, Gates, GateVerdict, Observation, Verdict
from service.domain.rules.wording import days, dollars, percent
from service.domain.values.durations import format_duration

SLACK = 1e-9
"""The share of what is needed by which floats that should be equal may differ."""


def min_amount(observation: Observation, gates: Gates) -> GateVerdict:
    needed = _needed(observation, dollars(float(gates.min_amount.usd)))
    return GateVerdict("min_amount", _is_dear(observation, gates), _shown(observation), needed)


def min_percent(observation: Observation, gates: Gates) -> GateVerdict:
    found, needed = observation.excess_percent, _needed(observation, percent(float(gates.min_percent)))
    shown = "nothing was expected" if math.isinf(found) else percent(found)
    return GateVerdict("min_percent", _is_out_of_proportion(observation, gates), shown, needed)


def min_active_days(observation: Observation, gates: Gates) -> GateVerdict:
    found, needed = days(observation.active_days), _needed(observation, days(gates.min_active_days))
    return GateVerdict("min_active_days", _is_long_known(observation, gates), found, needed)


GATES: tuple[Callable[[Observation, Gates], GateVerdict], ...] = (min_amount, min_percent, min_active_days)
"""In this order everywhere; `pending_for`, the only one that needs a memory, is the last of all."""


def pending_for(gates: Gates, held_since: datetime | None, now: datetime) -> GateVerdict:
    """`held_since` is when the observation began to pass all other gates; None: only now."""
    held = now - held_since if held_since is not None else timedelta()
    return GateVerdict(
        PENDING_FOR, held >= gates.pending_for, _whole(held), f"at least {format_duration(gates.pending_for)}"
    )


def exceeds(observation: Observation, gates: Gates) -> bool:
    """Whether the rule objects, and by enough."""
    large = observation.limit_set or is_large(observation.excess, observation.excess_percent, gates)
    return observation.candidate and large


def is_large(excess: float, excess_percent: float, gates: Gates) -> bool:
    """Whether an excess in US dollars, which is also a percentage of the expectation, is enough for both of these."""
    return _is_enough(excess, float(gates.min_amount.usd)) and _is_enough(excess_percent, float(gates.min_percent))


def stands(observation: Observation, gates: Gates) -> bool:
    """Whether nothing but time keeps it from firing: the instant from which this is so is its `held_since`."""
    return exceeds(observation, gates) and _is_long_known(observation, gates)


def judge(observation: Observation, gates: Gates, held_since: datetime | None, now: datetime) -> Verdict:
    """Every gate's answer, also after one that failed. What does not stand just now has not held at all."""
    since = held_since if stands(observation, gates) else None
    return Verdict(observation, (*(gate(observation, gates) for gate in GATES), pending_for(gates, since, now)))


def endures(observation: Observation, gates: Gates, last_held: datetime, now: datetime) -> GateVerdict:
    """Whether an open alert goes on, by the first reason that keeps it; else what it failed last.

    `last_held` is when it last exceeded its gates. An unknown figure ends nothing.
    """
    if math.isnan(observation.actual):
        return GateVerdict("unknown", passed=True, found="unknown", needed="a figure to judge")
    if exceeds(observation, gates):
        return GateVerdict("exceeds", passed=True, found=_shown(observation), needed="all gates of size")
    if gates.resolve_percent is not None and _reaches(observation.excess_percent, float(gates.resolve_percent)):
        found, needed = percent(observation.excess_percent), percent(float(gates.resolve_percent))
        return GateVerdict("resolve_percent", passed=True, found=found, needed=f"at least {needed}")
    quiet, kept = now - last_held, gates.keep_firing_for
    return GateVerdict("keep_firing_for", quiet < kept, _whole(quiet), f"less than {format_duration(kept)}")


def _is_dear(observation: Observation, gates: Gates) -> bool:
    return observation.limit_set or _is_enough(observation.excess, float(gates.min_amount.usd))


def _is_out_of_proportion(observation: Observation, gates: Gates) -> bool:
    return observation.limit_set or _is_enough(observation.excess_percent, float(gates.min_percent))


def _is_long_known(observation: Observation, gates: Gates) -> bool:
    return observation.limit_set or observation.active_days >= gates.min_active_days


def _needed(observation: Observation, least: str) -> str:
    return "nothing: a person set the limit" if observation.limit_set else f"at least {least}"


def _is_enough(found: float, needed: float) -> bool:
    return needed == 0 or _reaches(found, needed)


def _reaches(found: float, needed: float) -> bool:
    return found >= needed or (needed > 0 and math.isclose(found, needed, rel_tol=SLACK))


def _shown(observation: Observation) -> str:
    in_dollars = DOLLARS in observation.unit
    return dollars(observation.excess) if in_dollars else f"{observation.excess:g} {observation.unit}"


def _whole(duration: timedelta) -> str:
    return format_duration(timedelta(seconds=max(0, int(duration.total_seconds()))))
