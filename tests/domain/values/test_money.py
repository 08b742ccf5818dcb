from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.values.money import ZERO, Money

SMALLEST = Decimal("1e-12")

amounts = st.decimals(Decimal(-(10**11)), Decimal(10**11), places=12).map(Money)
weights = st.lists(st.decimals(0, 10**6, places=12), min_size=1, max_size=12).filter(any)


@pytest.mark.parametrize("dollars", ["0.0000000000001", "1.0112345678901", "1E-13", "-0.0000000000001"])
def test_more_than_twelve_decimals_of_a_dollar_are_refused_and_not_rounded(dollars: str) -> None:
    with pytest.raises(ValueError, match="finer than 12"):
        Money.of(dollars)


NOT_NUMBERS = [
    "",
    " ",
    "abc",
    "NaN",
    "sNaN",
    "Infinity",
    "-inf",
    "1,5",
    "1_000",
    "٣",
    "0x10",
    "$5",
    "5 ",
    "--5",
]
ABSURD = ["1e99", "-1e15", "1e2000000", "1e-2000000", "9" * 400, "0." + "0" * 400 + "1"]


@pytest.mark.parametrize("text", [*NOT_NUMBERS, *ABSURD])
def test_text_that_is_no_amount_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        Money.of(text)


def test_a_trillion_is_refused() -> None:
    assert Money.of("999999999999.99") == Money.rounded(Decimal("999999999999.99"))
    with pytest.raises(ValueError, match="not an amount"):
        Money.of("1000000000000")
    with pytest.raises(ValueError, match="not an amount"):
        Money.of("-1000000000000")


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError):
        Money(0.1)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Money.of("1") * 0.1  # type: ignore[operator]


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "1e12", "1e50", "-1e60"])
def test_a_computed_amount_out_of_bounds_is_a_value_error(value: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        Money.rounded(Decimal(value))


def test_a_computed_amount_is_rounded_half_to_even() -> None:
    assert Money.rounded(Decimal("0.0000000000005")) == ZERO
    assert Money.rounded(Decimal("0.0000000000015")) == Money(2 * SMALLEST)
    assert Money.of("0.000000000003") * Decimal("0.5") == Money(2 * SMALLEST)


def test_large_amounts_are_added_without_rounding() -> None:
    total = Money.of("900000000000.000000000001") + Money.of("99999999999.999999999998")
    assert str(total) == "999999999999.999999999999"


def test_a_sum_of_a_trillion_is_refused() -> None:
    with pytest.raises(ValueError, match="not an amount"):
        Money.total([Money.of("999999999999")] * 2)


@pytest.mark.parametrize(
    ("amount", "plain", "display"),
    [
        ("5000", "5000.00", "$5,000.00"),
        ("5e3", "5000.00", "$5,000.00"),
        ("12.345678", "12.345678", "$12.345678"),
        ("0.1", "0.10", "$0.10"),
        ("1234567.5", "1234567.50", "$1,234,567.50"),
        ("-0.5", "-0.50", "-$0.50"),
        ("-1234.5", "-1234.50", "-$1,234.50"),
        ("0.000000000001", "0.000000000001", "$0.000000000001"),
        ("-0.000000000001", "-0.000000000001", "-$0.000000000001"),
        ("0", "0.00", "$0.00"),
        ("-0", "0.00", "$0.00"),
        ("-0.000", "0.00", "$0.00"),
    ],
)
def test_an_amount_is_written_in_full_and_with_its_sign(amount: str, plain: str, display: str) -> None:
    assert str(Money.of(amount)) == plain
    assert Money.of(amount).in_full() == display


@given(amounts)
def test_what_is_written_reads_back_as_the_same_amount(amount: Money) -> None:
    assert Money.of(str(amount)) == amount


@given(amounts, amounts)
def test_subtracting_undoes_adding(first: Money, second: Money) -> None:
    assert first + second - second == first
    assert first - second == -(second - first)


def test_equal_amounts_are_equal_however_they_were_written() -> None:
    assert Money.of("5") == Money.of("5.000")
    assert len({Money.of("5"), Money.of("5.000")}) == 1
    assert Money.of("-1") < ZERO < Money.of("0.000000000001")
    assert not Money.of("0.00")


def test_a_ratio_needs_something_to_compare_with() -> None:
    assert Money.of("80").ratio_to(Money.of("100")) == Decimal("0.8")
    with pytest.raises(ZeroDivisionError):
        Money.of("80").ratio_to(ZERO)


@given(amounts, weights)
def test_shares_add_up_exactly(amount: Money, parts: list[Decimal]) -> None:
    shares = amount.split(parts)
    assert len(shares) == len(parts)
    assert Money.total(shares) == amount


@given(amounts, weights)
def test_every_share_is_exact_to_the_last_place(amount: Money, parts: list[Decimal]) -> None:
    for share, weight in zip(amount.split(parts), parts, strict=True):
        exact = Fraction(amount.usd) * Fraction(weight) / sum(map(Fraction, parts))
        assert abs(Fraction(share.usd) - exact) <= Fraction(SMALLEST)


@given(amounts, weights)
def test_no_share_has_the_opposite_sign_of_the_whole(amount: Money, parts: list[Decimal]) -> None:
    for share, weight in zip(amount.split(parts), parts, strict=True):
        assert share.usd * amount.usd >= 0
        assert weight or not share


def test_a_tiny_amount_among_many_is_not_overdrawn() -> None:
    shares = Money(3 * SMALLEST).split([Decimal(1)] * 5)
    assert Money.total(shares) == Money(3 * SMALLEST)
    assert min(shares) >= ZERO


def test_a_refund_is_split_like_a_charge() -> None:
    assert Money.of("-9").split([Decimal(1), Decimal(2)]) == [Money.of("-3"), Money.of("-6")]


@pytest.mark.parametrize("parts", [[], [Decimal(0)], [Decimal(0), Decimal(0)], [Decimal(3), Decimal(-1)]])
def test_weights_that_say_nothing_are_refused(parts: list[Decimal]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Money.of("1").split(parts)


@pytest.mark.parametrize(
    ("amount", "display"),
    [
        pytest.param("12.345678", "$12.34", id="to the cent"),
        pytest.param("9.999999", "$9.99", id="never more than it is"),
        pytest.param("-9.999999", "-$9.99", id="towards zero"),
        pytest.param("0.000123", "under $0.01", id="below a cent"),
        pytest.param("-0.000123", "$0.00", id="less than nothing by less than a cent"),
        pytest.param("0.0000001", "$0.00", id="the noise of floats"),
        pytest.param("54.6999999", "$54.70", id="the noise of floats below a cent"),
        pytest.param("1234567.5", "$1,234,567.50", id="with both decimals"),
        pytest.param("0", "$0.00", id="nothing"),
    ],
)
def test_an_amount_is_shown_to_the_cent_without_overstating_it(amount: str, display: str) -> None:
    assert Money.of(amount).display() == display
