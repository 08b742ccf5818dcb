"""Models that are used without a known price: budgets and rules do not see what they cost until it is billed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from service.domain.alerts.alert import Alert, Reason
from service.domain.alerts.evidence import UnpricedEvidence
from service.domain.alerts.findings import Condition, Finding, over
from service.domain.sources.source import Source, SourceKind
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension, ScopeKey
from service.domain.values.severity import Severity

LEAST_TOKENS = 100_000
"""A few dollars at most: less is no news."""
FIRES_AGAIN = timedelta(days=7)
"""How long a person's resolve keeps a model quiet that goes on without a price."""


@dataclass(frozen=True, slots=True)
class UnpricedUsage:
    """The tokens of a model without a price, of UTC days whose bill is not settled; `last_day` is the newest."""

    model: str
    tokens: int
    last_day: date


def unpriced_fingerprint(source_id: str, model: str) -> str:
    return f"source:{source_id}:unpriced:{model}"


def is_kept_quiet(alert: Alert, now: datetime) -> bool:
    """Whether the newest alert of a model, which is over, keeps it quiet: a person resolved it not long ago."""
    return alert.resolved_by_a_person and now - alert.changed_at < FIRES_AGAIN


def assess_unpriced(
    source: Resource[Source] | None,
    found: Iterable[UnpricedUsage],
    *,
    is_quiet: Callable[[str], bool],
    open_alerts: Sequence[Alert],
) -> list[Finding]:
    """A finding for each model of which enough is used, and an end for every other alert that is open."""
    standing = {one.fingerprint: one for one in open_alerts if isinstance(one.evidence, UnpricedEvidence)}
    if source is None or not source.spec.enabled:
        reason = Reason.SOURCE_GONE if source is None else Reason.SOURCE_DISABLED
        return [over(alert, reason) for alert in standing.values()]
    findings = [_finding(source, one, standing) for one in found if one.tokens >= LEAST_TOKENS]
    present = {one.fingerprint for one in findings}
    ended = [over(alert, Reason.RECOVERED) for fingerprint, alert in standing.items() if fingerprint not in present]
    return [one for one in findings if one.fingerprint in standing or not is_quiet(one.fingerprint)] + ended


def _finding(source: Resource[Source], usage: UnpricedUsage, standing: Iterable[str]) -> Finding:
    fingerprint = unpriced_fingerprint(source.id, usage.model)
    return Finding(
        fingerprint=fingerprint,
        source_id=source.id,
        scope=ScopeKey(Dimension.MODEL, usage.model),
        severity=Severity.WARNING,
        condition=Condition.HOLDS if fingerprint in standing else Condition.FIRES,
        reason=Reason.NOTHING_NEW if fingerprint in standing else Reason.FIRST,
        evidence=UnpricedEvidence(
            source_name=source.name,
            model=usage.model,
            tokens=usage.tokens,
            last_day=usage.last_day,
            simulated=source.spec.kind is SourceKind.SIMULATOR,
        ),
    )
