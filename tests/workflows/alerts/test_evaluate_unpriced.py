"""A model without a known price is an alert: budgets and rules do not see what it costs until it is billed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from service.domain.alerts.alert import Alert, AlertState, Command
from service.domain.alerts.evidence import UnpricedEvidence
from service.domain.budgets.unpriced import LEAST_TOKENS
from service.domain.sources.pricing import Measure, PriceOverride
from service.domain.spend.rows import Dimensions, Width
from service.domain.values.severity import Severity
from service.workflows.alerts.attend import move_alert
from service.workflows.configuration.spend import Sources
from tests.factories import utc
from tests.workflows.yard import DAY, HOUR, Yard, billed, caller

NEXT = "claude-next"
NOON = utc("2026-11-16T12:00")


def next_model() -> Dimensions:
    return caller(workspace="wrkspc_eng", model=NEXT)


async def use(yard: Yard, tokens: int, model: Dimensions | None = None) -> list[Alert]:
    """So many tokens in the hour that is just over; the alerts that follow."""
    yard.reader.use(Width.HOUR, yard.clock() - HOUR, (model or next_model(), {Measure.OUTPUT: tokens}))
    return await read(yard)


async def read(yard: Yard) -> list[Alert]:
    await yard.poll()
    await yard.settle()
    return await yard.alerts()


async def test_a_model_without_a_price_is_one_alert_that_says_what_is_missing(yard: Yard) -> None:
    yard.clock.move_to(NOON)
    (alert,) = await use(yard, 5_000_000)
    assert (alert.kind, alert.severity, str(alert.scope)) == ("unpriced", Severity.WARNING, f"model:{NEXT}")
    yard.clock.advance(HOUR)
    assert [one.id for one in await use(yard, 6_000_000)] == [alert.id]
    (said,) = [delivery.message for _, delivery in yard.channels.sent]
    assert said.headline == (
        "5.0M tokens of claude-next have no price: their cost is missing until the bill of Mon 16 Nov"
    )
    assert "/v1/prices" in said.next_step
    (newest,) = await yard.alerts()
    assert isinstance(newest.newest, UnpricedEvidence)
    assert newest.newest.tokens == 11_000_000


async def test_few_tokens_and_models_with_a_price_are_no_news(yard: Yard) -> None:
    yard.clock.move_to(NOON)
    assert await use(yard, LEAST_TOKENS - 1) == []
    priced = replace(next_model(), model="claude-sonnet-4-5")
    assert await use(yard, 5_000_000, priced) == []


async def test_a_price_ends_it(yard: Yard) -> None:
    yard.clock.move_to(NOON)
    await use(yard, 5_000_000)
    spec = PriceOverride(NEXT, Measure.OUTPUT, Decimal("10.00"), utc("2026-11-01T00:00"))
    await yard.override("next", spec)
    (alert,) = await read(yard)
    assert alert.state is AlertState.RESOLVED
    assert yard.channels.sent[-1][1].message.change == "Over: what claude-next costs is known by now."


async def test_the_settled_bill_ends_it(yard: Yard) -> None:
    yard.clock.move_to(NOON)
    await use(yard, 5_000_000)
    yard.clock.move_to(NOON + 2 * DAY)
    yard.reader.bill(NOON.date(), billed("50.00", workspace="wrkspc_eng"))
    (alert,) = await read(yard)
    assert alert.state is AlertState.RESOLVED


async def test_what_a_person_resolved_stays_quiet_for_a_week(yard: Yard) -> None:
    yard.clock.move_to(NOON)
    (alert,) = await use(yard, 5_000_000)
    async with yard.ports.uow() as uow:
        await move_alert(uow, alert.id, Command.RESOLVE, "", yard.author)
    yard.clock.advance(HOUR)
    assert len(await use(yard, 5_000_000)) == 1
    yard.clock.advance(7 * DAY)
    assert len(await use(yard, 5_000_000)) == 2


async def test_a_source_that_is_disabled_takes_it_along(yard: Yard) -> None:
    yard.clock.move_to(NOON)
    await use(yard, 5_000_000)
    await yard.change(Sources(), yard.source, replace(yard.source.spec, enabled=False))
    await yard.minute()
    assert [alert.state for alert in await yard.alerts()] == [AlertState.RESOLVED]
