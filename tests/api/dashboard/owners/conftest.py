from __future__ import annotations

import pytest

from service.domain.spend.best_known import Spend, SpendDay
from service.domain.values.money import Money
from service.domain.values.scopes import Cell
from service.workflows.ports.spend import Stamp
from tests.api.stand import ENG, SOURCE, TODAY, Stand

RESEARCH = Cell("wrkspc_research", "claude-sonnet-4-5", "apikey_lab")


@pytest.fixture
async def spent(stand: Stand) -> Stand:
    """A source with two workspaces, each with a key: $30 and $10 of this month; and a receiver."""
    await stand.create("/sources", SOURCE)
    await stand.create("/receivers", {"name": "eng", "channels": [{"kind": "console"}]})
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
        spend = {cell: SpendDay(Spend(billed=Money.of(amount))) for cell, amount in ((ENG, "30"), (RESEARCH, "10"))}
        await uow.facts.store_days(Stamp(source.id, "poll_1", stand.clock()), {TODAY: spend})
        await uow.directory.note_cells(source.id, list(spend), stand.clock())
    return stand
