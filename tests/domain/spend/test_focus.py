"""Rows of FOCUS 1.2 against the rules of the specification; `make focus` asks the FinOps Foundation's validator."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal

import pytest

from service.domain.spend.focus import COLUMNS, focus_row
from service.domain.values.money import Money
from tests.contract.focus_sample import ACCOUNT, CELLS

ROWS = [dict(zip(COLUMNS, focus_row(cell, ACCOUNT), strict=True)) for cell in CELLS]
MANDATORY = {
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost",
    "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName",
    "ServiceCategory", "ServiceName",
}  # fmt: skip
"""Feature level Mandatory in the specification's table of columns."""
NEVER_NULL = MANDATORY - {"ChargeClass", "PricingQuantity", "PricingUnit"}
INSTANT = re.compile(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z")


def test_every_column_that_the_specification_demands_is_there_once() -> None:
    assert set(COLUMNS) >= MANDATORY
    assert len(set(COLUMNS)) == len(COLUMNS)
    assert all(re.fullmatch(r"(x_)?[A-Z][A-Za-z]+", column) for column in COLUMNS)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_keeps_the_rules_of_its_columns(row: dict[str, object]) -> None:
    assert [name for name in NEVER_NULL if row[name] in (None, "")] == []
    assert [name for name in COLUMNS if row[name] == ""] == []
    assert all(INSTANT.fullmatch(str(row[name])) for name in COLUMNS if name.endswith(("PeriodStart", "PeriodEnd")))
    assert str(row["BillingPeriodStart"]) <= str(row["ChargePeriodStart"]) < str(row["ChargePeriodEnd"])
    assert str(row["ChargePeriodEnd"]) <= str(row["BillingPeriodEnd"])
    assert isinstance(json.loads(str(row["Tags"])), dict)


@pytest.mark.parametrize(("key", "name"), [("SubAccountId", "SubAccountName"), ("ResourceId", "ResourceName")])
def test_what_has_no_id_has_no_name(key: str, name: str) -> None:
    """SubAccountName-C-004-C and ResourceName: null where the id is null."""
    without = [row for row in ROWS if row[key] is None]
    assert without
    assert [row[name] for row in without] == [None] * len(without)


def test_what_is_not_billed_yet_is_in_no_billed_cost() -> None:
    first, estimated = ROWS[0], ROWS[1]
    assert (first["BilledCost"], first["EffectiveCost"]) == (Money.of("12.345678"), Money.of("12.345678"))
    assert (estimated["BilledCost"], estimated["EffectiveCost"]) == (Money.of("0"), Money.of("3.25"))


def test_a_month_ends_with_its_last_day() -> None:
    assert CELLS[0].day == date(2026, 10, 31)
    assert (ROWS[0]["BillingPeriodEnd"], ROWS[0]["ChargePeriodEnd"]) == ("2026-11-01T00:00:00Z",) * 2
    assert sum((Decimal(str(row["BilledCost"])) for row in ROWS), Decimal(0)) == Decimal("11.345678")
