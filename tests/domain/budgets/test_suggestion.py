from __future__ import annotations

import pytest

from service.domain.budgets.suggestion import suggested_amount
from service.domain.values.money import ZERO, Money


@pytest.mark.parametrize(
    ("last_month", "suggested"),
    [("1000.00", "1200"), ("1001.00", "1300"), ("4.10", "5"), ("0.01", "1"), ("83333.33", "100000"), ("84.00", "110")],
)
def test_a_first_budget_is_a_round_amount_above_what_is_usual(last_month: str, suggested: str) -> None:
    amount = suggested_amount(Money.of(last_month))
    assert amount is not None
    assert amount == Money.of(suggested)


def test_nothing_is_suggested_where_nothing_was_spent() -> None:
    assert suggested_amount(ZERO) is None
