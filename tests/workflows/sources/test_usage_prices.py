"""Usage is priced when it is read: at its own time's price, by its own model, shared among its own keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from service.domain.sources.pricing import Measure, PriceOverride
from service.domain.spend.best_known import Basis, EstimatedDay, Spend
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.scopes import UNATTRIBUTED, Cell
from tests.factories import utc
from tests.workflows.yard import SONNET, Yard, billed, caller

MILLION = 1_000_000
YESTERDAY = date(2026, 11, 15)
TEN = utc("2026-11-15T10:00")
NOVEL = "claude-novel-9"


async def test_each_hour_is_priced_as_of_its_own_time(yard: Yard) -> None:
    """Sonnet 5.5's cache reads became cheaper at midnight of 7 October 2026."""
    yard.clock.move_to(utc("2026-10-07T12:00"))
    sonnet = caller(model="claude-sonnet-5-5")
    for hour in ("2026-10-06T23:00", "2026-10-07T00:00"):
        yard.reader.use(Width.HOUR, utc(hour), (sonnet, {Measure.CACHE_READ: MILLION}))
    await yard.poll()
    before, after = await yard.spent(date(2026, 10, 6)), await yard.spent(date(2026, 10, 7))
    assert before == Money.of("0.20")
    assert Money.of("0") < after < before


async def test_an_unknown_model_is_unpriced_and_shown_and_never_free(yard: Yard) -> None:
    yard.reader.use(Width.HOUR, TEN, (caller(model=NOVEL), {Measure.OUTPUT: 700, Measure.UNCACHED_INPUT: 300}))
    await yard.poll()
    (known,) = (await yard.spend(YESTERDAY)).values()
    assert known.estimate == EstimatedDay(unpriced_tokens=1000, input_tokens=300, output_tokens=700)
    async with yard.ports.uow() as uow:
        (model,) = await uow.directory.models(yard.source.id)
    assert (model.id, model.unpriced_tokens) == (NOVEL, 1000)
    async with yard.engine.connect() as connection:
        stored = await connection.exec_driver_sql("SELECT cost FROM usage_hours")
        assert set(stored.scalars()) == {None}


async def test_an_override_prices_what_is_read_from_then_on_the_last_days_included(yard: Yard) -> None:
    yard.reader.use(Width.HOUR, TEN, (caller(model=NOVEL), {Measure.OUTPUT: MILLION}))
    yard.reader.use(Width.HOUR, utc("2026-11-15T09:00"), (caller(), {Measure.OUTPUT: MILLION}))
    await yard.poll()
    assert await yard.spent(YESTERDAY) == Money.of("15.00")
    await yard.override("novel", PriceOverride(NOVEL, Measure.OUTPUT, Decimal(20), valid_from=utc("2026-11-01")))
    await yard.poll()
    assert await yard.spent(YESTERDAY) == Money.of("35.00")
    (novel,) = [known for cell, known in (await yard.spend(YESTERDAY)).items() if cell.model == NOVEL]
    assert novel.estimate == EstimatedDay(Money.of("20.00"), output_tokens=MILLION)


async def test_an_override_does_not_price_the_time_before_it(yard: Yard) -> None:
    for hour in ("2026-11-15T10:00", "2026-11-15T11:00"):
        yard.reader.use(Width.HOUR, utc(hour), (caller(), {Measure.OUTPUT: MILLION}))
    half = PriceOverride(SONNET, Measure.OUTPUT, Decimal("7.50"), valid_from=utc("2026-11-15T11:00"))
    await yard.override("half price", half)
    await yard.poll()
    assert await yard.spent(YESTERDAY) == Money.of("22.50")


async def test_priority_tier_is_estimated_and_kept_out_of_spend(yard: Yard) -> None:
    priority = replace(caller(), service_tier="priority")
    yard.reader.use(Width.HOUR, TEN, (priority, {Measure.OUTPUT: MILLION}))
    await yard.poll()
    (known,) = (await yard.spend(YESTERDAY)).values()
    assert known.estimate == EstimatedDay(priority=Money.of("15.00"))
    assert known.spend == Spend()


async def test_keys_share_the_bill_by_what_they_used(yard: Yard) -> None:
    """$10 billed; one key used three times as much as the other. The shares add up exactly."""
    yard.clock.move_to(utc("2026-11-17T00:00"))
    yard.reader.bill(YESTERDAY, billed("10.00"), billed("1.00", model="claude-haiku-4-5"))
    yard.reader.use(
        Width.HOUR,
        TEN,
        (caller(api_key="apikey_ci"), {Measure.OUTPUT: 3000}),
        (caller(api_key="apikey_dev"), {Measure.OUTPUT: 1000}),
    )
    await yard.poll()
    spend = {cell: known.spend for cell, known in (await yard.spend(YESTERDAY)).items()}
    assert spend == {
        Cell("default", SONNET, "apikey_ci"): Spend(billed=Money.of("7.50")),
        Cell("default", SONNET, "apikey_dev"): Spend(billed=Money.of("2.50")),
        Cell("default", "claude-haiku-4-5", UNATTRIBUTED): Spend(billed=Money.of("1.00")),
    }


async def test_today_is_estimated_until_its_bill_has_caught_up(yard: Yard) -> None:
    today = date(2026, 11, 16)
    yard.reader.use(Width.HOUR, utc("2026-11-16T10:00"), (caller(), {Measure.OUTPUT: MILLION}))
    for bill, best, basis in (("1.00", "15.00", Basis.ESTIMATED), ("16.00", "16.00", Basis.BILLED)):
        yard.reader.bill(today, billed(bill))
        await yard.poll()
        (known,) = (await yard.spend(today)).values()
        assert (known.spend.total, known.spend.basis) == (Money.of(best), basis)
