"""A digest behind the signed link of its message: its period's figures, as they are known when it is opened."""

from __future__ import annotations

from dataclasses import replace

from service.domain.charts.chart import Theme
from service.domain.digests.digest import Digest, DigestPlan
from service.domain.digests.phrases import digest_message
from service.domain.notify.notification import Message
from service.domain.notify.page_links import PageLink
from service.domain.values.errors import NotFound
from service.workflows.digests.compose import digest_of, run_png
from service.workflows.digests.shares import share_of
from service.workflows.notify.followed_links import LinkOver, follow, opened
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


async def run_linked_digest(ports: Ports, token: str) -> Message:
    """Returns the message of a link's digest. Raises LinkForged and LinkOver."""
    link = follow(ports, token)
    async with ports.uow() as uow:
        _, digest = await _linked(ports, uow, link)
    said = digest_message(digest, link.subject_id, ports.public_url)
    return replace(said, facts=(*said.facts, ("Figures", "as they are known now; the message has those of its time")))


async def run_linked_chart(ports: Ports, token: str, theme: Theme) -> bytes | None:
    """Returns its chart; None where it cannot be drawn. Raises LinkForged and LinkOver."""
    link = follow(ports, token)
    async with ports.uow() as uow:
        plan, digest = await _linked(ports, uow, link)
    return await run_png(ports, plan, digest, link.subject_id, theme)


async def _linked(ports: Ports, uow: UnitOfWork, link: PageLink) -> tuple[DigestPlan, Digest]:
    await opened(uow, link)
    run = await uow.digest_runs.find(link.subject_id)
    if run is None:
        raise LinkOver("the digest of this link is gone")
    try:
        digest = await uow.digests.get(run.digest_id)
    except NotFound as error:
        raise LinkOver(str(error)) from error
    share = await share_of(uow, digest.spec, link.receiver_id)
    return digest.spec, await digest_of(uow, ports.price_book, digest, run, ports.clock(), share)
