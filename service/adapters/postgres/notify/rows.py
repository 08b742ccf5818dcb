"""Rows of notifications as domain values and back.

The previous release runs beside this one. It has no column for the cause, and knows causes that are no step of an
escalation policy by negative numbers in `step`, which is part of the table's unique key.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from service.adapters.postgres.alerts.reasons import exact_reason, reason_columns
from service.adapters.postgres.codec import shallow
from service.adapters.postgres.notify.tables import notifications
from service.domain.notify.notification import Notification, NotificationCause

NOTIFICATION_COLUMNS = [column for column in notifications.c if column.name != "leased_until"]
STEPS = {NotificationCause.HELD_BACK: -1, NotificationCause.REPEAT: -2, NotificationCause.SUMMARY: -3}
"""The numbers in the column `step` of what is no step of a policy."""
_CAUSES = {step: cause for cause, step in STEPS.items()}


def notification_of(row: Row[*tuple[Any, ...]]) -> Notification:
    stored = {column.name: row._mapping[column.name] for column in NOTIFICATION_COLUMNS}
    cause = stored["cause"] or cause_before(stored["step"], stored["round"])
    reason = exact_reason(stored["reason"], stored.pop("exact_reason"))
    read = {"cause": cause, "reason": reason, "step": max(stored["step"], 0), "left_to": stored["left_to"] or ()}
    return Notification(**stored | read)


def values_of(notification: Notification) -> dict[str, Any]:
    """The row of a notification; its step is the number that the previous release reads."""
    step = STEPS.get(notification.cause, notification.step)
    read_before = {"step": step, "left_to": notification.left_to or None}
    return shallow(notification) | read_before | reason_columns(notification.reason)


def cause_before(step: int, round: int) -> NotificationCause:
    """The cause of a row that the previous release wrote."""
    escalated = NotificationCause.ESCALATION if step > 0 or round > 0 else NotificationCause.EVENT
    return _CAUSES.get(step, escalated)
