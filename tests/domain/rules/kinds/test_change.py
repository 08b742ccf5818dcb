"""A day's spend against an earlier day or a trailing window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from service.domain.rules.evaluation import evaluate
from service.domain.rules.feedback import Feedback, FeedbackKind
from service.domain.rules.kinds.change import Against, Change, Direction, observe
from service.domain.rules.planned import PlannedActivity
from service.domain.rules.rule import Gates, Observation
from service.domain.rules.view import DayFigures, SpendView
from service.domain.sources.locality import Locality, locality_of
from service.domain.values.money import Money
from service.domain.values.scopes import ORGANISATION, Dimension, Scope
from service.domain.values.utc import DAY, midnight
from tests.domain.rules.views import CELL, ENG, Figures, day, instant, only, rule, view

KIND = "change"
UP_PREVIOUS = Change(Against.PREVIOUS_DAY)


def seen(row: Figures, params: Change, **options: int | None) -> Observation:
    return only(observe(view(row, settled=options.get("settled", 1)), rule(KIND, params)))


@pytest.mark.parametrize(
    ("against", "expected", "words"),
    [
        (Against.PREVIOUS_DAY, 90.0, "the day before"),
        (Against.SAME_WEEKDAY, 30.0, "the same day a week earlier"),
        (Against.TRAILING_MEAN, 75.0, "the mean of the 4 days before"),
        (Against.TRAILING_MEDIAN, 75.0, "the median of the 4 days before"),
    ],
)
def test_the_last_closed_day_is_compared_with_an_earlier_one(against: Against, expected: float, words: str) -> None:
    found = seen([10, 20, 30, 40, 50, 60, 70, 80, 90, 200, 0], Change(against, days=4))
    assert (found.actual, found.expected, found.candidate) == (200.0, expected, True)
    assert found.days == (day(1),)
    assert words in found.cause
    assert dict(found.inputs)[words] == f"${expected:.2f}"


def test_a_single_large_day_moves_the_mean_and_not_the_median() -> None:
    row = [10, 10, 10, 100, 50, 0]
    assert seen(row, Change(Against.TRAILING_MEAN, 4)).expected == 32.5
    assert seen(row, Change(Against.TRAILING_MEDIAN, 4)).expected == 10.0


def test_the_sentence_can_be_checked_by_hand() -> None:
    assert seen([100, 100, 300, 0], UP_PREVIOUS).cause == (
        "The organisation spent $300.00 on 20 November 2026, 200% more than the day before ($100.00)."
    )


def test_a_workspace_is_called_by_its_name() -> None:
    spec = rule(KIND, UP_PREVIOUS, for_each=Dimension.WORKSPACE)
    found = observe(view([100, 300, 0]), spec)
    assert found[ENG].cause.startswith("Workspace eng spent $300.00 on 20 November 2026")


def test_today_is_judged_as_soon_as_it_exceeds() -> None:
    found = seen([100, 100, 100, 131], UP_PREVIOUS)
    assert found.days == (day(0),)
    assert "on 21 November 2026 so far" in found.cause


def test_a_day_that_has_only_begun_is_never_called_low() -> None:
    found = seen([100, 100, 100, 1], Change(Against.PREVIOUS_DAY, direction=Direction.BOTH))
    assert found.days == (day(1),)
    assert not found.candidate


def test_yesterday_rings_while_today_does_not_exceed_yet() -> None:
    found = seen([100, 100, 300, 5], UP_PREVIOUS)
    assert found.days == (day(1),)
    assert found.candidate


@pytest.mark.parametrize("direction", [Direction.DOWN, Direction.BOTH])
def test_a_fall_is_found_on_the_last_settled_day(direction: Direction) -> None:
    found = seen([100, 100, 10, 10, 10], Change(Against.PREVIOUS_DAY, direction=direction))
    assert (found.days, found.falls, found.candidate) == ((day(2),), True, True)
    assert found.excess == 90.0


@pytest.mark.parametrize("direction", [Direction.DOWN, Direction.BOTH])
@pytest.mark.parametrize("settled", [2, None], ids=["not settled", "nothing is settled"])
def test_a_fall_on_a_day_that_is_not_settled_is_no_fall(direction: Direction, settled: int | None) -> None:
    assert not seen([100, 100, 10, 10], Change(Against.PREVIOUS_DAY, direction=direction), settled=settled).candidate


def test_a_rule_that_looks_down_does_not_object_to_a_rise() -> None:
    assert not seen([100, 100, 900, 900], Change(Against.PREVIOUS_DAY, direction=Direction.DOWN)).candidate
    assert not seen([100, 900, 900, 900], Change(Against.PREVIOUS_DAY, direction=Direction.DOWN)).candidate


@pytest.mark.parametrize(
    ("sentence", "row", "unknown"),
    [
        ("a first day has nothing to compare with", [0, 0, 500, 0], ()),
        ("a single day has nothing to compare with", [500], ()),
        ("nothing is not a rise over nothing", [50, 0, 0, 0], ()),
        ("a day after a credit has nothing to compare with", [50, -100, 50, 0], ()),
        ("a credit is no fall", [50, 50, -100, 0], ()),
        ("an unknown day is no fall", [50, 50, 50, 0], (1,)),
        ("a day after an unknown one has nothing to compare with", [50, 0, 50, 0], (2,)),
    ],
)
@pytest.mark.parametrize("direction", list(Direction))
def test_what_cannot_be_compared_is_no_change(
    sentence: str, row: Sequence[float], unknown: tuple[int, ...], direction: Direction
) -> None:
    params = Change(Against.PREVIOUS_DAY, direction=direction)
    observed = only(observe(view(row, unknown=unknown, settled=0), rule(KIND, params)))
    assert not observed.candidate, sentence


def test_a_week_earlier_is_not_known_before_there_is_a_week() -> None:
    found = seen([50, 50, 50, 50, 500, 0], Change(Against.SAME_WEEKDAY))
    assert not found.candidate
    assert found.cause.endswith("there is nothing to compare it with yet.")


def test_unknown_days_and_credits_are_left_out_of_a_mean() -> None:
    found = only(observe(view([10, 20, -500, 1, 40, 0], unknown=(2,)), rule(KIND, Change(Against.TRAILING_MEAN, 28))))
    assert found.expected == 15.0


def test_the_days_before_a_key_existed_are_in_no_mean() -> None:
    assert seen([0, 0, 0, 10, 20, 60, 0], Change(Against.TRAILING_MEAN, 5)).expected == 15.0


def test_the_scope_filters_what_is_compared() -> None:
    other = replace(CELL, workspace="wrkspc_ops")
    both = view({CELL: [10, 30, 0], other: [500, 500, 0]})
    found = only(observe(both, rule(KIND, UP_PREVIOUS, scope=Scope(workspaces=("wrkspc_eng",)))))
    assert (found.actual, found.expected) == (30.0, 10.0)


def planned(dollars: str, first: int, last: int) -> PlannedActivity:
    return PlannedActivity("src_1", Scope(), instant(first), instant(last - 1), Money.of(dollars))


def test_a_planned_activity_raises_the_expectation_of_its_days() -> None:
    announced = view([100, 100, 300, 0], planned=(planned("150.00", 1, 1),))
    found = only(observe(announced, rule(KIND, UP_PREVIOUS)))
    assert (found.expected, found.candidate) == (250.0, True)
    assert "of which $150.00 planned" in found.cause


def test_a_day_that_stays_within_its_plan_does_not_ring() -> None:
    announced = view([100, 100, 300, 0], planned=(planned("200.00", 1, 1),))
    assert not only(observe(announced, rule(KIND, UP_PREVIOUS))).candidate


def test_planned_spend_does_not_become_what_is_usual() -> None:
    announced = view([100, 300, 300, 0], planned=(planned("200.00", 2, 2),))
    assert only(observe(announced, rule(KIND, UP_PREVIOUS))).expected == 100.0


def said(kind: FeedbackKind, first: int, last: int) -> tuple[Feedback]:
    return (Feedback(ORGANISATION, kind, day(first), day(last), instant(0, hour=6)),)


def test_expected_makes_the_day_itself_and_the_new_level_quiet() -> None:
    row, params = [100, 100, 100, 300, 310], Change(Against.TRAILING_MEAN, 28)
    loud = evaluate(view(row), rule(KIND, params, gates=replace(rule(KIND, params).gates, min_active_days=1)))
    assert loud[ORGANISATION].fires
    quiet = evaluate(view(row), rule(KIND, params), said(FeedbackKind.EXPECTED, 1, 1))
    assert not quiet[ORGANISATION].fires
    next_day = only(observe(view([100, 100, 100, 300, 310, 0]), rule(KIND, params), said(FeedbackKind.EXPECTED, 2, 2)))
    assert next_day.expected == 300.0


def test_fixed_takes_the_days_of_an_incident_out_of_the_mean() -> None:
    found = only(
        observe(
            view([100, 900, 100, 100, 0]), rule(KIND, Change(Against.TRAILING_MEAN, 28)), said(FeedbackKind.FIXED, 3, 3)
        )
    )
    assert found.expected == 100.0


AT_ONCE = Gates(min_active_days=1)


def test_noise_makes_today_wait_for_more() -> None:
    spec = rule(KIND, UP_PREVIOUS)
    row = view([100, 100, 100, 131])
    assert evaluate(row, replace(spec, gates=AT_ONCE))[ORGANISATION].fires
    noisy = evaluate(row, replace(spec, gates=AT_ONCE), said(FeedbackKind.NOISE, 1, 1) * 5)[ORGANISATION]
    assert [gate.gate for gate in noisy.gates if not gate.passed] == ["min_percent"]


def test_what_a_gate_of_size_stops_today_is_seen_with_its_gate() -> None:
    stopped = evaluate(view([100, 100, 100, 129]), replace(rule(KIND, UP_PREVIOUS), gates=AT_ONCE))[ORGANISATION]
    assert stopped.observation.days == (day(0),)
    assert [gate.gate for gate in stopped.gates if not gate.passed] == ["min_percent"]


@pytest.mark.parametrize(
    ("today", "rings"),
    [(129.99, False), (130.0, True), (130.01, True)],
)
def test_a_rise_rings_at_the_exact_percentage_of_its_gate(today: float, rings: bool) -> None:
    spec = rule(KIND, UP_PREVIOUS)
    found = evaluate(view([100.0] * 9 + [today]), spec)[ORGANISATION]
    assert found.fires is rings


def test_a_rise_must_pass_the_gate_in_dollars_as_well() -> None:
    spec = rule(KIND, UP_PREVIOUS)
    found = evaluate(view([10.0] * 9 + [29.99]), spec)[ORGANISATION]
    assert not found.fires
    assert evaluate(view([10.0] * 9 + [30.0]), spec)[ORGANISATION].fires


def test_a_zero_percentage_asks_for_dollars_only() -> None:
    gates = replace(rule(KIND, UP_PREVIOUS).gates, min_percent=Decimal(0))
    assert evaluate(view([1000.0] * 9 + [1020.0]), rule(KIND, UP_PREVIOUS, gates=gates))[ORGANISATION].fires


# ------------------------------------------------------------------------------------------- back from an incident


@pytest.mark.parametrize("direction", [Direction.DOWN, Direction.BOTH])
@pytest.mark.parametrize(
    ("against", "row"),
    [
        pytest.param(Against.PREVIOUS_DAY, [100, 100, 900, 100, 100, 100], id="the day after a spike"),
        pytest.param(Against.SAME_WEEKDAY, [*[100] * 8, 900, *[100] * 9], id="the weekday after a spike"),
        pytest.param(Against.TRAILING_MEAN, [*[100] * 7, 900, 100, 100, 100], id="a mean that a spike has lifted"),
    ],
)
def test_the_end_of_an_incident_is_no_fall(direction: Direction, against: Against, row: list[float]) -> None:
    assert not seen(row, Change(against, days=9, direction=direction)).candidate


@pytest.mark.parametrize(
    ("against", "row"),
    [
        pytest.param(Against.PREVIOUS_DAY, [100, 100, 900, 10, 10, 10], id="less than before the spike"),
        pytest.param(Against.SAME_WEEKDAY, [*[100] * 8, 900, *[100] * 6, 10, 10, 10], id="less than before, a week on"),
        pytest.param(Against.TRAILING_MEAN, [*[100] * 7, 900, 10, 10, 10], id="less than the mean and the median"),
        pytest.param(Against.PREVIOUS_DAY, [900, 900, 900, 100, 100, 100], id="a level that is gone"),
    ],
)
def test_less_than_before_an_incident_is_a_fall(against: Against, row: list[float]) -> None:
    assert seen(row, Change(against, days=9, direction=Direction.DOWN)).candidate


# ------------------------------------------------------------------------------------------------------- holidays

FRIDAY = date(2027, 1, 8)
"""25 December and 1 January are the two Fridays before it."""
GERMANY, UNKNOWN = locality_of("Europe/Berlin", "DE"), locality_of("Europe/Berlin")


def office(today: date, locality: Locality) -> SpendView:
    """$100 a day, $10 on Germany's holidays; today nothing yet."""
    days = [today - ago * DAY for ago in range(40, 0, -1)]
    off = GERMANY.days_off(days[0], today)
    seen = view([*(10.0 if on in off else 100.0 for on in days), 0.0], today=today)
    return replace(seen, locality=locality, settled_until=midnight(today))


