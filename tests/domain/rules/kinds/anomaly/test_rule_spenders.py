"""The days of people and products, which nothing but the bill names: without a bill they are not normal."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from service.domain.rules.evaluation import evaluate
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity
from service.domain.rules.rule import Calm, Rule
from service.domain.values.scopes import ORGANISATION, Dimension, Scope, ScopeKey
from tests.domain.rules.views import CELL, Figures, day, instant, rule, view

ADA = ScopeKey(Dimension.ACTOR, "person_7f3a91c2aabbccdd")
DAYS = Anomaly(levels=(Dimension.ACTOR,), granularity=AnomalyGranularity.DAYS)
BY_PERSON = rule("anomaly", DAYS)
OF_ADA = rule("anomaly", replace(DAYS, levels=(Dimension.ORGANISATION,)), scope=Scope(actors=(ADA.id,)))


def calm(judged: Rule[Anomaly], *newest: float, settled: int) -> Calm:
    """Of a person's half year near $500 a day, which ends so."""
    made_up = random.Random(1)
    row: Figures = [500.0 + made_up.random() * 20 for _ in range(180)] + list(newest)
    key = ADA if judged is BY_PERSON else ORGANISATION
    found = evaluate(view({replace(CELL, actor=ADA.id): row}, settled=settled), judged)[key].observation.calm
    assert found is not None
    return found


@pytest.mark.parametrize("judged", [BY_PERSON, OF_ADA])
def test_a_person_is_not_back_to_normal_on_a_day_without_a_bill(judged: Rule[Anomaly]) -> None:
    assert calm(judged, 3000.0, 0.0, 0.0, settled=1).since is None


@pytest.mark.parametrize("judged", [BY_PERSON, OF_ADA])
def test_an_incident_of_a_person_ends_once_the_second_normal_day_is_settled(judged: Rule[Anomaly]) -> None:
    waiting = calm(judged, 3000.0, 505.0, 0.0, 0.0, settled=1)
    assert (waiting.over, waiting.since, waiting.until) == (False, instant(2), instant(-1))
    assert calm(judged, 3000.0, 505.0, 505.0, 0.0, 0.0, settled=1).over


@pytest.mark.parametrize("judged", [BY_PERSON, OF_ADA])
def test_of_a_quiet_person_the_last_day_with_a_settled_bill_is_told(judged: Rule[Anomaly]) -> None:
    """Nothing is known of the days after it: that nothing was spent would be a lie."""
    row: Figures = [*([500.0] * 180), 505.0, 0.0, 0.0]
    key = ADA if judged is BY_PERSON else ORGANISATION
    found = evaluate(view({replace(CELL, actor=ADA.id): row}, settled=1), judged)[key].observation
    assert (found.days, found.actual) == ((day(2),), 505.0)
    assert "$505.00 on 19 November 2026" in found.cause
