"""What a digest says of caches: of its own days and scope alone."""

from __future__ import annotations

from datetime import datetime

from service.domain.digests.digest import DigestPlan
from service.domain.digests.periods import DigestPeriod
from service.domain.sources.pricing import Measure
from service.domain.spend.rows import Bucket, Dimensions, UsageFact, Width
from service.domain.values.periods import Window
from service.workflows.configuration.notify import Digests
from service.workflows.digests.deliver import run_due_digests
from service.workflows.ports.spend import Stamp
from tests.factories import utc
from tests.workflows.yard import HOUR, Yard

M = 1_000_000
MODEL = "claude-sonnet-4-5"


async def used(yard: Yard, start: datetime, **tokens: int) -> None:
    facts = tuple(
        UsageFact(Dimensions("wrkspc_eng", MODEL, token_type=Measure[name].value, api_key="apikey_ci"), count, None)
        for name, count in tokens.items()
    )
    await yard.ports.storage.make_room(Window(start, start + HOUR))
    async with yard.ports.uow() as uow:
        stamp = Stamp(yard.source.id, "poll_1", start + HOUR)
        await uow.facts.replace_usage(stamp, Width.HOUR, [Bucket(Window(start, start + HOUR), facts)])


async def told(yard: Yard, period: DigestPeriod) -> dict[str, str]:
    """The facts of the digest of 13:00 on Monday, 16 November."""
    await yard.create(Digests(), "spend", DigestPlan(yard.source.id, yard.receiver.id, "0 13 * * *", period=period))
    yard.clock.advance(HOUR)
    await run_due_digests(yard.ports)
    await yard.settle()
    _, delivery = yard.channels.sent[-1]
    return dict(delivery.message.facts)


async def test_yesterdays_caches_beside_those_of_the_day_before(yard: Yard) -> None:
    await used(yard, utc("2026-11-14T05:00"), UNCACHED_INPUT=M, CACHE_READ=M)
    await used(yard, utc("2026-11-15T05:00"), UNCACHED_INPUT=M, CACHE_READ=3 * M, CACHE_WRITE_1H=4 * M)
    await used(yard, utc("2026-11-16T05:00"), CACHE_READ=100 * M)
    facts = await told(yard, DigestPeriod.PREVIOUS_DAY)
    assert facts["Caching"] == (
        "37% of the input came from a cache (50% in the period before); $3.90 more than without caches; "
        "at least $3.00 paid for writes that nobody read"
    )


async def test_a_period_without_a_whole_day_or_without_caches_says_nothing(yard: Yard) -> None:
    await used(yard, utc("2026-11-15T20:00"), UNCACHED_INPUT=M)
    assert "Caching" not in await told(yard, DigestPeriod.PREVIOUS_DAY)
