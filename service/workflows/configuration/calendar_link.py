"""A rota's calendar behind a signed link. A new link revokes the one before."""

from __future__ import annotations

import secrets
from dataclasses import replace

from service.domain.notify.calendar_links import CalendarLink, Feed
from service.domain.notify.rotas import Rota
from service.domain.values.errors import NotFound
from service.domain.values.resources import Resource
from service.workflows.configuration.engine import Author, Draft, change
from service.workflows.configuration.notify import Rotas
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


async def renew_link(uow: UnitOfWork, ports: Ports, rota: Resource[Rota], author: Author) -> str:
    """Returns the address of a new link, and revokes the one before. Raises StaleVersion."""
    feed = Feed(secrets.token_hex(16), author.at)
    await _store(uow, rota, feed, author)
    text = str(CalendarLink(rota.id, feed.nonce))
    return f"{ports.public_url.rstrip('/')}/calendars/{text}.{ports.signer.sign(text)}.ics"


async def end_link(uow: UnitOfWork, rota: Resource[Rota], author: Author) -> None:
    """Raises NotFound where there is no link, and StaleVersion."""
    if rota.spec.feed is None:
        raise NotFound(f"rota {rota.name!r} has no calendar link")
    await _store(uow, rota, None, author)


async def linked_rota(uow: UnitOfWork, ports: Ports, token: str) -> Resource[Rota]:
    """Returns the rota of a link. Raises NotFound for one that is forged, replaced, ended, or of no rota."""
    text, _, signature = token.partition(".")
    link = CalendarLink.parse(text)
    if link is None or not ports.signer.is_signed(text, signature):
        raise NotFound("this link is not valid, or no longer")
    rota = (await uow.rotas.some([link.rota_id])).get(link.rota_id)
    if rota is None or rota.spec.feed is None or rota.spec.feed.nonce != link.nonce:
        raise NotFound("this link is not valid, or no longer")
    return rota


async def _store(uow: UnitOfWork, rota: Resource[Rota], feed: Feed | None, author: Author) -> None:
    await change(uow, Rotas(), rota, Draft(rota.name, rota.labels, replace(rota.spec, feed=feed)), author)
