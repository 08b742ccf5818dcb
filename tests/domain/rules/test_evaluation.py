from __future__ import annotations

import pytest

from service.domain.rules.evaluation import hours_needed
from service.domain.rules.kinds.anomaly.ground import LEARNING_HOURS
from service.domain.rules.kinds.anomaly.rule import Anomaly, Granularity
from service.domain.rules.kinds.change import Change
from tests.domain.rules.views import rule


@pytest.mark.parametrize(
    ("kind", "params", "hours"),
    [
        ("anomaly", Anomaly(), LEARNING_HOURS),
        ("anomaly", Anomaly(Granularity.HOURS), LEARNING_HOURS),
        ("anomaly", Anomaly(Granularity.DAYS), 0),
        ("change", Change(), 0),
    ],
)
def test_only_a_rule_on_hours_reads_hours(kind: str, params: object, hours: int) -> None:
    assert hours_needed(rule(kind, params)) == hours
