from collections.abc import Mapping
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.spend.best_known import Basis, BilledDay, EstimatedDay, Spend, SpendDay, best_known
from service.domain.values.money import ZERO, Money
from service.domain.values.scopes import UNATTRIBUTED, Cell

MODEL = ("wrkspc_eng", "claude-sonnet-4-5")
ALICE, BOB = (Cell(*MODEL, key) for key in ("apikey_alice", "apikey_bob"))
NOBODY = Cell(*MODEL, UNATTRIBUTED)

Bill = Mapping[Cell, BilledDay]
Usage = Mapping[Cell, EstimatedDay]


def usd(text: str) -> Money:
    return Money.of(text)


def billed(tokens: str = "0", other: str = "0") -> Bill:
    return {NOBODY: BilledDay(usd(tokens), usd(other))}


def used(cost: str) -> EstimatedDay:
    return EstimatedDay(usd(cost))


def total(days: Mapping[Cell, SpendDay]) -> Spend:
    return Spend.sum(day.spend for day in days.values())


# -------------------------------------------------------------------------------- bill or estimate


@pytest.mark.parametrize(
    ("sentence", "tokens", "estimate", "settled", "spent", "basis"),
    [
        ("a settled day is the bill, though the estimate is larger", "10", "12", True, "10", Basis.BILLED),
        ("a settled day is the bill, though the estimate is smaller", "10", "8", True, "10", Basis.BILLED),
        ("a settled day without a bill cost nothing", "0", "8", True, "0", Basis.BILLED),
        ("an unsettled day is the estimate while the bill lags", "10", "12", False, "12", Basis.ESTIMATED),
        ("an unsettled day is the bill once it is larger", "10", "8", False, "10", Basis.BILLED),
        ("an unsettled day that agrees is billed", "10", "10", False, "10", Basis.BILLED),
        ("an unsettled day before any bill is the estimate", "0", "8", False, "8", Basis.ESTIMATED),
    ],
)
def test_best_known_spend(sentence: str, tokens: str, estimate: str, settled: bool, spent: str, basis: Basis) -> None:
    found = total(best_known(billed(tokens), {ALICE: used(estimate)}, settled=settled))
    assert (found.total, found.basis) == (usd(spent), basis), sentence


def test_the_larger_of_bill_and_estimate_is_taken_per_workspace_and_model_and_not_per_day() -> None:
    other = ("wrkspc_eng", "claude-haiku-4-5")
    bill = {NOBODY: BilledDay(usd("10")), Cell(*other, UNATTRIBUTED): BilledDay(usd("1"))}
    usage = {ALICE: used("2"), Cell(*other, "apikey_alice"): used("5")}
    days = best_known(bill, usage, settled=False)
    assert days[ALICE].spend == Spend(billed=usd("10"))
    assert days[Cell(*other, "apikey_alice")].spend == Spend(estimated=usd("5"))
    assert total(days).basis is Basis.MIXED


@pytest.mark.parametrize("settled", [True, False])
def test_billed_cost_that_is_not_for_tokens_is_added_whole_and_to_no_key(settled: bool) -> None:
    days = best_known(billed("10", other="3"), {ALICE: used("10")}, settled=settled)
    assert days[ALICE].spend == Spend(billed=usd("10"))
    assert days[NOBODY].spend == Spend(billed=usd("3"))


def test_an_estimate_beside_other_billed_cost_is_mixed() -> None:
    found = total(best_known(billed("0", other="3"), {ALICE: used("10")}, settled=False))
    assert found == Spend(billed=usd("3"), estimated=usd("10"))
    assert found.basis is Basis.MIXED


# -------------------------------------------------------------------------------- keys


def test_keys_share_the_bill_in_proportion_to_their_estimates() -> None:
    days = best_known(billed("9"), {ALICE: used("1"), BOB: used("5")}, settled=True)
    assert {cell: day.spend.total for cell, day in days.items()} == {ALICE: usd("1.5"), BOB: usd("7.5")}


