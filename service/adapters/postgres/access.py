"""Bearer tokens, the audit log, and the answers kept for repeated requests."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Integer, Row, Table, Text, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.adapters.postgres.codec import shallow
from service.adapters.postgres.column_types import Encoded, Instant, Word
from service.adapters.postgres.cursors import read_page
from service.adapters.postgres.engine import transactions
from service.adapters.postgres.metadata import metadata
from service.domain.access import AuditEvent, KeptAnswer, Role, Token
from service.domain.values.errors import NotFound
from service.domain.values.resources import Page
from service.workflows.ports.access import AccessUnit, AuditLog, Tokens
from service.workflows.ports.outages import Outages

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Word(Role), nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("actor_id", Text, nullable=False, server_default=""),
    Column("address", Text, nullable=False, server_default=""),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    Column("actor_name", Text, nullable=False, server_default=""),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("token_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_digest", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("headers", Encoded(tuple[tuple[str, str], ...]), nullable=False),
    Column("kept_at", Instant, nullable=False, index=True),
)

KEPT_FOR = timedelta(hours=24)


class PostgresTokens:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, token: Token) -> None:
        await self._connection.execute(insert(tokens).values(shallow(token)))

    async def find(self, digest: str) -> Token | None:
        return await self._one(tokens.c.digest == digest)

    async def with_id(self, token_id: str) -> Token | None:
        return await self._one(tokens.c.id == token_id)

    async def _one(self, condition: ColumnElement[bool]) -> Token | None:
        row = (await self._connection.execute(select(tokens).where(condition))).one_or_none()
        return None if row is None else _token(row)

    async def page(self, *, limit: int, cursor: str | None) -> Page[Token]:
        """Returns tokens oldest first, the revoked ones too."""
        return await read_page(self._connection, select(tokens), tokens, _token, limit=limit, cursor=cursor)

    async def revoke(self, token_id: str, now: datetime) -> datetime:
        """Returns when it was revoked: the first revocation counts. Raises NotFound."""
        revoked = await self._connection.execute(
            update(tokens)
            .where(tokens.c.id == token_id)
            .values(revoked_at=func.coalesce(tokens.c.revoked_at, now))
            .returning(tokens.c.revoked_at)
        )
        since: datetime | None = revoked.scalar_one_or_none()
        if since is None:
            raise NotFound(f"there is no token {token_id!r}")
        return since


class PostgresAuditLog:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, event: AuditEvent) -> None:
        await self._connection.execute(insert(audit_events).values(shallow(event)))

    async def page(self, *, limit: int, cursor: str | None) -> Page[AuditEvent]:
        """Newest first."""
        return await read_page(
            self._connection,
            select(audit_events),
            audit_events,
            _audit_event,
            limit=limit,
            cursor=cursor,
            newest_first=True,
        )


class PostgresIdempotencyKeys:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, token_id: str, key: str) -> KeptAnswer | None:
        """Locks the key before it reads, so that it sees what an earlier holder committed."""
        owner_and_key = f"{token_id}\n{key}"
        await self._connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(owner_and_key, 0))))
        kept = idempotency_keys.c
        query = select(kept.request_digest, kept.status, kept.body, kept.headers).where(
            kept.token_id == token_id, kept.key == key, kept.kept_at > func.now() - KEPT_FOR
        )
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else KeptAnswer(**row._mapping)

    async def keep(self, token_id: str, key: str, answer: KeptAnswer) -> None:
        """Keeps an answer, and deletes those older than a day, the same key's included."""
        await self._connection.execute(
            delete(idempotency_keys).where(idempotency_keys.c.kept_at <= func.now() - KEPT_FOR)
        )
        await self._connection.execute(
            upsert(idempotency_keys).values(token_id=token_id, key=key, kept_at=func.now(), **shallow(answer))
        )


def _token(row: Row[Any]) -> Token:
    return Token(**row._mapping)


def _audit_event(row: Row[Any]) -> AuditEvent:
    return AuditEvent(**row._mapping)


class PostgresAccess(AccessUnit):
    """The stores of a transaction about tokens."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.tokens: Tokens = PostgresTokens(connection)
        self.audit: AuditLog = PostgresAuditLog(connection)


def access_uow_factory(engine: AsyncEngine) -> Callable[[], AbstractAsyncContextManager[AccessUnit]]:
    return transactions(engine, PostgresAccess, Outages())
