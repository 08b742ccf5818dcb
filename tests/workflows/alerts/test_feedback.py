"""The days that an answer is about: all that the alert was about, whatever its message says just now."""

from __future__ import annotations

from datetime import date

import pytest

from service.domain.rules.feedback import FeedbackKind
from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.rule import Gates, Rule
from service.domain.values.errors import Conflict
from service.domain.values.money import Money
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.alerts.feedback import FeedbackAnswer, give_feedback
from service.workflows.configuration.rules import Rules
from tests.workflows.yard import DAY, MINUTE, Yard, billed

TODAY = date(2026, 11, 16)


async def lasting(yard: Yard, *amounts: str) -> str:
    """The id of the alert of a rise that goes on from day to day, after ten days of $100."""
    gates = Gates(Money.of("20.00"), Money.of("30").usd, min_active_days=3)
    spec: Rule[object] = Rule(yard.source.id, "change", Change(against=Against.TRAILING_MEDIAN), gates=gates)
    await yard.create(Rules(), "jump", spec)
    for ago in range(1, 11):
        yard.reader.bill(TODAY - ago * DAY, billed("100.00"))
    for number, amount in enumerate(amounts):
        yard.reader.bill(TODAY + number * DAY, billed(amount))
        yard.clock.advance(DAY if number else 5 * MINUTE)
        await yard.poll()
        await run_evaluation(yard.ports, yard.source.id)
    (alert,) = await yard.alerts()
    assert alert.is_open
    return alert.id


async def answer(yard: Yard, alert_id: str, kind: FeedbackKind) -> tuple[date, date]:
    async with yard.ports.uow() as uow:
        (given,) = await give_feedback(uow, alert_id, FeedbackAnswer(kind), yard.author)
    return given.feedback.first_day, given.feedback.last_day


@pytest.mark.parametrize(
    ("sentence", "amounts"),
    [
        ("is at one level, so that its message was never edited", ("400.00", "400.00", "400.00", "400.00")),
        ("grows, so that its message is about the last day", ("400.00", "500.00", "600.00", "700.00")),
    ],
)
async def test_an_answer_is_about_every_day_of_a_rise_that(yard: Yard, sentence: str, amounts: tuple[str, ...]) -> None:
    alert_id = await lasting(yard, *amounts)
    assert await answer(yard, alert_id, FeedbackKind.FIXED) == (TODAY, TODAY + 3 * DAY), sentence


async def test_the_same_answer_is_refused_although_the_first_one_brought_the_message_up_to_date(yard: Yard) -> None:
    alert_id = await lasting(yard, "400.00", "400.00")
    await answer(yard, alert_id, FeedbackKind.NOISE)
    with pytest.raises(Conflict, match="has answered this"):
        await answer(yard, alert_id, FeedbackKind.NOISE)
