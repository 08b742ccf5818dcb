"""Daily verdicts, case by case."""

from dataclasses import replace

import numpy as np
import pytest

from service.domain.detectors.arrays import Floats
from service.domain.detectors.daily.baseline import baseline
from service.domain.detectors.daily.detector import default_floor, default_hour_floor, feed_is_suspect, judge, terms
from service.domain.detectors.noise import Noise
from service.domain.detectors.scores import Maturity, Method, Sensitivity
from tests.domain.detectors.spending import carried, history_of, judged, normal, office, rare, volatile

WEEKS_16 = 112
USUAL_MONDAY = 300.0


@pytest.mark.parametrize(
    ("series", "amount", "method", "rises"),
    [
        (office(WEEKS_16), USUAL_MONDAY, Method.STEADY, False),
        (office(WEEKS_16), 1.2 * USUAL_MONDAY, Method.STEADY, False),
        (office(WEEKS_16), 2 * USUAL_MONDAY, Method.STEADY, True),
        (office(WEEKS_16 + 5), 80.0, Method.STEADY, False),  # a Saturday like every Saturday
        (office(WEEKS_16 + 5), 300.0, Method.STEADY, True),  # a Saturday like a Monday
        (office(WEEKS_16), 0.0, Method.STEADY, False),
        (volatile(WEEKS_16), 300.0, Method.VOLATILE, False),
        (volatile(WEEKS_16), 2000.0, Method.VOLATILE, True),
        (rare(WEEKS_16), 0.0, Method.INTERMITTENT, False),
        (rare(WEEKS_16), 160.0, Method.INTERMITTENT, False),
        (rare(WEEKS_16), 1500.0, Method.INTERMITTENT, True),
    ],
)
def test_a_day_is_judged_by_the_rule_of_its_class(series: Floats, amount: float, method: Method, rises: bool) -> None:
    scores = judged(history_of(series), amount)
    assert Method(int(scores.methods[0])) is method
    assert bool(scores.rises[0]) is rises


def test_a_day_rings_exactly_from_the_amount_the_scores_name() -> None:
    for series in (office(WEEKS_16), office(WEEKS_16 + 5), volatile(WEEKS_16), rare(WEEKS_16), office(20), office(40)):
        history = history_of(series)
        fires_from = float(judged(history, 0.0).fires_from[0])
        assert not judged(history, fires_from - 0.01).rises[0]
        assert judged(history, fires_from).rises[0]


def test_the_score_is_the_threshold_where_the_band_ends() -> None:
    for series in (office(WEEKS_16), volatile(WEEKS_16), rare(WEEKS_16)):
        history = history_of(series)
        high = float(judged(history, 0.0).high[0])
        assert judged(history, high).scores[0] == pytest.approx(1)


def test_a_second_incident_is_found_after_a_first_of_ten_times_the_usual() -> None:
    history = carried(history_of(office(WEEKS_16)), 3000.0)
    for amount in office(9):
        history = carried(history, float(amount))
    assert judged(history, 2.5 * USUAL_MONDAY).rises[0]


def test_an_incident_leaves_the_next_same_weekday_quiet_and_expected_near_the_usual() -> None:
    history = carried(history_of(office(WEEKS_16)), 3000.0)
    for amount in office(WEEKS_16 + 7)[-6:]:
        history = carried(history, float(amount))
    scores = judged(history, USUAL_MONDAY)
    assert not scores.rises[0]
    assert scores.expected[0] == pytest.approx(USUAL_MONDAY, rel=0.2)


def test_a_lasting_step_rings_at_once_and_is_accepted_in_about_a_week() -> None:
    history, rang = history_of(office(WEEKS_16)), []
    for amount in 2 * office(21, seed=9):
        rang.append(bool(judged(history, float(amount)).rises[0]))
        history = carried(history, float(amount))
    assert rang[:3] == [True, True, True]
    assert not any(rang[10:])


def test_a_small_series_needs_the_floor_in_dollars_and_not_only_the_score() -> None:
    history = history_of(office(WEEKS_16) / 100)
    scores = judged(history, 20.0)
    assert scores.scores[0] > 3
    assert not scores.rises[0]
    assert judged(history, 29.0).rises[0]


def test_a_huge_day_of_a_volatile_series_rings_by_the_override_alone() -> None:
    history = history_of(volatile(WEEKS_16))
    calm = judge(baseline(history), np.array([2500.0]), replace(normal(), thresholds=np.array([99.0])), Maturity.FINAL)
    assert calm.scores[0] < 99
    assert calm.overrides[0]
    assert calm.rises[0]


def test_sensitivity_and_noise_feedback_move_the_threshold() -> None:
    history, amount = history_of(office(WEEKS_16)), np.array([470.0])
    rises = {}
    for sensitivity in Sensitivity:
        asked = terms(sensitivity, np.zeros(1), np.full(1, 25.0))
        rises[sensitivity] = float(judge(baseline(history), amount, asked, Maturity.FINAL).fires_from[0])
    assert rises[Sensitivity.HIGH] < rises[Sensitivity.NORMAL] < rises[Sensitivity.LOW]
    assert terms(Sensitivity.NORMAL, np.array([0.1, 0.5, 3.0]), np.zeros(3)).thresholds.tolist() == [1.1, 1.5, 1.5]


