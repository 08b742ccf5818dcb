"""The band of one scope is what the judges of all scopes made of it: there is no second formula."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

import pytest

from service.domain.detectors.hourly.judge import HourJudge
from service.domain.detectors.scores import Sensitivity
from service.domain.rules.evaluation import evaluate
from service.domain.rules.feedback import Feedback, FeedbackKind
from service.domain.rules.kind import JudgedBucket
from service.domain.rules.kinds.anomaly.band import judged_days, judged_hours
from service.domain.rules.kinds.anomaly.ground import Judges, ground, judges
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity
from service.domain.rules.planned import PlannedActivity
from service.domain.rules.rule import Rule
from service.domain.rules.view import SpendView
from service.domain.values.money import Money
from service.domain.values.scopes import ORGANISATION, Scope, ScopeKey
from tests.domain.rules.spending import (
    ENG,
    ENG_CI,
    NEW,
    OPS,
    OPS_BOT,
    OPUS,
    a_rule,
    hourly,
    hours,
    steady,
    with_days,
    with_hours,
)
from tests.domain.rules.views import NOON, day, instant, view
from tests.examples import cases

DAILY, HOURLY = a_rule(), a_rule(AnomalyGranularity.HOURS)
EVERY = (ORGANISATION, ENG, OPS, OPUS)


def spiked() -> SpendView:
    """A dear day today, one unknown day; in the hours a dear one before noon, one unknown."""
    seen = view({ENG_CI: with_days(steady(), {0: 950.0}), OPS_BOT: steady(0.2)}, unknown=(9,))
    row = hourly()
    row[-1] += 120.0
    return with_hours(seen, hours({ENG_CI: row, OPS_BOT: hourly(1.0)}, unknown=(30,)))


def days_of(
    seen: SpendView, rule: Rule[Anomaly], feedback: tuple[Feedback, ...], key: ScopeKey
) -> Sequence[JudgedBucket]:
    return judged_days(seen, rule, feedback, [key]).get(key, ())


def hours_of(
    seen: SpendView, rule: Rule[Anomaly], feedback: tuple[Feedback, ...], key: ScopeKey
) -> Sequence[JudgedBucket]:
    return judged_hours(seen, rule, feedback, [key]).get(key, ())


def all_judges(seen: SpendView, rule: Rule[Anomaly], *feedback: Feedback) -> tuple[Judges, list[ScopeKey]]:
    stands = ground(seen, rule.scope)
    return judges(stands, rule.params.sensitivity, feedback), list(stands.keys)


FEEDBACK = [
    pytest.param((), id="nothing said"),
    pytest.param((Feedback(ENG, FeedbackKind.NOISE, day(1), day(1), instant(0, 1)),), id="noise"),
    pytest.param((Feedback(ENG, FeedbackKind.EXPECTED, day(6), day(6), instant(3, 1)),), id="a new level"),
]


@pytest.mark.parametrize("feedback", FEEDBACK)
@pytest.mark.parametrize("sensitivity", cases(Sensitivity))
def test_the_days_are_those_of_the_judges_of_all_scopes(
    sensitivity: Sensitivity, feedback: tuple[Feedback, ...]
) -> None:
    seen, rule = spiked(), a_rule(sensitivity=sensitivity)
    judge, keys = all_judges(seen, rule, *feedback)
    for key in EVERY:
        for place, found in enumerate(days_of(seen, rule, feedback, key), judge.days.first):
            read = judge.days.reading(keys.index(key), place)
            assert found.start.date() == judge.days.panel.day(place)
            assert same((found.amount, found.low, found.high), (read.amount, read.low, read.high))
            assert same((found.expected,), (read.expected if read.method.judges else math.nan,))


@pytest.mark.parametrize("feedback", FEEDBACK)
def test_the_hours_are_those_of_the_judges_of_all_scopes(feedback: tuple[Feedback, ...]) -> None:
    seen = spiked()
    judge, keys = all_judges(seen, HOURLY, *feedback)
    assert isinstance(judge.hours, HourJudge)
    last = judge.hours.spent.hours
    for key in EVERY:
        found = hours_of(seen, HOURLY, feedback, key)
        assert (len(found), found[-1].start) == (48, NOON - timedelta(hours=1))
        for place, one in enumerate(found, last - 48):
            read = judge.hours.reading(keys.index(key), place)
            assert same((one.amount, one.low, one.high), (read.amount, read.low, read.high))


def same(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(
        left == right or (math.isnan(left) and math.isnan(right)) for left, right in zip(one, other, strict=True)
    )


def test_the_last_day_and_hour_have_the_numbers_that_rang() -> None:
    seen = spiked()
    rang = evaluate(seen, DAILY)[ENG].observation
    today = days_of(seen, DAILY, (), ENG)[-1]
    assert (today.amount, today.expected) == (rang.actual, rang.expected)
    assert today.low < today.expected < today.high < today.amount
    rang = evaluate(seen, HOURLY)[ENG].observation
    hour = hours_of(seen, HOURLY, (), ENG)[-1]
    assert (hour.amount, hour.expected) == (rang.actual, rang.expected)
    assert hour.expected < hour.high < hour.amount


def test_a_bucket_that_is_not_known_has_no_amount_and_a_young_scope_no_limits() -> None:
    unknown = days_of(spiked(), DAILY, (), ENG)[-10]
    assert math.isnan(unknown.amount)
    young = days_of(view({ENG_CI: [0.0] * 80 + [5.0, 5.0]}), DAILY, (), ENG)
    assert not any(one.has_limits for one in young)
    assert math.isnan(young[-1].expected)


def test_announced_spend_is_in_the_expectation_of_its_day() -> None:
    plain = view({ENG_CI: with_days(steady(), {0: 950.0}), OPS_BOT: steady(0.2)})
    activity = PlannedActivity("src_1", Scope(), instant(0), instant(0, 12), Money.of("500.00"))
    planned = view(
        {ENG_CI: with_days(steady(), {0: 950.0}), OPS_BOT: steady(0.2)},
        planned=(activity,),
    )
    before, after = days_of(plain, DAILY, (), ENG)[-1], days_of(planned, DAILY, (), ENG)[-1]
    assert after.expected == pytest.approx(before.expected + 500.0)
    assert after.high == pytest.approx(before.high + 500.0)


def test_a_scope_that_is_not_there_has_no_band_nor_have_hours_that_were_not_read() -> None:
    assert days_of(spiked(), DAILY, (), NEW) == ()
    assert hours_of(view({ENG_CI: steady()}), HOURLY, (), ENG) == ()


def test_several_scopes_at_once_have_the_bands_that_each_has_alone() -> None:
    seen = spiked()
    together = judged_hours(seen, HOURLY, (), [OPS, ENG, NEW])
    assert list(together) == [OPS, ENG]
    for key, found in together.items():
        alone = hours_of(seen, HOURLY, (), key)
        assert [one.start for one in found] == [one.start for one in alone]
        assert same(tuple(one.high for one in found), tuple(one.high for one in alone))


def test_what_people_said_is_felt() -> None:
    seen = spiked()
    plain = days_of(seen, DAILY, (), ENG)[-1]
    lifted = days_of(seen, DAILY, (Feedback(ENG, FeedbackKind.NOISE, day(1), day(1), instant(0, 1)),), ENG)[-1]
    assert lifted.expected == plain.expected
    assert lifted.high > plain.high
