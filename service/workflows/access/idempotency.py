"""Idempotency keys: a POST sent twice is carried out once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from service.domain.access import KeptAnswer
from service.domain.values.errors import DomainError
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


class KeyReused(DomainError):
    """The idempotency key stands for another request."""


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """One request with an idempotency key, as one token sent it."""

    token_id: str
    key: str
    digest: str


def digest_request(method: str, target: str, body: bytes) -> str:
    """Returns the same text for the same request, and for no other. `target` is path and query, without a host."""
    return hashlib.sha256(b"\0".join((method.encode(), target.encode(), body))).hexdigest()


async def recall(uow: UnitOfWork, request: KeyedRequest) -> KeptAnswer | None:
    """Returns the kept answer of this request. Raises KeyReused. Equal requests wait for each other here."""
    kept = await uow.idempotency.find(request.token_id, request.key)
    if kept is not None and kept.request_digest != request.digest:
        raise KeyReused("This Idempotency-Key was sent with another request before")
    return kept


async def run_recall(ports: Ports, request: KeyedRequest) -> KeptAnswer | None:
    async with ports.uow() as uow:
        return await recall(uow, request)


async def keep(uow: UnitOfWork, request: KeyedRequest, answer: KeptAnswer) -> None:
    await uow.idempotency.keep(request.token_id, request.key, answer)


async def run_keep(ports: Ports, request: KeyedRequest, answer: KeptAnswer) -> None:
    async with ports.uow() as uow:
        if await uow.idempotency.find(request.token_id, request.key) is None:
            await keep(uow, request, answer)
