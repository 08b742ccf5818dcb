"""Sources that are all due at once, claimed by one worker and by several."""

from __future__ import annotations

import asyncio
from datetime import datetime

from service.domain.sources.source import Source, SourceKind, SourceState
from service.domain.values.resources import Resource, Sealed
from service.workflows.ports.unit_of_work import UowFactory
from storing.table import DAY, NOW, Row, timed, times

SOURCES, CLAIMERS = 2000, 4


async def measure(uow: UowFactory) -> list[Row]:
    await add_sources(uow)
    alone, shared = [await claim_all(uow, claimers, at) for claimers, at in ((1, NOW), (CLAIMERS, NOW + DAY))]
    return [
        Row("due sources claimed by 1 worker", f"{SOURCES:,} sources", alone, f"{SOURCES / alone:,.0f} sources/s"),
        Row(
            f"by {CLAIMERS} workers at once, none twice",
            f"{SOURCES:,} sources",
            shared,
            f"{SOURCES / shared:,.0f} sources/s",
            times(shared, alone, "one worker"),
        ),
    ]


async def add_sources(uow: UowFactory) -> None:
    secret = Sealed("not a real ciphertext", "...fake", "0123456789abcdef")
    spec = Source(SourceKind.CLAUDE_ADMIN, "http://127.0.0.1:1", secret)
    async with uow() as unit:
        for number in range(SOURCES):
            id = f"src_{number:05}"
            await unit.sources.add(Resource(id, id, 1, NOW, NOW, {}, spec))
            await unit.polling_states.add(SourceState(id, fence=0, next_poll_at=NOW))


async def claim_all(uow: UowFactory, claimers: int, at: datetime) -> float:
    """Seconds until every due source is claimed, each exactly once."""

    async def claim() -> list[str]:
        claimed: list[str] = []
        while True:
            async with uow() as unit:
                some = await unit.polling_states.claim_due(at)
            if not some:
                return claimed
            claimed += some

    seconds, shares = await timed(lambda: asyncio.gather(*(claim() for _ in range(claimers))))
    ids = [id for share in shares for id in share]
    assert len(ids) == len(set(ids)) == SOURCES
    return seconds
