"""The hourly band."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from service.domain.detectors.arrays import Floats
from service.domain.detectors.daily.detector import terms
from service.domain.detectors.hourly.detector import HOURS, WEEK, judge_hour
from service.domain.detectors.scores import Maturity, Method, Scores, Sensitivity
from tests.domain.detectors.spending import normal

MADRID = ZoneInfo("Europe/Madrid")
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
FINAL = Maturity.FINAL


def office_hours(start: datetime, hours: int, seed: int = 1) -> Floats:
    """$40 an hour from 9 to 18 on working days by Madrid's clocks, else $4: [hours]."""
    local = [(start + timedelta(hours=n)).astimezone(MADRID) for n in range(hours)]
    busy = np.array([9 <= at.hour < 18 and at.weekday() < 5 for at in local])
    return np.where(busy, 40.0, 4.0) * np.random.default_rng(seed).lognormal(0, 0.08, hours)


def judged(window: Floats, amount: float, maturity: Maturity = Maturity.FINAL) -> Scores:
    return judge_hour(window[None], np.array([amount]), normal(1, 10.0), maturity)


def usual(start: datetime = MONDAY - timedelta(days=28)) -> Floats:
    return office_hours(start, HOURS)


@pytest.mark.parametrize(
    ("hour", "amount", "rises"),
    [(3, 4.0, False), (3, 12.0, False), (3, 40.0, True), (11, 40.0, False), (11, 60.0, False), (11, 200.0, True)],
)
def test_an_hour_is_compared_with_its_hour_of_the_week(hour: int, amount: float, rises: bool) -> None:
    start = datetime(2026, 1, 5, hour, tzinfo=UTC)
    scores = judged(office_hours(start, HOURS), amount)
    assert scores.methods[0] == Method.STEADY
    assert bool(scores.rises[0]) is rises


def test_a_loop_is_found_a_week_after_another_at_the_same_hours() -> None:
    start = datetime(2026, 1, 5, 11, tzinfo=UTC)
    window = office_hours(start, HOURS)
    window[-WEEK : -WEEK + 8] += 400
    assert judged(window, 200.0).rises[0]
    assert not judged(window, 42.0).rises[0]


def test_an_hour_rings_exactly_from_the_amount_the_scores_name() -> None:
    fires_from = float(judged(usual(), 0.0).fires_from[0])
    assert not judged(usual(), fires_from - 0.01).rises[0]
    assert judged(usual(), fires_from).rises[0]


@pytest.mark.parametrize(
    ("begun", "method"), [(0, Method.NOT_BEGUN), (335, Method.TOO_YOUNG), (337, Method.STEADY), (HOURS, Method.STEADY)]
)
def test_fourteen_days_are_needed(begun: int, method: Method) -> None:
    window = usual()
    window[: HOURS - begun] = 0
    assert judged(window, 4.0).methods[0] == method


def test_defects_of_one_series_leave_the_others_alone() -> None:
    broken = usual()
    broken[100:] = np.nan
    rows = np.array([broken, usual(), usual(), usual()])
    scores = judge_hour(rows, np.array([5.0, np.nan, -3.0, 500.0]), normal(4, 10.0), Maturity.FINAL)
    assert [scores.failed(row) for row in range(4)] == [
        Method.TOO_MANY_GAPS.reason,
        Method.UNKNOWN_AMOUNT.reason,
        Method.CREDIT.reason,
        None,
    ]
    assert scores.rises.tolist() == [False, False, False, True]


def test_unknown_hours_count_as_usual() -> None:
    window, gaps = usual(), usual()
    gaps[-30:-20] = np.nan
    assert judged(gaps, 30.0).expected[0] == pytest.approx(judged(window, 30.0).expected[0], rel=0.05)


def test_only_a_final_hour_falls() -> None:
    window = office_hours(datetime(2026, 1, 5, 11, tzinfo=UTC), HOURS)
    assert judged(window, 1.0).falls[0]
    assert not judged(window, 1.0, Maturity.PARTIAL).falls[0]


def test_a_planned_extra_is_expected() -> None:
    scores = judge_hour(usual()[None], np.array([300.0]), normal(1, 10.0), Maturity.FINAL, np.array([300.0]))
    assert not scores.rises[0]
    assert judged(usual(), 300.0).rises[0]


def test_many_series_at_once_are_judged_as_one_by_one() -> None:
    rows = np.array([office_hours(MONDAY, HOURS, seed) for seed in range(5)])
    amounts = np.array([5.0, 10.0, 50.0, 100.0, 200.0])
    together = judge_hour(rows, amounts, normal(5, 10.0), Maturity.FINAL)
    for row, amount in enumerate(amounts):
        alone = judged(rows[row], float(amount))
        assert (together.scores[row], together.rises[row]) == (alone.scores[0], alone.rises[0])


def test_a_busy_day_raises_what_its_next_hour_is_expected_to_cost() -> None:
    window = usual()
    before = judged(window, 5.0).expected[0]
    window[-24:] *= 1.5
    after = judged(window, 5.0).expected[0]
    assert 1.1 * before < after < 1.5 * before


def test_a_huge_hour_of_a_wild_series_rings_by_the_override_alone() -> None:
    window = 20 * np.random.default_rng(4).lognormal(0, 1.2, HOURS)
    largest = window[-WEEK:].max()
    scores = judge_hour(window[None], np.array([1.6 * largest]), terms(Sensitivity.LOW, np.ones(1), np.ones(1)), FINAL)
    assert scores.methods[0] == Method.VOLATILE
    assert scores.overrides[0]
    assert scores.scores[0] < Sensitivity.LOW.factor * 1.5
    assert scores.rises[0]


@pytest.mark.parametrize("hour", [3, 11])
def test_a_little_more_noise_moves_the_line_a_little_also_where_the_class_changes(hour: int) -> None:
    """The same fluctuations, each time a thousandth larger, from a calm office to a noisy one."""
    at = np.arange(HOURS) + hour
    plain = np.where((at % 24 >= 9) & (at % 24 < 18) & (at // 24 % 7 < 5), 40.0, 4.0)
    fluctuation = np.random.default_rng(3).uniform(-1, 1, HOURS)
    windows = np.array([plain * (1 + swing * fluctuation) for swing in np.arange(0.1, 0.7, 0.001)])
    scores = judge_hour(windows, np.zeros(len(windows)), normal(len(windows), 0.1), FINAL)
    assert {Method(int(each)) for each in scores.methods} == {Method.STEADY, Method.VOLATILE}
    line = scores.high
    assert line[-1] > 1.2 * line[0], "noise does move it"
    assert float(np.abs(np.diff(line) / line[:-1]).max()) < 0.01
