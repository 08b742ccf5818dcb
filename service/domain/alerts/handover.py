"""Handing an alert on: from then on it belongs to another receiver than to the owner of what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from service.domain.alerts.alert import Alert, AlertEvent, Command, NewHolder, Reason, apply
from service.domain.values.errors import Conflict


def hand_on(alert: Alert, to: NewHolder, *, actor: str, note: str, now: datetime) -> AlertEvent:
    """A person's handover. Its state stays. Raises Conflict for a resolved alert, and where it is there already."""
    if alert.handed_to is not None and alert.handed_to.receiver_id == to.receiver_id:
        raise Conflict(f"the alert was handed on to {to.receiver_name!r} already")
    if not alert.is_open:
        raise Conflict("the alert is resolved already: there is nothing to hand on")
    event = apply(alert, Command.AMEND, actor=actor, reason=Reason.HANDED_ON, now=now, note=note)
    return replace(event, alert=replace(event.alert, handed_to=to))
