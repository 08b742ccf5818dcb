"""Work that is late: sources that are not polled, evaluated or read well, and notifications that are not sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.alerts.budget_failures import FAILING, budget_failures
from service.adapters.postgres.notify.notifications import IS_HEAD
from service.adapters.postgres.notify.tables import notifications
from service.adapters.postgres.rules.tables import rule_failures
from service.adapters.postgres.tables import resources, source_states
from service.workflows.ports.operation import MOST_COUNTED, Arrears, Behind


class PostgresPunctuality:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def polls(self, due_before: datetime, limit: int) -> Arrears:
        since = source_states.c.next_poll_at
        return await self._sources(since, since <= due_before, limit)

    async def failing_sources(self, failures: int, since: datetime, limit: int) -> Arrears:
        begun = source_states.c.failing_since
        lasts = or_(source_states.c.failures >= failures, begun <= since)
        return await self._sources(begun, begun.is_not(None) & lasts, limit)

    async def evaluations(self, before: datetime, limit: int) -> Arrears:
        since = func.coalesce(source_states.c.evaluated_at, resources.c.created_at)
        return await self._sources(since, since <= before, limit)

    async def notifications(self, due_before: datetime, limit: int) -> Arrears:
        are_late = IS_HEAD, notifications.c.due_at <= due_before
        counted = select(notifications.c.id).where(*are_late).limit(MOST_COUNTED).subquery()
        first = (
            select(notifications.c.id, notifications.c.due_at, select(func.count(counted.c.id)).scalar_subquery())
            .where(*are_late)
            .order_by(notifications.c.due_at, notifications.c.id)
        )
        return await self._read(first.limit(limit))

    async def failing_budgets(self, since: datetime, limit: int) -> Arrears:
        return await self._defects(budget_failures.c.budget_id, budget_failures.c.since, FAILING, since, limit)

    async def failing_rules(self, since: datetime, limit: int) -> Arrears:
        failed = rule_failures.c
        still = (resources.c.spec["source_id"].astext == source_states.c.source_id) & (
            failed.last_at >= source_states.c.rules_assessed_at
        )
        return await self._defects(failed.rule_id, func.coalesce(failed.since, failed.last_at), still, since, limit)

    async def _defects(
        self,
        of: ColumnElement[str],
        since: ColumnElement[datetime],
        still: ColumnElement[bool],
        before: datetime,
        limit: int,
    ) -> Arrears:
        """The resources of enabled sources with such rows, each once."""
        source = resources.alias("source")
        first = (
            select(resources.c.name, func.min(since).label("begun"), func.count().over())
            .join(resources, resources.c.id == of)
            .join(source_states, still)
            .join(source, source.c.id == source_states.c.source_id)
            .where(source.c.spec["enabled"].as_boolean(), resources.c.spec["enabled"].as_boolean(), since <= before)
            .group_by(resources.c.id, resources.c.name)
            .order_by("begun", resources.c.name)
        )
        return await self._read(first.limit(limit))

    async def _sources(self, since: ColumnElement[datetime], are_late: ColumnElement[bool], limit: int) -> Arrears:
        is_enabled = (resources.c.kind == "source") & resources.c.spec["enabled"].as_boolean()
        first = (
            select(resources.c.name, since, func.count().over())
            .join(source_states, source_states.c.source_id == resources.c.id)
            .where(is_enabled, are_late)
            .order_by(since, resources.c.name)
        )
        return await self._read(first.limit(limit))

    async def _read(self, query: Select[*tuple[Any, ...]]) -> Arrears:
        rows = (await self._connection.execute(query)).all()
        count = rows[0][2] if rows else 0
        return Arrears(count, tuple(Behind(name, since) for name, since, _ in rows))
