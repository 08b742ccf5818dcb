from __future__ import annotations

import pytest

from service.domain.rules.kinds.anomaly.rule import Anomaly, Granularity
from service.domain.rules.kinds.change import Change
from service.domain.rules.reach import LEARNING_HOURS, hours_needed
from service.domain.rules.rule import RuleKind
from tests.domain.rules.views import rule


@pytest.mark.parametrize(
    ("kind", "params", "hours"),
    [
        (RuleKind.ANOMALY, Anomaly(), LEARNING_HOURS),
        (RuleKind.ANOMALY, Anomaly(Granularity.HOURS), LEARNING_HOURS),
        (RuleKind.ANOMALY, Anomaly(Granularity.DAYS), 0),
        (RuleKind.CHANGE, Change(), 0),
    ],
)
def test_only_a_rule_on_hours_reads_hours(kind: RuleKind, params: object, hours: int) -> None:
    assert hours_needed(rule(kind, params)) == hours
