"""Priority Tier tokens, which are in no cost report."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from service.domain.rules.evaluation import evaluate
from service.domain.rules.feedback import Feedback, FeedbackKind
from service.domain.rules.kinds.priority_tier import PriorityTier
from service.domain.rules.rule import Verdict
from service.domain.rules.view import DayFigures
from service.domain.values.scopes import ORGANISATION
from tests.domain.rules.views import day, instant, rule, view

RULE = rule("priority_tier", PriorityTier())


def judged(row: Sequence[float], *, unknown: tuple[int, ...] = (), said: Sequence[Feedback] = ()) -> Verdict:
    """A row of Priority Tier dollars beside $50 of billed spend a day."""
    return evaluate(view([DayFigures(spend=50.0, priority=dollars) for dollars in row], unknown=unknown), RULE, said)[
        ORGANISATION
    ]


@pytest.mark.parametrize(
    ("sentence", "row", "rings"),
    [
        ("appears yesterday", [0, 0, 0, 0, 10, 0], True),
        ("appears today", [0, 0, 0, 0, 0, 10], True),
        ("appears with less than the amount", [0, 0, 0, 0, 9.99, 0], False),
        ("is as large as ever", [100, 100, 100, 100, 100, 100], False),
        ("grows by the amount", [100, 100, 100, 100, 110, 0], True),
        ("grows by less than the amount", [100, 100, 100, 100, 109, 0], False),
        ("falls", [100, 100, 100, 100, 0, 0], False),
        ("is there from the first day of the data on", [100, 100], False),
        ("is there on the only day of the data", [100], False),
    ],
)
def test_priority_tier_rings_when_it(sentence: str, row: Sequence[float], rings: bool) -> None:
    assert judged(row).fires is rings, sentence


def test_an_unknown_day_does_not_ring() -> None:
    found = judged([0, 0, 0, 0, 0, 0], unknown=(0, 1))
    assert not found.fires
    assert found.observation.cause == "The organisation: Priority Tier use on 20 November 2026 is not known."


def test_the_sentence_says_that_it_is_an_estimate_and_in_no_cost_report() -> None:
    assert judged([0, 0, 0, 0, 12.5, 0]).observation.cause == (
        "The organisation used Priority Tier tokens worth an estimated $12.50 on 20 November 2026; the median of the "
        "28 days before is $0.00. They are in no cost report."
    )


def test_an_expected_level_is_what_is_usual_from_its_day_on() -> None:
    row = [0, 0, 0, 0, 0, 50, 50, 0]
    said = Feedback(ORGANISATION, FeedbackKind.EXPECTED, day(2), day(2), instant(1))
    assert judged(row).fires
    assert not judged(row, said=[said]).fires


def test_an_answer_that_it_was_noise_raises_the_amount_from_which_the_scope_fires() -> None:
    said = [Feedback(ORGANISATION, FeedbackKind.NOISE, day(0), day(0), instant(0, 12))]
    short, enough = ([0.0] * 20 + [amount] for amount in (10.99, 11.0))
    assert judged(short).fires
    assert not judged(short, said=said).fires
    assert judged(enough, said=said).fires
    assert dict(judged(enough, said=said).observation.inputs)["fires from"] == "$11.00"
