"""An alert as one line of a list."""

from __future__ import annotations

from collections.abc import Mapping

from service.domain.alerts.alert import Alert, AlertState
from service.domain.messages.message import describe
from service.domain.notify.page_links import ALERT_PAGES
from service.domain.values.plain_text import moment


def alert_line(alert: Alert, sources: Mapping[str, str]) -> Mapping[str, str]:
    return {
        "address": f"{ALERT_PAGES}/{alert.id}",
        "tone": str(alert.severity) if alert.state is AlertState.FIRING else "calm",
        "badge": f"{alert.state.upper()} {alert.severity}",
        "summary": describe(alert),
        "source": sources.get(alert.source_id, alert.source_id),
        "opened": moment(alert.opened_at),
    }
