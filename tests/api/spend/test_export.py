"""Spend as a file: all of it, to the last digit, and harmless."""

from __future__ import annotations

import csv
import io
import sys
from datetime import timedelta
from decimal import Decimal

import pytest
from pyarrow import parquet

from service.api.spend.files import PARQUET
from service.api.spend.parquet import ROWS_A_GROUP, ParquetFile
from service.domain.spend.best_known import EstimatedDay, Spend, SpendDay
from service.domain.spend.focus import COLUMNS, ChargedCell
from service.domain.values.money import Money
from service.domain.values.scopes import Cell
from service.workflows.ports.spend import Stamp
from tests.api.stand import ENG, SOURCE, TODAY, Stand, answered, pointers

NO_KEY = Cell("default", "claude-sonnet-4-5", "")


async def spent(stand: Stand) -> None:
    """Two days, of which one is partly estimated."""
    source = await stand.create("/sources", SOURCE)
    known = SpendDay(Spend(Money.of("1.000000000001"), Money.of("0.5")), EstimatedDay())
    days = {TODAY: {ENG: known, NO_KEY: known}, TODAY - timedelta(days=1): {ENG: known}}
    async with stand.ports.uow() as uow:
        await uow.facts.store_days(Stamp(source["id"], "poll_1", stand.clock()), days)
        await uow.directory.note_cells(source["id"], [ENG, NO_KEY], stand.clock())


async def rows(stand: Stand, query: str) -> list[dict[str, str]]:
    answer = await stand.viewer.get(f"/v1/spend/export?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def test_the_days_add_up_to_the_answer_of_rest(stand: Stand) -> None:
    await spent(stand)
    found = await rows(stand, "since=2026-11-01")
    total = answered(await stand.viewer.get("/v1/spend?since=2026-11-01"))["total"]
    for column, name in (("amount_usd", "amount"), ("billed_usd", "billed"), ("estimated_usd", "estimated")):
        assert sum(Decimal(row[column]) for row in found) == Decimal(total[name])
    assert [(row["day"], row["workspace"], row["api_key_id"]) for row in found] == [
        ("2026-11-15", "wrkspc_eng", "apikey_ci"),
        ("2026-11-16", "Default", ""),
        ("2026-11-16", "wrkspc_eng", "apikey_ci"),
    ]
    assert {row["basis"] for row in found} == {"mixed"}


async def test_days_outside_are_left_out(stand: Stand) -> None:
    await spent(stand)
    assert {row["day"] for row in await rows(stand, "since=2026-11-15&until=2026-11-16")} == {"2026-11-15"}
    assert await rows(stand, "since=2026-10-01&until=2026-11-01") == []


async def test_focus_has_its_columns_and_the_bill(stand: Stand) -> None:
    await spent(stand)
    found = await rows(stand, "since=2026-11-16&format=focus")
    assert tuple(found[0]) == COLUMNS
    assert sum(Decimal(row["BilledCost"]) for row in found) == Decimal("2.000000000002")
    assert sum(Decimal(row["EffectiveCost"]) for row in found) == Decimal("3.000000000002")
    assert [row["ResourceId"] for row in found] == ["", "apikey_ci"]
    first = found[0]
    assert (first["ChargePeriodStart"], first["ChargePeriodEnd"]) == ("2026-11-16T00:00:00Z", "2026-11-17T00:00:00Z")
    assert (first["BillingPeriodStart"], first["BillingPeriodEnd"]) == ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")
    assert {row["BillingCurrency"] for row in found} == {"USD"}


async def test_parquet_holds_the_rows_of_the_csv_to_the_last_digit(stand: Stand) -> None:
    await spent(stand)
    answer = await stand.viewer.get("/v1/spend/export?since=2026-11-01&format=parquet")
    assert answer.headers["content-type"] == PARQUET
    found = parquet.read_table(io.BytesIO(answer.content)).to_pylist()
    assert [[str(value) for value in row.values()] for row in found] == [
        [str(_exact(name, value)) for name, value in row.items()] for row in await rows(stand, "since=2026-11-01")
    ]
    assert isinstance(found[0]["amount_usd"], Decimal)


def _exact(name: str, value: str) -> str | Decimal:
    return Decimal(value).quantize(Decimal("1e-12")) if name.endswith("_usd") else value


async def test_a_parquet_file_without_a_row_can_be_read(stand: Stand) -> None:
    await spent(stand)
    answer = await stand.viewer.get("/v1/spend/export?since=2026-10-01&until=2026-11-01&format=parquet")
    assert parquet.read_table(io.BytesIO(answer.content)).num_rows == 0


def test_a_long_parquet_file_leaves_in_parts_and_a_name_stays_as_it_is() -> None:
    known = SpendDay(Spend(Money.of("999999999999.999999999999")), EstimatedDay())
    cell = ChargedCell(TODAY, "wrkspc_eng", "=1+1", "claude-sonnet-4-5", "", "", known)
    file = ParquetFile()
    parts = [file.start(), file.add([cell] * ROWS_A_GROUP), file.add([cell]), file.end()]
    assert len(parts[1]) > 0
    assert parts[2] == b""
    found = parquet.read_table(io.BytesIO(b"".join(parts)))
    assert found.num_rows == ROWS_A_GROUP + 1
    last = found.slice(ROWS_A_GROUP).to_pylist()[0]
    assert (last["workspace"], last["billed_usd"]) == ("=1+1", Decimal("999999999999.999999999999"))


async def test_a_server_without_pyarrow_says_what_to_install(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    await spent(stand)
    monkeypatch.setitem(sys.modules, "service.api.spend.parquet", None)
    answer = await stand.viewer.get("/v1/spend/export?since=2026-11-01&format=parquet")
    assert pointers(answer) == ["/format"]
    assert "tocsin[parquet]" in answer.text


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("since=2026-11-16&until=2026-11-16", "/since"),
        ("since=2020-01-01&until=2026-11-16", "/since"),
        ("since=2026-11-01&source=nowhere", "/source"),
        ("since=2026-11-01&format=xlsx", "/format"),
        ("", "/since"),
    ],
)
async def test_an_odd_question_is_refused_before_anything_is_sent(stand: Stand, query: str, pointer: str) -> None:
    await spent(stand)
    assert pointers(await stand.viewer.get(f"/v1/spend/export?{query}")) == [pointer]
