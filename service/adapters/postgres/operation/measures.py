"""Figures of the whole installation: one statement each, however many sources, alerts and channels there are."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Float, cast, extract, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.notify.tables import failing_channels, notifications
from service.adapters.postgres.sources.polling_states import STATE
from service.adapters.postgres.sources.polls import polls
from service.adapters.postgres.spend.tables import seen
from service.adapters.postgres.tables import alerts, resources, source_states
from service.domain.alerts.alert import AlertState
from service.domain.notify.notification import NotificationState
from service.domain.sources.poll import ReportOutcome
from service.domain.sources.source import SourceState
from service.domain.values.scopes import Dimension
from service.domain.values.severity import Severity
from service.workflows.ports.operation import EnabledSource, WaitsToSend

_NEWEST_SENT = 1000
_QUANTILES = (0.5, 0.99, 1.0)


class PostgresMeasures:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def enabled_sources(self) -> list[EnabledSource]:
        query = (
            select(resources.c.name, source_states.c.evaluation_seconds, *STATE)
            .join(source_states, source_states.c.source_id == resources.c.id)
            .where(resources.c.kind == "source", resources.c.spec["enabled"].as_boolean())
            .order_by(resources.c.name)
        )
        return [
            EnabledSource(name, SourceState(*state), None if seconds is None else timedelta(seconds=seconds))
            for name, seconds, *state in await self._connection.execute(query)
        ]

    async def workspace_names(self) -> dict[tuple[str, str], str]:
        named = select(seen.c.source_id, seen.c.id, seen.c.name).where(
            seen.c.dimension == Dimension.WORKSPACE.value, seen.c.name != ""
        )
        return {(source_id, id): name for source_id, id, name in await self._connection.execute(named)}

    async def newest_polls(self) -> list[tuple[ReportOutcome, ...]]:
        newest = (
            select(polls.c.reports)
            .where(polls.c.source_id == resources.c.id, polls.c.finished_at.is_not(None))
            .order_by(polls.c.id.desc())
            .limit(1)
            .lateral("newest")
        )
        query = select(newest.c.reports).join_from(resources, newest, true()).where(resources.c.kind == "source")
        return list(await self._connection.scalars(query))

    async def open_alerts(self) -> dict[tuple[Severity, AlertState], int]:
        kinds = alerts.c.severity, alerts.c.state
        query = select(*kinds, func.count()).where(alerts.c.state != AlertState.RESOLVED).group_by(*kinds)
        return {(severity, state): count for severity, state, count in await self._connection.execute(query)}

    async def waits_to_send(self, since: datetime) -> WaitsToSend | None:
        """Ids begin with the time: the newest are found by the primary key, however many there are."""
        newest = select(notifications).order_by(notifications.c.id.desc()).limit(_NEWEST_SENT).subquery()
        waited = cast(extract("epoch", newest.c.sent_at - newest.c.due_at), Float)
        query = select(func.percentile_cont(list(_QUANTILES)).within_group(func.greatest(waited, 0.0))).where(
            newest.c.state == NotificationState.SENT, newest.c.sent_at >= since
        )
        found: list[float | None] | None = await self._connection.scalar(query)
        seconds = [one for one in found or () if one is not None]
        return WaitsToSend(*(timedelta(seconds=one) for one in seconds)) if seconds else None

    async def open_circuits(self) -> dict[str, int]:
        kind = func.split_part(failing_channels.c.channel, ":", 1)
        query = select(kind, func.count()).where(failing_channels.c.next_try.is_not(None)).group_by(kind)
        return {kind: count for kind, count in await self._connection.execute(query)}
