"""The anomaly rule on a day that has a batch each month: three seen, the fourth expected, by day and by hour."""

from __future__ import annotations

import numpy as np
import pytest

from service.domain.detectors.memory.batch_hours import of_a_day
from service.domain.rules.evaluation import evaluate
from service.domain.rules.incidents import Incident, incidents
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity, observe
from service.domain.rules.rule import Rule
from service.domain.rules.view import SpendView
from service.domain.values.scopes import ORGANISATION
from tests.domain.rules.spending import (
    ENG_CI,
    OPS_BOT,
    a_rule,
    hourly,
    hours,
    steady,
    usual,
    with_days,
    with_hours,
)
from tests.domain.rules.views import view

DAYS = 141
SEEN = (92, 61, 31)
"""21 Aug, 21 Sep and 21 Oct, as days before today."""
BATCH, HOURS_OF_BATCH = 400.0, (4, 3, 2, 1)
BOTH, DAILY, HOURLY = a_rule(AnomalyGranularity.BOTH), a_rule(), a_rule(AnomalyGranularity.HOURS)


def month(today: float, *, seen: tuple[int, ...] = SEEN) -> SpendView:
    """Days of a month with a batch on the 21st, today's of so many dollars."""
    row = with_days(steady(1.0, DAYS), {ago: usual(ago) + BATCH for ago in seen})
    return view({ENG_CI: with_days(row, {0: usual(0) / 2 + today}), OPS_BOT: steady(0.2, DAYS)})


def by_the_hour(seen: SpendView, an_hour: float) -> SpendView:
    """The same with hours, of which four this morning cost so many dollars more."""
    row = hourly()
    for ago in HOURS_OF_BATCH:
        row[-ago] += an_hour
    return with_hours(seen, hours({ENG_CI: row, OPS_BOT: hourly(1.0)}))


def found(seen: SpendView, rule: Rule[Anomaly] = BOTH) -> list[Incident]:
    return incidents(seen, evaluate(seen, rule))


def test_a_batch_seen_three_times_is_quiet_by_the_day_and_by_the_hour() -> None:
    assert not found(by_the_hour(month(BATCH), BATCH / 4))
    assert found(by_the_hour(month(BATCH, seen=SEEN[1:]), BATCH / 4))


def test_twice_the_batch_rings_by_the_hour_and_says_what_was_left_of_it() -> None:
    assert found(by_the_hour(month(2 * BATCH), BATCH / 2))
    [incident] = found(by_the_hour(month(2 * BATCH), BATCH / 2), HOURLY)
    seen = incident.verdict.observation
    allowed = "$0.00 of it left of the $592.45 that the monthly batch, seen 21 Aug, 21 Sep and 21 Oct, may spend"
    assert allowed in seen.cause


def test_an_hour_before_the_batch_is_used_up_is_its_own() -> None:
    """The whole batch in one hour, and nothing in the others."""
    seen = by_the_hour(month(BATCH), 0.0)
    row = hourly()
    row[-2] += BATCH
    assert not found(with_hours(seen, hours({ENG_CI: row, OPS_BOT: hourly(1.0)})))


def test_the_cause_of_a_day_can_be_checked_by_hand() -> None:
    [incident] = incidents(month(3 * BATCH), evaluate(month(3 * BATCH), DAILY))
    seen = incident.verdict.observation
    above = [float(value.removeprefix("$").split()[0]) for name, value in seen.inputs if "batch of" in name]
    assert len(above) == 3
    assert "and the monthly batch, seen 21 Aug, 21 Sep and 21 Oct, $" in seen.cause
    counted = [float(value.split()[0].removeprefix("$").rstrip(",")) for name, value in seen.inputs if "2026" in name]
    saturdays = [dollars for dollars in counted if dollars < 200]
    assert seen.expected == pytest.approx(sum(saturdays) / 4 + sum(above) / 3, abs=0.05)


def test_a_batch_that_stays_away_is_no_alert_and_is_told_where_somebody_asks() -> None:
    seen = month(0.0, seen=tuple(ago + 1 for ago in SEEN))
    assert not found(seen)
    told = observe(seen, DAILY)[ORGANISATION].cause
    assert "was expected with the monthly batch, seen 20 Aug, 20 Sep and 20 Oct, and it fires from" in told


def test_what_is_left_of_a_batch_explains_one_hour_after_the_other() -> None:
    spent = np.tile(np.full(168, 2.0), 5)[None]
    spent[0, 672:676] = [12.0, 7.0, 2.0, 32.0]
    explained = of_a_day(spent[:, :676], 672, np.array([25.0]))
    assert explained.tolist() == [[10.0, 5.0, 0.0, 10.0]]
