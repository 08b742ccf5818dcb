"""What is left of a commitment to the Priority Tier."""

from __future__ import annotations

from decimal import Decimal

import pytest

from service.domain.sources.commitment import PriorityCommitment, PriorityUse
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from tests.factories import utc

NOVEMBER = Window(utc("2026-11-01"), utc("2026-12-01"))


def used(commitment: PriorityCommitment | None) -> PriorityUse:
    return PriorityUse(NOVEMBER, 600, Money.of("30.00"), commitment)


def test_what_is_left_is_in_the_unit_of_the_commitment_and_below_zero_beyond_it() -> None:
    by_tokens, by_dollars = used(PriorityCommitment(tokens=1000)), used(PriorityCommitment(usd=Money.of("20.00")))
    assert (by_tokens.tokens_left, by_tokens.usd_left, by_tokens.used_share) == (400, None, Decimal("0.6"))
    assert (by_dollars.tokens_left, by_dollars.usd_left, by_dollars.used_share) == (
        None,
        Money.of("-10.00"),
        Decimal("1.5"),
    )
    assert used(None).used_share is None


@pytest.mark.parametrize(
    ("commitment", "is_sound"),
    [
        (PriorityCommitment(tokens=1), True),
        (PriorityCommitment(usd=Money.of("0.01")), True),
        (PriorityCommitment(), False),
        (PriorityCommitment(tokens=0), False),
        (PriorityCommitment(usd=ZERO), False),
        (PriorityCommitment(tokens=1, usd=ZERO), False),
    ],
)
def test_a_commitment_is_one_amount_above_zero(commitment: PriorityCommitment, is_sound: bool) -> None:
    assert commitment.is_one_amount is is_sound