def test_a_planned_extra_is_expected_and_a_day_without_it_is_no_drop() -> None:
    history = history_of(office(WEEKS_16))
    planned = np.array([1000.0])
    base = baseline(history)
    busy = judge(base, np.array([1290.0]), normal(), Maturity.FINAL, planned)
    assert busy.expected[0] == pytest.approx(1000 + USUAL_MONDAY, rel=0.1)
    assert not busy.rises[0]
    assert judge(base, np.array([2000.0]), normal(), Maturity.FINAL, planned).rises[0]
    assert abs(judge(base, np.array([USUAL_MONDAY]), normal(), Maturity.FINAL, planned).scores[0]) < 0.5


def test_only_a_second_final_day_far_below_falls() -> None:
    history = history_of(office(WEEKS_16))
    assert not judged(history, 10.0).falls[0]
    history = carried(history, 10.0)
    assert judged(history, 10.0).falls[0]
    for maturity in (Maturity.PARTIAL, Maturity.CLOSED):
        assert not judge(baseline(history), np.array([10.0]), normal(), maturity).falls[0]


def test_a_partial_day_may_alert_upwards() -> None:
    history = history_of(office(WEEKS_16))
    assert judge(baseline(history), np.array([900.0]), normal(), Maturity.PARTIAL).rises[0]


def test_many_series_falling_at_once_are_the_feeds_fault() -> None:
    rows = [office(WEEKS_16, seed=seed) for seed in range(10)]
    history = carried(history_of(*rows), *[0.0] * 10)
    assert feed_is_suspect(judged(history, *[0.0] * 10))
    assert not feed_is_suspect(judged(history, 0.0, *[300.0] * 9))


@pytest.mark.parametrize(
    ("amount", "method"),
    [
        (float("nan"), Method.UNKNOWN_AMOUNT),
        (float("inf"), Method.NOT_AN_AMOUNT),
        (1e15, Method.NOT_AN_AMOUNT),
        (-20.0, Method.CREDIT),
    ],
)
def test_a_defect_of_one_series_is_named_and_leaves_the_others_alone(amount: float, method: Method) -> None:
    rows = office(WEEKS_16, seed=1), office(WEEKS_16, seed=2)
    alone = judged(history_of(rows[1]), 700.0)
    both = judged(history_of(*rows), amount, 700.0)
    assert both.failed(0) == method.reason
    assert not both.rises[0]
    assert both.failed(1) is None
    assert both.scores[1] == alone.scores[0]


def test_a_storm_of_unknown_days_is_a_failure_of_that_series_and_passes() -> None:
    broken = office(WEEKS_16)
    broken[-20:] = np.nan
    history = history_of(broken, office(WEEKS_16))
    scores = judged(history, 900.0, 900.0)
    assert scores.failed(0) == Method.TOO_MANY_GAPS.reason
    assert scores.rises.tolist() == [False, True]
    for amount in office(35):
        history = carried(history, float(amount), float(amount))
    assert judged(history, 900.0, 900.0).rises.tolist() == [True, True]


def test_an_unknown_day_counts_as_what_was_expected() -> None:
    history = history_of(office(WEEKS_16))
    expected = judged(history, 300.0).expected[0]
    after = carried(history, float("nan"))
    assert after.kept[0, -1] == expected
    assert not after.known[0, -1]


def test_a_negative_restatement_counts_as_nothing_spent() -> None:
    after = carried(history_of(office(WEEKS_16)), -500.0)
    assert after.raw[0, -1] == after.kept[0, -1] == 0


def test_a_series_of_zeros_never_begins() -> None:
    scores = judged(history_of(np.zeros(WEEKS_16)), 0.0)
    assert scores.failed(0) == Method.NOT_BEGUN.reason


def test_a_class_changes_after_days_of_pointing_elsewhere_and_calm_is_trusted_last() -> None:
    history = history_of(office(WEEKS_16))
    assert history.noise[0] == Noise.STEADY
    changed: dict[int, int] = {}
    for day, amount in enumerate(np.concatenate([volatile(56), office(WEEKS_16)])):
        history = carried(history, float(amount))
        changed.setdefault(int(history.noise[0]), day)
    assert 20 < changed[Noise.VOLATILE] < 56
    assert history.noise[0] == Noise.STEADY


@pytest.mark.parametrize(
    ("daily", "floor"), [(10.0, 1.0), (150.0, 3.0), (1250.0, 25.0), (5000.0, 25.0), (40000.0, 200.0)]
)
def test_the_default_floor_follows_the_size_of_the_organisation(daily: float, floor: float) -> None:
    assert default_floor(daily) == floor


@pytest.mark.parametrize(
    ("daily", "floor"), [(10.0, 1.0), (150.0, 1.5), (1900.0, 19.0), (38_000.0, 20.0), (960_000.0, 200.0)]
)
def test_so_does_that_of_an_hour(daily: float, floor: float) -> None:
    assert default_hour_floor(daily) == pytest.approx(floor)
