"""A month divided among who pays: to the cent, and whole."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.domain.spend.rows import Bucket, CostRow
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell
from service.domain.values.utc import midnight, utc_day
from service.workflows.ports.spend import Stamp
from tests.api.stand import ENG, SOURCE, TODAY, Stand, answered, pointers


async def of_month(stand: Stand, query: str = "month=2026-11") -> dict[str, Any]:
    found: dict[str, Any] = answered(await stand.viewer.get(f"/v1/chargeback?{query}"))
    return found


async def test_lines_add_up_to_the_month_and_other_months_are_left_out(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    for number, day in enumerate((TODAY, TODAY - timedelta(days=1), TODAY - timedelta(days=16))):
        await stand.spend(Cell(f"wrkspc_{number}", "claude-sonnet-4-5", "apikey_ci"), "0.335", day=day)
    found = await of_month(stand)
    assert [(line["id"], line["amount"], line["exact"]) for line in found["items"]] == [
        ("wrkspc_0", "0.34", "0.335"),
        ("wrkspc_1", "0.33", "0.335"),
    ]
    assert (found["total"], found["final"], found["not_attributable"]) == ("0.67", False, None)
    assert (await of_month(stand, "month=2026-10"))["total"] == "0.34"


async def test_spend_without_a_key_is_a_line_of_its_own(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.spend(Cell("wrkspc_eng", "claude-sonnet-4-5", ""), "5.00")
    await stand.spend(ENG, "2.00", day=TODAY - timedelta(days=1))
    found = await of_month(stand, "month=2026-11&group_by=api_key")
    assert found["not_attributable"]["amount"] == "5.00"
    assert [line["amount"] for line in found["items"]] == ["2.00"]
    assert found["total"] == "7.00"


async def test_the_file_has_the_same_lines(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.spend(ENG, "2.005")
    answer = await stand.viewer.get("/v1/chargeback?month=2026-11&format=csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="tocsin-chargeback-2026-11-workspace.csv"'
    (row,) = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert (Decimal(row["charged_usd"]), row["exact_usd"], row["final"]) == (Decimal("2.00"), "2.005", "no")


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "november", "1999-01", "2026-11-01"])
async def test_what_is_no_month_is_refused(stand: Stand, month: str) -> None:
    await stand.create("/sources", SOURCE)
    assert pointers(await stand.viewer.get(f"/v1/chargeback?month={month}")) == ["/month"]


async def test_a_month_is_final_once_each_of_its_days_was_read(stand: Stand) -> None:
    """A source that was watched from the middle of a month on charges nobody for its first days."""
    await stand.create("/sources", SOURCE)
    days = [date(2026, 10, day) for day in range(1, 32)]
    await stand.ports.storage.make_room(Window(midnight(days[0]), midnight(days[-1]) + timedelta(days=1)))
    for read, final in ((days[1:], False), (days[:1], True)):
        async with stand.ports.uow() as uow:
            (source,) = await uow.sources.all()
            buckets: list[Bucket[CostRow]] = [Bucket(utc_day(day), ()) for day in read]
            await uow.facts.replace_cost(Stamp(source.id, "poll_1", stand.clock()), buckets)
        assert (await of_month(stand, "month=2026-10"))["final"] is final
    assert (await of_month(stand, "month=2024-02"))["final"] is False, "nobody has read it"
