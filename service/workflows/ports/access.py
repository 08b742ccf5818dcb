"""Stores of tokens, the audit log and idempotency keys."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.domain.access import AuditEvent, KeptAnswer, Token
from service.domain.values.resources import Page
from service.workflows.ports.platform import Clock


class Tokens(Protocol):
    async def add(self, token: Token) -> None: ...

    async def find(self, digest: str) -> Token | None:
        """Returns the token of a SHA-256 digest, also a revoked one."""
        ...

    async def with_id(self, token_id: str) -> Token | None:
        """Returns the token of an id, also a revoked one."""
        ...

    async def page(self, *, limit: int, cursor: str | None) -> Page[Token]: ...

    async def revoke(self, token_id: str, now: datetime) -> datetime:
        """Returns when it was revoked: the first revocation counts. Raises NotFound."""
        ...


class AuditLog(Protocol):
    async def add(self, event: AuditEvent) -> None: ...

    async def page(self, *, limit: int, cursor: str | None) -> Page[AuditEvent]:
        """Newest first."""
        ...


class IdempotencyKeys(Protocol):
    """Answers to POSTs, kept for a day under (token, key). Never hold secrets.

    The day is one of the database's clock, not of business time: people and programs repeat in real time.
    """

    async def find(self, token_id: str, key: str) -> KeptAnswer | None:
        """Locks the key until the transaction ends, so that two equal requests run one after the other."""
        ...

    async def keep(self, token_id: str, key: str, answer: KeptAnswer) -> None: ...


class AccessUnit(Protocol):
    """The part of a unit of work that tokens need."""

    tokens: Tokens
    audit: AuditLog


@dataclass(frozen=True, slots=True)
class AccessPorts:
    """Everything that the commands about tokens may reach."""

    uow: Callable[[], AbstractAsyncContextManager[AccessUnit]]
    clock: Clock