@pytest.mark.parametrize("settled", [True, False])
def test_the_order_in_which_keys_are_read_moves_no_fraction_of_a_cent(settled: bool) -> None:
    """Sevenths do not end: the key that takes the rounding is the same one, however the rows were sorted."""
    usage = {Cell(*MODEL, key): used(cost) for key, cost in (("a", "1"), ("b", "1"), ("c", "5"))}
    orders = [best_known(billed("10"), dict(order), settled=settled) for order in permutations(usage.items())]
    assert all(order == orders[0] for order in orders)


def test_a_bill_that_no_key_used_is_unattributed() -> None:
    days = best_known(billed("9"), {}, settled=True)
    assert days == {NOBODY: SpendDay(Spend(billed=usd("9")))}


def test_a_bill_whose_keys_have_no_priced_usage_is_unattributed() -> None:
    unpriced = EstimatedDay(unpriced_tokens=1_000)
    days = best_known(billed("9"), {ALICE: unpriced}, settled=False)
    assert days[NOBODY].spend == Spend(billed=usd("9"))
    assert days[ALICE] == SpendDay(Spend(), unpriced)


def test_usage_without_a_key_has_its_share_and_is_unattributed() -> None:
    days = best_known(billed("10", other="1"), {NOBODY: used("4"), ALICE: used("1")}, settled=True)
    assert days[NOBODY] == SpendDay(Spend(billed=usd("9")), used("4"))
    assert days[ALICE].spend == Spend(billed=usd("2"))


def test_another_workspaces_keys_take_no_part() -> None:
    stranger = Cell("wrkspc_ops", MODEL[1], "apikey_alice")
    days = best_known(billed("10"), {ALICE: used("1"), stranger: used("1")}, settled=True)
    assert days[ALICE].spend.total == usd("10")
    assert days[stranger].spend.total == ZERO


# -------------------------------------------------------------------------------- what is no spend


@pytest.mark.parametrize("settled", [True, False])
def test_priority_tier_is_reported_and_neither_spent_nor_shared_for(settled: bool) -> None:
    usage = {ALICE: EstimatedDay(cost=usd("2"), priority=usd("50")), BOB: EstimatedDay(priority=usd("70"))}
    days = best_known(billed("2"), usage, settled=settled)
    assert total(days).total == usd("2")
    assert days[BOB] == SpendDay(Spend(), EstimatedDay(priority=usd("70")))
    assert days[ALICE].estimate.priority == usd("50")


def test_unpriced_tokens_are_counted_where_they_were_used() -> None:
    usage = {ALICE: EstimatedDay(usd("1"), unpriced_tokens=300), BOB: EstimatedDay(unpriced_tokens=7)}
    days = best_known({}, usage, settled=False)
    assert {cell: day.estimate.unpriced_tokens for cell, day in days.items()} == {ALICE: 300, BOB: 7}


def test_a_day_of_which_nothing_is_known_has_no_cells() -> None:
    assert best_known({}, {}, settled=True) == {}
    assert total({}) == Spend()
    assert Spend().basis is Basis.BILLED


# -------------------------------------------------------------------------------- restatements


def test_a_settled_refund_is_shared_like_a_charge() -> None:
    days = best_known(billed("-9", other="-1"), {ALICE: used("1"), BOB: used("2")}, settled=True)
    assert days[ALICE].spend == Spend(billed=usd("-3"))
    assert days[BOB].spend == Spend(billed=usd("-6"))
    assert days[NOBODY].spend == Spend(billed=usd("-1"))


def test_a_settled_refund_without_usage_is_unattributed() -> None:
    assert total(best_known(billed("-9"), {}, settled=True)) == Spend(billed=usd("-9"))


def test_an_unsettled_refund_is_overruled_by_the_estimate() -> None:
    assert total(best_known(billed("-9"), {ALICE: used("4")}, settled=False)) == Spend(estimated=usd("4"))


names = st.sampled_from(["a", "b", "c"])
money = st.decimals(Decimal(-(10**6)), Decimal(10**6), places=12).map(Money)
estimates = st.builds(
    EstimatedDay,
    cost=st.decimals(0, 10**6, places=12).map(Money),
    priority=st.decimals(0, 10**6, places=2).map(Money),
    unpriced_tokens=st.integers(0, 10**9),
)
cells = st.builds(Cell, names, names, st.sampled_from(["", "k1", "k2", "k3"]))
bills = st.dictionaries(cells, st.builds(BilledDay, money, money), max_size=6)
usages = st.dictionaries(cells, estimates, max_size=12)


