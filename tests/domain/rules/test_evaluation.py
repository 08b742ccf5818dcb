from __future__ import annotations

from dataclasses import replace

import pytest

from service.domain.rules.evaluation import evaluate, hours_needed, view_for
from service.domain.rules.kinds.anomaly.ground import LEARNING_HOURS
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity
from service.domain.rules.kinds.change import Change
from service.domain.values.utc import HOUR
from tests.domain.rules.spending import ENG_CI, OPS_BOT, hourly, hours, steady, with_hours
from tests.domain.rules.views import rule, view


@pytest.mark.parametrize(
    ("kind", "params", "hours"),
    [
        ("anomaly", Anomaly(), LEARNING_HOURS),
        ("anomaly", Anomaly(AnomalyGranularity.HOURS), LEARNING_HOURS),
        ("anomaly", Anomaly(AnomalyGranularity.DAYS), 0),
        ("change", Change(), 0),
    ],
)
def test_only_a_rule_on_hours_reads_hours(kind: str, params: object, hours: int) -> None:
    assert hours_needed(rule(kind, params)) == hours


HOURS = LEARNING_HOURS + 24
SEEN = with_hours(
    view({ENG_CI: steady(), OPS_BOT: steady(0.5)}),
    hours({ENG_CI: hourly(hours=HOURS), OPS_BOT: [1.0, *[0.0] * (HOURS - 1)]}),
)


def test_a_rule_sees_the_hours_that_it_asks_for_and_no_more() -> None:
    seen = view_for(rule("anomaly", Anomaly()), SEEN).hours
    assert seen is not None
    assert SEEN.hours is not None
    assert (len(seen.known), seen.first) == (LEARNING_HOURS, SEEN.hours.first + (HOURS - LEARNING_HOURS) * HOUR)
    assert seen.cells == {ENG_CI: SEEN.hours.cells[ENG_CI][-LEARNING_HOURS:]}
    assert view_for(rule("change", Change()), SEEN).hours is None


def test_what_other_rules_read_makes_no_difference() -> None:
    by_day = rule("anomaly", Anomaly(AnomalyGranularity.DAYS))
    alone = evaluate(replace(SEEN, hours=None), by_day)
    assert evaluate(view_for(by_day, SEEN), by_day) == alone
