"""Notifications in the outbox: those that are due, and those that are over and only kept."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason
from service.domain.alerts.evidence import BudgetEvidence, Contribution
from service.domain.notify.channels.webhook import PREFIX, Webhook
from service.domain.notify.notification import Action, Notification, NotificationState
from service.domain.notify.receivers import Receiver, channel_key
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.spend.best_known import Basis
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension, ScopeKey
from service.domain.values.severity import Severity
from service.workflows.ports.platform import Vault
from service.workflows.ports.unit_of_work import UowFactory

RECEIVER = "rcv_bench"
MODEL = "alrt_model"
A_DAY = 10
"""Finished notifications of each stored alert."""
_KEY = PREFIX + base64.b64encode(b"not a real key, only long").decode()
_MONTH = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))

_ALERTS = """
    INSERT INTO alerts SELECT copy.* FROM alerts AS model, generate_series(1, :count) AS number,
        jsonb_populate_record(model, jsonb_build_object(
            'id', :name || number, 'fingerprint', :name || number, 'state', CAST(:state AS text))) AS copy
    WHERE model.id = 'alrt_model'
"""
_EVENTS = """
    INSERT INTO alert_events SELECT copy.* FROM alert_events AS model, generate_series(1, :count) AS number,
        jsonb_populate_record(model, jsonb_build_object(
            'alert_id', :name || number, 'alert', model.alert || jsonb_build_object('id', :name || number))) AS copy
    WHERE model.alert_id = 'alrt_model'
"""
_NOTIFICATIONS = """
    INSERT INTO notifications
    SELECT copy.* FROM notifications AS model, generate_series(1, :count) AS number, generate_series(1, :levels) AS one,
        jsonb_populate_record(model, jsonb_build_object(
            'id', :name || 'n' || number || '_' || one, 'alert_id', :name || number, 'level', one::text,
            'state', CAST(:state AS text), 'due_at', CAST(:due_at AS timestamptz),
            'attempts', CAST(:attempts AS jsonb))) AS copy
    WHERE model.id = 'ntf_model'
"""
_SENT = '[{"at": "2026-11-16T00:00:00Z", "outcome": "sent", "detail": "open taken"}]'


async def furnish(uow: UowFactory, vault: Vault, url: str, now: datetime) -> Webhook:
    """One receiver with one webhook, and an alert that the others are copies of, notified already."""
    webhook = Webhook(f"{url}/hook", vault.seal(_KEY))
    async with uow() as unit:
        await unit.receivers.add(Resource(RECEIVER, "bench", 1, now, now, {}, Receiver((webhook,))))
        await unit.routes.add(Resource("rts_bench", "default", 1, now, now, {}, RouteTable((Route(RECEIVER),))))
        await unit.alerts.save(opening(MODEL, now))
        await unit.notifications.add(notification(MODEL, "ntf_model", webhook, now, NotificationState.SENT))
    return webhook


def opening(id: str, now: datetime) -> AlertEvent:
    evidence = BudgetEvidence(
        budget_id="bdg_1",
        budget_name="eng monthly",
        scope_name="workspace Research",
        amount=Money.of("10.00"),
        spent=Money.of("12.345678"),
        basis=Basis.BILLED,
        threshold="actual:100%",
        level=Money.of("10.00"),
        period=_MONTH,
        period_label="November 2026",
        timezone="UTC",
        contributions=(
            Contribution(ScopeKey(Dimension.MODEL, "claude-opus-4-5"), "claude-opus-4-5", Money.of("9.10")),
            Contribution(ScopeKey(Dimension.API_KEY, "apikey_1"), "ci-runner", Money.of("3.245678")),
        ),
    )
    scope = ScopeKey(Dimension.WORKSPACE, "wrkspc_1")
    alert = Alert(id, 1, id, "budget", "src_1", scope, Severity.CRITICAL, AlertState.FIRING, now, now, evidence)
    return AlertEvent(alert, now, Command.OPEN, "tocsin", Reason.FIRST)


def notification(
    alert_id: str, id: str, webhook: Webhook, now: datetime, state: NotificationState = NotificationState.QUEUED
) -> Notification:
    key = channel_key(webhook)
    return Notification(id, alert_id, 1, RECEIVER, key, Action.OPEN, Reason.FIRST, "1", state, now, now)


async def add_due(engine: AsyncEngine, name: str, count: int) -> None:
    """So many notifications of as many open alerts, all due."""
    await _copy(engine, name, count, levels=1, alert="firing", state="queued", attempts="[]")


async def add_finished(engine: AsyncEngine, name: str, count: int) -> None:
    await _copy(engine, name, count // A_DAY, levels=A_DAY, alert="resolved", state="sent", attempts=_SENT)


async def _copy(
    engine: AsyncEngine, name: str, count: int, *, levels: int, alert: str, state: str, attempts: str
) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(_ALERTS), {"name": name, "count": count, "state": alert})
        await connection.execute(text(_EVENTS), {"name": name, "count": count})
        due = {"state": state, "due_at": datetime(2026, 11, 16, tzinfo=UTC), "attempts": attempts}
        await connection.execute(text(_NOTIFICATIONS), {"name": name, "count": count, "levels": levels} | due)
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for table in ("alerts", "alert_events", "notifications"):
            await connection.execute(text(f"VACUUM ANALYZE {table}"))
