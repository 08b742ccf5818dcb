"""Rows of notifications, and of the alert events that they report, as domain values."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from service.adapters.postgres.notify.tables import notifications
from service.adapters.postgres.tables import alert_events
from service.domain.alerts.alert import AlertEvent
from service.domain.notify.notification import Notification

NOTIFICATION_COLUMNS = [column for column in notifications.c if column.name != "leased_until"]
_EVENT_FIELDS = ("alert", "at", "command", "actor", "reason", "note")
EVENT_COLUMNS = [alert_events.c[name].label(f"event_{name}") for name in _EVENT_FIELDS]
"""Named apart from a notification's columns, so that one query reads both."""


def notification_of(row: Row[*tuple[Any, ...]]) -> Notification:
    return Notification(**{column.name: row._mapping[column.name] for column in NOTIFICATION_COLUMNS})


def event_of(row: Row[*tuple[Any, ...]]) -> AlertEvent:
    return AlertEvent(**{name: row._mapping[f"event_{name}"] for name in _EVENT_FIELDS})
