"""Several days of one scope, each judged by itself: which one is told of, and what is said of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from service.domain.rules.gates import exceeds
from service.domain.rules.rule import Gates, Observation
from service.domain.rules.wording import day, dollars


def told_of(seen: Sequence[Observation], gates: Gates, usual: Observation) -> Observation:
    """The first of the days that exceeds, else the first that is objected to, else `usual`. The newest come first."""
    exceeding = (one for one in seen if exceeds(one, gates))
    objected = (one for one in seen if one.candidate)
    return next(exceeding, next(objected, usual))


def naming_others(told: Observation, seen: Sequence[Observation], gates: Gates) -> Observation:
    """The day that is told, its cause with the other days that exceed: an alert of one day hides none."""
    besides = [one for one in seen if one.days != told.days and exceeds(one, gates)]
    if not besides:
        return told
    named = ", ".join(
        f"{day(one.days[-1])} ({dollars(one.actual)}, {dollars(one.expected)} expected)" for one in besides
    )
    return replace(told, cause=f"{told.cause} Also {named}.")
