"""People and products: nothing but the bill names them, and it comes during the day after."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.domain.rules.evaluation import evaluate
from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.rule import Rule, Verdict
from service.domain.values.scopes import ORGANISATION, Dimension, Scope, ScopeKey
from tests.domain.rules.views import CELL, Figures, day, rule, view

ADA = ScopeKey(Dimension.ACTOR, "person_7f3a91c2aabbccdd")
HERS = replace(CELL, actor=ADA.id, product="claude_code")
JUMP = Change(Against.PREVIOUS_DAY)
BY_PERSON = rule("change", JUMP, for_each=Dimension.ACTOR)
OF_ADA = rule("change", JUMP, scope=Scope(actors=(ADA.id,)))
USUAL = [100.0] * 10


def ada(row: Figures, judged: Rule[Change], settled: int) -> Verdict:
    return evaluate(view({HERS: row}, settled=settled), judged)[ORGANISATION if judged.for_each is None else ADA]


@pytest.mark.parametrize("dimension", [Dimension.ACTOR, Dimension.PRODUCT])
@pytest.mark.parametrize("against", Against)
def test_what_no_bill_has_named_yet_is_nobody_who_spends_more(against: Against, dimension: Dimension) -> None:
    known = view({HERS: [*USUAL, 0.0, 0.0], CELL: [0.5] * 10 + [101.0, 60.0]})
    seen = evaluate(known, rule("change", Change(against), for_each=dimension))
    assert [(key.id, verdict.fires) for key, verdict in seen.items()] == [(HERS.along(dimension), False)]


def test_where_nobody_is_known_nobody_is_judged() -> None:
    assert dict(evaluate(view({CELL: USUAL}), BY_PERSON)) == {}


@pytest.mark.parametrize("judged", [BY_PERSON, OF_ADA])
@pytest.mark.parametrize(
    ("sentence", "row", "settled", "rings"),
    [
        ("is billed on the day after it", [*USUAL, 400.0, 0.0], 1, True),
        ("is not settled on the next day, of which there is no bill", [*USUAL, 400.0, 0.0, 0.0], 2, True),
        ("is settled while the next day has no bill", [*USUAL, 400.0, 0.0, 0.0], 1, True),
        ("is settled, and so is the usual day after it", [*USUAL, 400.0, 100.0, 0.0, 0.0], 1, False),
    ],
)
def test_a_rise_rings_while_it(
    sentence: str, row: list[float], settled: int, rings: bool, judged: Rule[Change]
) -> None:
    assert ada(row, judged, settled).fires is rings, sentence


@pytest.mark.parametrize("judged", [BY_PERSON, OF_ADA])
def test_nothing_is_said_of_a_day_without_a_bill(judged: Rule[Change]) -> None:
    found = ada([*USUAL, 0.0, 0.0], judged, settled=1).observation
    assert (found.days, found.actual) == ((day(2),), 100.0)
