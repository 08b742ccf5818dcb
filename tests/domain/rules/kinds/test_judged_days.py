"""Days that were read late, because of an outage: each kind of rule that judges single days judges them, too."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from service.domain.rules.evaluation import evaluate
from service.domain.rules.kinds.cache_collapse import CacheCollapse
from service.domain.rules.kinds.change import Against, Change, Direction
from service.domain.rules.kinds.model_shift import ModelShift
from service.domain.rules.kinds.priority_tier import PriorityTier
from service.domain.rules.rule import Rule, Verdict
from service.domain.rules.view import DayFigures
from service.domain.values.scopes import ORGANISATION, Cell
from tests.domain.rules.views import CELL, Figures, day, rule, view

OPUS = Cell("wrkspc_eng", "claude-opus-4-1", "apikey_ci")
JUMP = rule("change", Change(Against.TRAILING_MEDIAN))
USUAL = DayFigures(spend=40.0, input_tokens=10e6, cache_read_tokens=8e6)
UNCACHED = DayFigures(spend=130.0, input_tokens=10e6)
PRIORITY = DayFigures(spend=40.0, priority=25.0)
SHIFTED = {OPUS: DayFigures(90.0, 4.5e6), CELL: DayFigures(10.0, 2.5e6)}
BEFORE = {OPUS: DayFigures(20.0, 1e6), CELL: DayFigures(80.0, 20e6)}


def judged(spec: Rule[object], rows: dict[Cell, Figures], late: int | None) -> Verdict:
    return evaluate(view(rows, late=late), spec)[ORGANISATION]


def with_odd_day(usual: DayFigures, odd: DayFigures, ago: int = 4) -> list[DayFigures]:
    """Twenty closed days, one of them odd, and a day that has just begun."""
    return [odd if back == ago else usual for back in range(20, 0, -1)] + [DayFigures()]


KINDS: Sequence[tuple[Rule[object], dict[Cell, Figures]]] = [
    (JUMP, {CELL: with_odd_day(USUAL, UNCACHED)}),
    (
        rule("change", Change(Against.TRAILING_MEDIAN, direction=Direction.DOWN)),
        {CELL: with_odd_day(UNCACHED, USUAL)},
    ),
    (rule("cache_collapse", CacheCollapse()), {CELL: with_odd_day(USUAL, UNCACHED)}),
    (rule("priority_tier", PriorityTier()), {CELL: with_odd_day(USUAL, PRIORITY)}),
    (
        rule("model_shift", ModelShift()),
        {cell: with_odd_day(BEFORE[cell], SHIFTED[cell]) for cell in (OPUS, CELL)},
    ),
]


@pytest.mark.parametrize(("spec", "rows"), KINDS, ids=lambda one: one.kind if isinstance(one, Rule) else "")
def test_an_odd_day_of_an_outage_fires_when_it_has_been_read(spec: Rule[object], rows: dict[Cell, Figures]) -> None:
    assert not judged(spec, rows, late=None).fires
    found = judged(spec, rows, late=4)
    assert (found.fires, found.observation.days) == (True, (day(4),))
    assert "17 November 2026" in found.observation.cause


@pytest.mark.parametrize(("spec", "rows"), KINDS, ids=lambda one: one.kind if isinstance(one, Rule) else "")
def test_a_day_that_had_been_read_before_the_outage_is_not_judged_again(
    spec: Rule[object], rows: dict[Cell, Figures]
) -> None:
    found = judged(spec, rows, late=3)
    assert not found.fires
    assert found.observation.days != (day(4),)


def test_where_several_days_exceed_the_newest_is_told_and_names_the_others() -> None:
    row = with_odd_day(USUAL, UNCACHED, 4)
    row[-3] = UNCACHED
    found = judged(JUMP, {CELL: row}, late=5).observation
    assert found.days == (day(2),)
    assert found.cause.endswith(" Also 17 November 2026 ($130.00, $40.00 expected).")


def test_a_view_of_today_alone_has_no_closed_day() -> None:
    assert list(view([10.0], late=0).closed_days) == []
