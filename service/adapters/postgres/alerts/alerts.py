"""Alerts: the state each is in, and every move that led there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.alerts.events import EVENT_COLUMNS, event_columns, read_event
from service.adapters.postgres.alerts.kinds import alert_columns, exact_alert, exact_field, exact_kind, is_of_source
from service.adapters.postgres.cursors import read_page
from service.adapters.postgres.sets import as_rows, insert_rows
from service.adapters.postgres.tables import alert_events, alerts, resources
from service.domain.alerts.alert import Alert, AlertEvent, AlertState
from service.domain.alerts.evidence import Evidence
from service.domain.values.errors import Conflict, NotFound
from service.domain.values.periods import Window
from service.domain.values.resources import Page
from service.domain.values.scopes import Dimension, ScopeKey
from service.workflows.ports.alerts import AlertFilter, FiringAlert


class PostgresAlerts:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def open(self, source_id: str) -> list[Alert]:
        """Oldest first."""
        query = (
            select(alerts).where(is_of_source(source_id), alerts.c.state != AlertState.RESOLVED).order_by(alerts.c.id)
        )
        return [_alert(row) for row in await self._connection.execute(query)]

    async def firing(self) -> list[FiringAlert]:
        columns = alerts.c.id, exact_kind().label("kind"), alerts.c.severity
        query = select(*columns).where(alerts.c.state == AlertState.FIRING).order_by(alerts.c.id)
        return [FiringAlert(**row._mapping) for row in await self._connection.execute(query)]

    async def overdue(self, now: datetime) -> list[str]:
        query = select(alerts.c.id).where(alerts.c.state == AlertState.SNOOZED, alerts.c.snoozed_until <= now)
        return list(await self._connection.scalars(query))

    async def latest(self, fingerprints: Sequence[str]) -> list[Alert]:
        query = (
            select(alerts)
            .ext(distinct_on(alerts.c.fingerprint))
            .where(alerts.c.fingerprint.in_(fingerprints))
            .order_by(alerts.c.fingerprint, alerts.c.id.desc())
        )
        return [_alert(row) for row in await self._connection.execute(query)]

    async def get(self, alert_id: str) -> Alert:
        """Raises NotFound."""
        row = (await self._connection.execute(select(alerts).where(alerts.c.id == alert_id))).one_or_none()
        if row is None:
            raise NotFound(f"there is no alert {alert_id!r}")
        return _alert(row)

    async def lock(self, alert_id: str) -> Alert:
        # Not against `posts` that refer to it: who stores one holds a notification, which we may be about to change.
        query = select(alerts).where(alerts.c.id == alert_id).with_for_update(key_share=True)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound(f"there is no alert {alert_id!r}")
        return _alert(row)

    async def save(self, event: AlertEvent) -> None:
        """Two at once: the second waits for the first one's commit, then raises Conflict."""
        if not await self.save_all([event]):
            raise Conflict(f"alert {event.alert.id} was changed by somebody else meanwhile; read it again")

    async def save_all(self, events: Sequence[AlertEvent]) -> list[AlertEvent]:
        opened = await self._open([event.alert for event in events if event.alert.version == 1])
        moved = await self._move([event.alert for event in events if event.alert.version > 1])
        stored = [event for event in events if event.alert.id in opened | moved]
        if stored:
            await self._connection.execute(insert_rows(alert_events, [event_columns(event) for event in stored]))
        return stored

    async def note_latest(self, found: Mapping[str, Evidence]) -> None:
        if not found:
            return
        new = as_rows([alerts.c.id, alerts.c.latest], [{"id": id, "latest": latest} for id, latest in found.items()])
        is_one = (alerts.c.id == new.c.id) & (alerts.c.state != AlertState.RESOLVED)
        await self._connection.execute(update(alerts).where(is_one).values(latest=new.c.latest))

    async def events(self, alert_id: str) -> list[AlertEvent]:
        """In the order of their versions."""
        query = select(*EVENT_COLUMNS).where(alert_events.c.alert_id == alert_id).order_by(alert_events.c.version)
        return [read_event(row) for row in await self._connection.execute(query)]

    async def events_of(self, alert_ids: Iterable[str]) -> dict[str, list[AlertEvent]]:
        found: dict[str, list[AlertEvent]] = {id: [] for id in alert_ids}
        query = (
            select(*EVENT_COLUMNS)
            .where(alert_events.c.alert_id.in_(list(found)))
            .order_by(alert_events.c.alert_id, alert_events.c.version)
        )
        for event in [read_event(row) for row in await self._connection.execute(query)]:
            found[event.alert.id].append(event)
        return found

    async def moves(self, source_id: str, window: Window) -> list[AlertEvent]:
        query = (
            select(*EVENT_COLUMNS)
            .join(alerts, alerts.c.id == alert_events.c.alert_id)
            .where(is_of_source(source_id), alert_events.c.at >= window.start, alert_events.c.at < window.end)
            .order_by(alert_events.c.alert_id, alert_events.c.version)
        )
        return [read_event(row) for row in await self._connection.execute(query)]

    async def page(self, where: AlertFilter, *, limit: int, cursor: str | None) -> Page[Alert]:
        """Newest first. A workspace's alerts are those of its own scope and of budgets and rules that name it."""
        query = select(alerts).where(*_conditions(where))
        return await read_page(self._connection, query, alerts, _alert, limit=limit, cursor=cursor, newest_first=True)

    async def _open(self, opened: Sequence[Alert]) -> set[str]:
        """The ids of those whose fingerprint has no other open alert."""
        if not opened:
            return set()
        statement = insert_rows(alerts, [_columns(alert) for alert in opened])
        return set(await self._connection.scalars(statement.on_conflict_do_nothing().returning(alerts.c.id)))

    async def _move(self, moved: Sequence[Alert]) -> set[str]:
        """The ids of those that are still at the version before."""
        if not moved:
            return set()
        new = as_rows(alerts.c, [_columns(alert) for alert in moved])
        is_one = (alerts.c.id == new.c.id) & (alerts.c.version == new.c.version - 1)
        values = {one.name: new.c[one.name] for one in alerts.c if not one.primary_key}
        return set(await self._connection.scalars(update(alerts).where(is_one).values(values).returning(alerts.c.id)))


