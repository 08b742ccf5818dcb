"""How often an alert rings again that nobody answers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from service.domain.alerts.alert import AlertKind
from service.domain.notify.routing.routes import Route
from service.domain.values.severity import Severity

DEFAULT_REPEAT = timedelta(hours=4)
REPEATED_BY_DEFAULT = (AlertKind.RULE, frozenset({Severity.ERROR, Severity.CRITICAL}))
"""What is going wrong right now. A budget has rung at its level, and spend only grows: it says nothing new."""


def repeats_after(route: Route, kind: str, severity: str) -> timedelta | None:
    """Of alerts of this kind and severity; None: never. Where the route says nothing, only what is loud is repeated.

    Escalation policies repeat by themselves.
    """
    if route.escalation_policy_id is not None:
        return None
    if route.repeat_interval is not None:
        return route.repeat_interval or None
    repeated, severities = REPEATED_BY_DEFAULT
    return DEFAULT_REPEAT if kind == repeated and severity in severities else None


def may_repeat(routes: Iterable[Route], kind: str, severity: str) -> bool:
    """Whether any of the routes, matching or not, repeats such an alert."""
    return any(repeats_after(route, kind, severity) is not None for route in routes)
