"""Of kept verdicts, an instant sees what the newest evaluation before it had found, and nothing of later."""

from __future__ import annotations

from datetime import datetime, timedelta

from service.domain.explain.remembered_verdicts import RememberedVerdicts, in_force
from service.domain.rules.memory import FIRED, KeptVerdict
from service.domain.rules.rule import GateVerdict
from service.domain.values.scopes import ORGANISATION, ScopeKey
from tests.domain.rules.views import ENG, NOON, day
from tests.sample_alerts import RULE

MINUTE = timedelta(minutes=1)


def kept(scope: ScopeKey, first: datetime, last: datetime, outcome: str = FIRED) -> KeptVerdict:
    gates = (GateVerdict("min_amount", True, "$1.00", "at least $1.00"),)
    return KeptVerdict("rule_1", 1, scope, day(0), outcome, first, last, RULE.actual, RULE.expected, "", (), gates)


def test_a_verdict_is_in_force_until_something_has_the_rule_judged_anew() -> None:
    one = kept(ENG, NOON - MINUTE, NOON)
    assert in_force([one], NOON + 3 * MINUTE, NOON) == [one]
    assert in_force([one], NOON + 3 * MINUTE, NOON + MINUTE) == []
    assert in_force([one], NOON - MINUTE / 2, NOON - MINUTE / 2) == [one]


def test_an_evaluation_that_saw_only_the_others_ends_it() -> None:
    over, other = kept(ENG, NOON, NOON), kept(ORGANISATION, NOON - MINUTE, NOON + MINUTE)
    assert in_force([over, other], NOON + 2 * MINUTE, NOON) == [other]
    assert in_force([over, other], NOON, NOON) == [over, other]


def test_figures_that_were_brought_up_to_date_later_are_not_those_of_the_instant() -> None:
    stopped = kept(ENG, NOON, NOON + MINUTE, "min_amount")
    (then,) = RememberedVerdicts.of(NOON, [stopped], []).stored(None)
    (after,) = RememberedVerdicts.of(NOON + MINUTE, [stopped], []).stored(ENG)
    assert (then.figures_at, after.figures_at) == (None, NOON + MINUTE)
    assert RememberedVerdicts.of(NOON, [stopped], []).stored(ORGANISATION) == []
