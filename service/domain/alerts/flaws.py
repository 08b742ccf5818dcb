"""Flaws of a source's reports that last become alerts: nobody else would notice that something is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from service.domain.alerts.alert import Alert, Reason
from service.domain.alerts.evidence import IncompleteEvidence
from service.domain.alerts.findings import Condition, Finding, over
from service.domain.sources.source import Source, SourceKind
from service.domain.spend.flaws import Flaw, FlawKind
from service.domain.spend.lateness import READ_DEEPLY
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION
from service.domain.values.severity import Severity
from service.domain.values.utc import midnight

LASTS_FROM: Mapping[FlawKind, timedelta] = {
    FlawKind.EMPTY_BILL: timedelta(hours=3),
    FlawKind.EMPTY_USAGE: timedelta(hours=1),
    FlawKind.TOTAL_DIFFERS: timedelta(hours=1),
}
"""How long a flaw has to last before it fires: the API has bad minutes, and two reports are never of one instant."""
QUIET_FOR = timedelta(days=1)
"""How long a person's resolve keeps a flaw quiet that goes on."""


def flaw_fingerprint(source_id: str, kind: FlawKind) -> str:
    return f"source:{source_id}:incomplete:{kind.value}"


def is_flaw_kept_quiet(alert: Alert, now: datetime) -> bool:
    """Whether the newest alert of a flaw, which is over, keeps it quiet: a person resolved it not long ago."""
    return alert.resolved_by_a_person and now - alert.changed_at < QUIET_FOR


def assess_flaws(
    source: Resource[Source] | None,
    flaws: Iterable[Flaw],
    *,
    is_quiet: Callable[[str], bool],
    open_alerts: Sequence[Alert],
    now: datetime,
    read_at: Mapping[FlawKind, datetime],
) -> list[Finding]:
    """A finding for each kind of flaw that lasts, and an end for every other alert that is open.

    A flaw has lasted until its report was read last, at `read_at`, and had it again: where nobody has looked since, it
    may be over. Days that are not read any more are left out.
    """
    standing = {one.fingerprint: one for one in open_alerts if isinstance(one.evidence, IncompleteEvidence)}
    if source is None or not source.spec.enabled:
        reason = Reason.SOURCE_GONE if source is None else Reason.SOURCE_DISABLED
        return [over(alert, reason) for alert in standing.values()]
    by_kind: dict[FlawKind, list[Flaw]] = defaultdict(list)
    for flaw in sorted(flaws, key=lambda one: one.day):
        lasted = read_at.get(flaw.kind, flaw.since) - flaw.since
        if lasted >= LASTS_FROM[flaw.kind] and now - midnight(flaw.day) <= READ_DEEPLY:
            by_kind[flaw.kind].append(flaw)
    found = [_finding(source, of_kind, standing) for of_kind in by_kind.values()]
    present = {one.fingerprint for one in found}
    ended = [over(alert, Reason.RECOVERED) for fingerprint, alert in standing.items() if fingerprint not in present]
    return [one for one in found if one.fingerprint in standing or not is_quiet(one.fingerprint)] + ended


def _finding(source: Resource[Source], flaws: Sequence[Flaw], standing: Iterable[str]) -> Finding:
    kind = flaws[0].kind
    fingerprint = flaw_fingerprint(source.id, kind)
    return Finding(
        fingerprint=fingerprint,
        source_id=source.id,
        scope=ORGANISATION,
        severity=Severity.WARNING,
        condition=Condition.HOLDS if fingerprint in standing else Condition.FIRES,
        reason=Reason.NOTHING_NEW if fingerprint in standing else Reason.FIRST,
        evidence=IncompleteEvidence(
            source_name=source.name,
            flaw=kind,
            days=tuple(flaw.day for flaw in flaws),
            since=min(flaw.since for flaw in flaws),
            known=_total(flaw.known for flaw in flaws),
            total=_total(flaw.total for flaw in flaws),
            simulated=source.spec.kind is SourceKind.SIMULATOR,
        ),
    )


def _total(amounts: Iterable[Money | None]) -> Money | None:
    given = [amount for amount in amounts if amount is not None]
    return Money.total(given) if given else None