def compared(today: date, params: Change, locality: Locality = GERMANY) -> Observation:
    return only(observe(office(today, locality), rule(KIND, params)))


@pytest.mark.parametrize(
    ("against", "today", "words"),
    [
        (Against.SAME_WEEKDAY, FRIDAY + DAY, "the same day 3 weeks earlier"),
        (Against.PREVIOUS_DAY, date(2026, 12, 28), "the day 3 days earlier"),
        (Against.TRAILING_MEAN, date(2026, 12, 29), "the mean of the 7 days before, holidays left out"),
    ],
)
def test_a_holiday_says_nothing_of_what_is_usual(against: Against, today: date, words: str) -> None:
    found = compared(today, Change(against, days=7))
    assert (found.actual, found.expected, found.candidate) == (100.0, 100.0, False)
    assert words in found.cause
    assert dict(found.inputs)["25 December 2026"] == "Christmas Day, left out"
    assert compared(today, Change(against, days=7), UNKNOWN).candidate


def test_little_spend_on_a_holiday_is_no_fall_and_much_is_a_rise() -> None:
    fall, christmas = Change(Against.SAME_WEEKDAY, direction=Direction.BOTH), date(2026, 12, 25)
    assert not compared(christmas + DAY, fall).candidate
    assert compared(christmas + DAY, fall, UNKNOWN).falls
    seen = office(christmas, GERMANY)
    loud = replace(seen, cells={CELL: {**seen.cells[CELL], christmas: DayFigures(spend=300.0)}})
    found = only(observe(loud, rule(KIND, fall)))
    assert (found.candidate, found.expected) == (True, 100.0)
    assert "on 25 December 2026 (Christmas Day) so far" in found.cause


def test_without_an_ordinary_day_to_compare_with_nothing_fires() -> None:
    young = replace(office(FRIDAY + DAY, GERMANY), days=[FRIDAY - ago * DAY for ago in range(14, -2, -1)])
    assert math.isnan(only(observe(young, rule(KIND, Change(Against.SAME_WEEKDAY)))).expected)
