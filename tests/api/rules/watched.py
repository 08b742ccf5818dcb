"""A source with a past, and a rule that rings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from service.domain.spend.best_known import EstimatedDay, Spend, SpendDay
from service.domain.spend.rows import Bucket, CostRow
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell
from service.domain.values.utc import utc_day
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.ports.spend import Stamp
from tests.api.stand import ENG, SOURCE, TODAY, Stand, answered

MARKETING = Cell("wrkspc_marketing", "claude-haiku-4-5", "apikey_site")
CHANGE = {"name": "dear days", "kind": "change", "params": {"against": "same_weekday"}}
Amounts = Mapping[Cell, str]


async def know(stand: Stand, source_id: str, days: Mapping[date, Amounts]) -> None:
    """Days that the cost report contained, with what was spent on them."""
    await stand.ports.storage.make_room(Window(utc_day(min(days)).start, utc_day(max(days)).end))
    stamp = Stamp(source_id, "poll_1", stand.clock())
    async with stand.ports.uow() as uow:
        contained: list[Bucket[CostRow]] = [Bucket(utc_day(day), ()) for day in days]
        await uow.facts.replace_cost(stamp, contained)
        await uow.facts.store_days(
            stamp,
            {
                day: {cell: SpendDay(Spend(billed=Money.of(usd)), EstimatedDay()) for cell, usd in amounts.items()}
                for day, amounts in days.items()
            },
        )
        cells = {cell for amounts in days.values() for cell in amounts}
        await uow.directory.note_cells(source_id, cells, stand.clock())


def past(days: int, amounts: Amounts, today: Amounts) -> dict[date, Amounts]:
    """The same on so many days, and what today brought."""
    return {TODAY - timedelta(days=back): amounts for back in range(days, 0, -1)} | {TODAY: today}


async def watched(stand: Stand, days: int = 20) -> dict[str, Any]:
    """A source whose engineers spent $100.00 today, and $10.00 on each of the days before."""
    source = await stand.create("/sources", SOURCE)
    await stand.create("/receivers", {"name": "console", "channels": [{"kind": "console"}]})
    answered(await stand.admin.put("/v1/routes", json={"items": [{"receiver": "console"}]}))
    usual = {ENG: "10.00", MARKETING: "5.00"}
    await know(stand, source["id"], past(days, usual, usual | {ENG: "100.00"}))
    return source


async def rung_by_rule(stand: Stand) -> dict[str, Any]:
    """One rule's alert, as the list shows it."""
    source = await watched(stand)
    await stand.create("/rules", CHANGE | {"for_each": "workspace"})
    await run_evaluation(stand.ports, source["id"])
    (alert,) = answered(await stand.viewer.get("/v1/alerts"))["items"]
    assert isinstance(alert, dict)
    return alert
