"""A digest as it would be sent now: its figures, and its chart. Nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.charts.chart import Theme
from service.domain.digests.digest import Digest, DigestPlan
from service.domain.digests.runs import DigestRun
from service.domain.digests.shares import Share
from service.domain.values.resources import Resource
from service.workflows.configuration.engine import Author
from service.workflows.digests.compose import digest_of, run_png
from service.workflows.digests.deliver import unsent
from service.workflows.digests.shares import shares_of
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


@dataclass(frozen=True, slots=True)
class DigestPreview:
    """The run that would be sent, and what it says: of a digest to owners, of one of the `shares`."""

    run: DigestRun
    digest: Digest
    shares: tuple[Share, ...] = ()


async def preview(
    ports: Ports, uow: UnitOfWork, stored: Resource[DigestPlan], author: Author, receiver_id: str
) -> DigestPreview:
    """`receiver_id` is whose share it is about; the fallback's where they have none. Raises Conflict where its times
    cannot be told.
    """
    run = unsent(ports.cron, stored, author)
    shares = await shares_of(uow, stored.spec, run, author.at) if stored.spec.to_owner else ()
    share = next((one for one in shares if one.receiver_id == receiver_id), next(iter(shares), None))
    return DigestPreview(run, await digest_of(uow, ports.price_book, stored, run, author.at, share), shares)


async def run_preview_chart(ports: Ports, id: str, author: Author, receiver_id: str, theme: Theme) -> bytes | None:
    """Returns its chart; None where it cannot be drawn. Raises NotFound, and what `preview` raises."""
    async with ports.uow() as uow:
        stored = await uow.digests.get(id)
        shown = await preview(ports, uow, stored, author, receiver_id)
    return await run_png(ports, stored.spec, shown.digest, shown.run.id, theme)
