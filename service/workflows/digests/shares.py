"""Reading whose share of a digest is whose."""

from __future__ import annotations

from datetime import datetime

from service.domain.digests.digest import DigestPlan, reached
from service.domain.digests.runs import DigestRun
from service.domain.digests.shares import Division, Share
from service.domain.sources.ownership import OwnerBook
from service.domain.spend.attribution import by_owner
from service.domain.values.scopes import FINEST
from service.workflows.configuration.ownership import owned
from service.workflows.ports.unit_of_work import UnitOfWork


async def shares_of(uow: UnitOfWork, plan: DigestPlan, run: DigestRun, now: datetime) -> tuple[Share, ...]:
    """Returns the shares of a run: of everybody who owns, by now, spend of one of its two periods, and the rest."""
    division = await _division(uow, plan)
    windows = run.window, run.before
    spend = [await uow.facts.spend(plan.source_id, one, now, FINEST | plan.scope.grain) for one in windows]
    return division.shares(cell for cells in spend for cell in cells if plan.scope.holds(cell))


async def share_of(uow: UnitOfWork, plan: DigestPlan, receiver_id: str) -> Share | None:
    """Returns the share that a receiver is sent; None of a plan without shares."""
    return Share(await _division(uow, plan), receiver_id) if plan.to_owner else None


async def _division(uow: UnitOfWork, plan: DigestPlan) -> Division:
    members = (await owned(uow)).of_source(plan.source_id)
    keys = await uow.directory.api_keys(plan.source_id)
    book = OwnerBook(members, {key.id: key.workspace for key in keys if key.workspace})
    names = {one.id: one.name for one in await uow.receivers.readable() if reached(one.spec)}
    return Division(book, by_owner(members), names, plan.receiver_id)