def _columns(alert: Alert) -> dict[str, Any]:
    """Its events keep the buckets of its picture: the alert itself is read at every evaluation while it is open."""
    return alert_columns(replace(alert, evidence=replace(alert.evidence, buckets=())))


def _alert(row: Row[Any]) -> Alert:
    stored = dict(row._mapping)
    exact = stored.pop("exact_evidence")
    return exact_alert(Alert(**stored), exact)


def _conditions(where: AlertFilter) -> list[ColumnElement[bool]]:
    wanted: dict[ColumnElement[Any], tuple[object, ...]] = {
        alerts.c.state: where.states,
        alerts.c.severity: where.severities,
        exact_field("budget_id"): where.budget_ids,
        exact_field("rule_id"): where.rule_ids,
    }
    conditions: list[ColumnElement[bool]] = [column.in_(values) for column, values in wanted.items() if values]
    if where.source_ids:
        conditions.append(is_of_source(*where.source_ids))
    if where.since is not None:
        conditions.append(alerts.c.opened_at >= where.since)
    if where.workspaces:
        conditions.append(or_(*(_about_workspace(workspace) for workspace in where.workspaces)))
    return conditions


def _about_workspace(workspace: str) -> ColumnElement[bool]:
    naming = select(resources.c.id).where(
        resources.c.kind.in_(("budget", "rule")),
        resources.c.spec.contains({"scope": {"workspaces": [workspace]}}),
    )
    return or_(
        alerts.c.scope == ScopeKey(Dimension.WORKSPACE, workspace),
        or_(exact_field("budget_id").in_(naming), exact_field("rule_id").in_(naming)),
    )