@given(bills, usages)
def test_a_settled_days_cells_add_up_to_the_bill_exactly(bill: Bill, usage: Usage) -> None:
    whole = Money.total(day.tokens + day.other for day in bill.values())
    found = total(best_known(bill, usage, settled=True))
    assert (found.billed, found.estimated) == (whole, ZERO)


@given(bills, usages)
def test_an_unsettled_days_cells_add_up_to_the_larger_of_bill_and_estimate(bill: Bill, usage: Usage) -> None:
    expected = ZERO
    for place in {(cell.workspace, cell.model) for cell in (*bill, *usage)}:
        lines = [day for cell, day in bill.items() if (cell.workspace, cell.model) == place]
        tokens = Money.total(day.tokens for day in lines)
        estimate = Money.total(part.cost for cell, part in usage.items() if (cell.workspace, cell.model) == place)
        # Without any estimate there is only the bill, be it a refund.
        expected += max(tokens, estimate) if estimate else tokens
        expected += Money.total(day.other for day in lines)
    assert total(best_known(bill, usage, settled=False)).total == expected


@given(bills, usages, st.booleans())
def test_no_usage_is_lost_or_moved(bill: Bill, usage: Usage, settled: bool) -> None:
    days = best_known(bill, usage, settled=settled)
    assert {cell: day.estimate for cell, day in days.items() if day.estimate != EstimatedDay()} == {
        cell: estimate for cell, estimate in usage.items() if estimate != EstimatedDay()
    }


# -------------------------------------------------------------------------------- figures


@pytest.mark.parametrize(
    ("spend", "basis"),
    [
        (Spend(), Basis.BILLED),
        (Spend(billed=usd("1")), Basis.BILLED),
        (Spend(estimated=usd("1")), Basis.ESTIMATED),
        (Spend(billed=usd("1"), estimated=usd("1")), Basis.MIXED),
        (Spend(billed=usd("1"), split=True), Basis.MIXED),
        (Spend(billed=usd("1")) + Spend(estimated=usd("1")), Basis.MIXED),
        (Spend(billed=usd("2")).share(Decimal("0.5")), Basis.MIXED),
        (Spend(billed=usd("2")).share(Decimal("0.5")) + Spend(billed=usd("3")), Basis.MIXED),
        (Spend(billed=usd("3")) + Spend(billed=usd("2")).share(Decimal("0.5")), Basis.MIXED),
    ],
)
def test_every_figure_says_what_it_rests_on(spend: Spend, basis: Basis) -> None:
    assert spend.basis is basis


def test_a_share_of_a_day_is_a_share_of_both_its_parts() -> None:
    half = Spend(billed=usd("3"), estimated=usd("1")).share(Decimal("0.5"))
    assert half == Spend(billed=usd("1.5"), estimated=usd("0.5"), split=True)


# -------------------------------------------------------------------------------- a bill that names keys


def test_a_key_that_is_billed_by_name_has_what_it_is_billed_and_not_its_share_of_the_estimate() -> None:
    bill = {ALICE: BilledDay(usd("7"), usd("2")), BOB: BilledDay(usd("3")), NOBODY: BilledDay(usd("1"))}
    days = best_known(bill, {ALICE: used("1"), BOB: used("9")}, settled=True)
    assert {cell: day.spend for cell, day in days.items()} == {
        ALICE: Spend(billed=usd("9")),
        BOB: Spend(billed=usd("3")),
        NOBODY: Spend(billed=usd("1")),
    }


def test_while_such_a_bill_lags_the_keys_have_their_estimates() -> None:
    days = best_known({ALICE: BilledDay(usd("1"))}, {ALICE: used("2"), BOB: used("9")}, settled=False)
    assert {cell: day.spend for cell, day in days.items()} == {
        ALICE: Spend(estimated=usd("2")),
        BOB: Spend(estimated=usd("9")),
    }


def test_a_key_with_a_bill_and_no_usage_is_not_lost() -> None:
    days = best_known({ALICE: BilledDay(usd("4"))}, {BOB: used("1")}, settled=True)
    assert days[ALICE].spend == Spend(billed=usd("4"))
    assert days[BOB].spend == Spend()
