from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from service.domain.spend.best_known import Spend
from service.domain.spend.chargeback import charge_back, to_the_cent
from service.domain.spend.questions import Figure
from service.domain.values.money import Money
from service.domain.values.scopes import Dimension, ScopeKey

AMOUNTS = st.lists(
    st.decimals("-1000000", "1000000", places=12, allow_nan=False, allow_infinity=False).map(Money), max_size=40
)


def figure(text: str) -> Figure:
    return Figure(Spend(billed=Money.of(text)))


def test_three_thirds_of_a_dollar_are_a_dollar() -> None:
    thirds = [Money.of("0.333333333333"), Money.of("0.333333333333"), Money.of("0.333333333334")]
    assert [str(part) for part in to_the_cent(thirds)] == ["0.33", "0.33", "0.34"]


@given(AMOUNTS)
def test_cents_add_up_and_each_is_near(amounts: list[Money]) -> None:
    parts = to_the_cent(amounts)
    whole = Money.total(amounts).usd
    assert abs(Money.total(parts).usd - whole) <= Decimal("0.005")
    assert all(abs(part.usd - amount.usd) < Decimal("0.01") for part, amount in zip(parts, amounts, strict=True))
    assert all(part.usd == round(part.usd, 2) for part in parts)


def test_what_belongs_to_nobody_is_a_line_of_its_own() -> None:
    key, none = ScopeKey(Dimension.API_KEY, "apikey_1"), ScopeKey(Dimension.API_KEY, "")
    made = charge_back([(none, figure("5.005")), (key, figure("2.005"))])
    assert [(line.key.id, str(line.cents)) for line in made.lines] == [("apikey_1", "2.00")]
    assert made.nobody is not None
    assert (str(made.nobody.cents), str(made.total)) == ("5.01", "7.01")


def test_a_month_without_spend_has_no_lines() -> None:
    made = charge_back([])
    assert (made.lines, made.nobody, str(made.total)) == ((), None, "0.00")
