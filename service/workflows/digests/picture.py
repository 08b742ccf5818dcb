"""The picture beside a digest."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from service.domain.charts.chart import Theme
from service.domain.charts.specification import specification
from service.domain.digests.chart import digest_chart, pieces
from service.domain.digests.digest import Digest, DigestPlan
from service.domain.notify.notification import Picture
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.workflows.charts.picture import run_unless_it_fails
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


async def run_digest_picture(ports: Ports, plan: DigestPlan, digest: Digest) -> Picture | None:
    """None where it cannot be drawn: the digest goes out without it."""
    return await run_unless_it_fails(ports, "digest", lambda: _run_draw(ports, plan, digest))


async def _run_draw(ports: Ports, plan: DigestPlan, digest: Digest) -> Picture:
    now = ports.clock()
    async with ports.uow() as uow:
        spent = await _spent(uow, plan, pieces(digest.window), now)
        before = await _spent(uow, plan, pieces(digest.before), now)
    chart = digest_chart(digest, spent, before)
    return Picture(await ports.charts.png(specification(chart, Theme.LIGHT)), chart.alt, url=None)


async def _spent(uow: UnitOfWork, plan: DigestPlan, windows: Iterable[Window], now: datetime) -> list[Money]:
    """Reads spend as the digest itself does, so that the pieces add up to what it says."""
    amounts = []
    for window in windows:
        spend = await uow.facts.spend(plan.source_id, window, now)
        amounts.append(Money.total(one.total for cell, one in spend.items() if plan.scope.holds(cell)))
    return amounts
