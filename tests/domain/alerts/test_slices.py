"""Moves are stored in slices; what belongs together is not divided."""

from __future__ import annotations

from dataclasses import replace

from service.domain.alerts.alert import Command, Reason
from service.domain.alerts.findings import Condition, Finding
from service.domain.alerts.reconcile import Move
from service.domain.alerts.slices import FIRST, FOLLOWING, sliced
from service.domain.values.money import Money
from service.domain.values.scopes import Dimension, ScopeKey
from service.domain.values.severity import Severity
from tests.sample_alerts import ALERT, EVIDENCE, RULE

CENT = Money.of("0.01")


def opening(number: int, dimension: Dimension = Dimension.API_KEY) -> Move:
    """A rule opens the alert of one scope."""
    scope = ScopeKey(dimension, str(number))
    finding = Finding(f"rule:{scope}", "src_1", scope, Severity.WARNING, Condition.FIRES, Reason.FIRST, RULE)
    return Move(Command.OPEN, Reason.FIRST, None, finding)


def test_the_first_slice_is_short_and_the_order_stays() -> None:
    moves = [opening(number) for number in range(FIRST + FOLLOWING + 1)]
    slices = sliced(moves)
    assert [len(one) for one in slices] == [FIRST, FOLLOWING, 1]
    assert [move for one in slices for move in one] == moves


def test_without_moves_there_is_one_empty_slice() -> None:
    assert sliced([]) == [[]]


def test_a_move_of_which_nothing_is_stored_is_in_none() -> None:
    same = Move(None, Reason.NOTHING_NEW, ALERT, replace(opening(1).finding, evidence=EVIDENCE))
    assert sliced([same]) == [[]]
    noted = replace(same, finding=replace(same.finding, evidence=replace(EVIDENCE, spent=EVIDENCE.spent + CENT)))
    assert sliced([same, noted]) == [[noted]]


def test_alerts_that_a_rule_opens_on_several_levels_are_opened_together() -> None:
    """Apart, the workspace's open alert could take in the incident of its key, and nobody would be notified of it."""
    moves = [opening(0), opening(1), opening(2, Dimension.WORKSPACE), opening(3)]
    assert sliced(moves, first=1, following=1) == [moves]
    raised = replace(opening(4), command=Command.RAISE, alert=ALERT)
    assert sliced([raised, *moves], first=1, following=1) == [[raised], moves]
