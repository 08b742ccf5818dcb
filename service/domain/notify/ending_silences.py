"""A silence that ends soon, while alerts behind it still fire, is an alert: once for each end that it is given."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from service.domain.alerts.alert import Alert, AlertState, Reason
from service.domain.alerts.evidence import SilenceEndsEvidence
from service.domain.alerts.findings import Condition, Finding, over
from service.domain.notify.routing.silences import Silence, SilenceState, silencing
from service.domain.notify.routing.situation import Situation
from service.domain.notify.undelivered import NO_SOURCE
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION
from service.domain.values.severity import Severity

BEFORE_ITS_END = timedelta(hours=1)
MOST_NAMED = 5
"""Alerts behind a silence that are named; the others are counted."""


def ends_soon(silence: Silence, now: datetime) -> bool:
    """Whether its last hour has begun, of a silence shorter than two hours its second half."""
    notice = min(BEFORE_ITS_END, (silence.ends_at - silence.starts_at) / 2)
    return silence.state(now) is SilenceState.ACTIVE and silence.ends_at - now <= notice


def fingerprint(silence: Resource[Silence]) -> str:
    """A silence that is extended is known by another one."""
    return f"silence_ends:{silence.id}:{silence.spec.ends_at.isoformat()}"


def firing_behind(silence: Resource[Silence], situation: Situation) -> list[Alert]:
    """The alerts of one source that call for somebody, and that no silence holds back for longer than this one."""
    firing = (one for one in situation.open_alerts if one.state is AlertState.FIRING and not one.newest.is_calm)
    return [
        alert
        for alert in firing
        if not isinstance(alert.evidence, SilenceEndsEvidence) and silence.id == _last_to_end(alert, situation)
    ]


def assess_silences(
    ending: Iterable[Resource[Silence]],
    behind: Mapping[str, Sequence[str]],
    *,
    open_alerts: Iterable[Alert],
    fired: Collection[str],
) -> list[Finding]:
    """One finding for each silence that ends soon and was not yet an alert, and an end for those that are over.

    `behind` has the headlines of what fires behind each silence, by its id, `fired` the fingerprints of all alerts.
    """
    by_fingerprint = {fingerprint(one): one for one in ending}
    found = [
        _finding(silence, behind[silence.id])
        for key, silence in by_fingerprint.items()
        if key not in fired and behind.get(silence.id)
    ]
    standing = (one for one in open_alerts if isinstance(one.evidence, SilenceEndsEvidence))
    return found + [over(alert, Reason.RECOVERED) for alert in standing if alert.fingerprint not in by_fingerprint]


def _last_to_end(alert: Alert, situation: Situation) -> str | None:
    """The id of the silence that holds an alert back for longest."""
    silences = silencing(situation.configuration.silences.values(), situation.labels(alert), situation.now)
    return max(silences, key=lambda one: (one.spec.ends_at, one.id)).id if silences else None


def _finding(silence: Resource[Silence], headlines: Sequence[str]) -> Finding:
    return Finding(
        fingerprint=fingerprint(silence),
        source_id=NO_SOURCE,
        scope=ORGANISATION,
        severity=Severity.INFO,
        condition=Condition.FIRES,
        reason=Reason.FIRST,
        evidence=SilenceEndsEvidence(
            silence_id=silence.id,
            silence_name=silence.name,
            author=silence.spec.author,
            author_name=silence.spec.author_name,
            ends_at=silence.spec.ends_at,
            behind=tuple(headlines[:MOST_NAMED]),
            count=len(headlines),
        ),
    )
