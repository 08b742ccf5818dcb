"""What an alert says to people, before any channel's own markup."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from service.domain.alerts import (
    Alert,
    AlertEvent,
    AlertState,
    BudgetEvidence,
    Command,
    Contribution,
    Reason,
    Severity,
    StaleEvidence,
)
from service.domain.notifications import Action, Message
from service.domain.plain_text import NOTE_LENGTH, clean, minute, percentage
from service.domain.scopes import Dimension
from service.domain.spend import Basis

Facts = tuple[tuple[str, str], ...]

HEADLINE_NAME_LENGTH = 40
MOST_PARTS = 5
SAMPLE_PREFIX = "test_"

BASES = {
    Basis.BILLED: "billed",
    Basis.ESTIMATED: "estimated from usage, not billed yet",
    Basis.MIXED: "partly billed, partly estimated from usage",
}
NOUNS = {Dimension.WORKSPACE: "workspace", Dimension.MODEL: "model", Dimension.API_KEY: "API key"}
ENDINGS = {
    Reason.BUDGET_GONE: "Resolved: the budget was deleted or disabled.",
    Reason.BUDGET_EDITED: "Resolved: the budget was edited, and this alert no longer applies.",
    Reason.RECOVERED: "Resolved: the source is being read again.",
    Reason.SOURCE_GONE: "Resolved: the source was deleted or disabled.",
}


def compose(event: AlertEvent, action: Action, public_url: str) -> Message:
    """The message that tells of one event. `public_url` is where people reach the API."""
    alert = event.alert
    link = f"{public_url.rstrip('/')}/v1/alerts/{alert.id}"
    simulated = isinstance(alert.evidence, BudgetEvidence) and alert.evidence.simulated
    facts = (*_facts(alert), ("Alert opened", minute(alert.opened_at)), ("State", _state(event)))
    return Message(
        alert_id=alert.id,
        state=alert.state,
        severity=alert.severity,
        headline=("SIMULATED: " if simulated else "") + _headline(alert),
        summary=describe(alert),
        change=_change(event, action),
        facts=(*facts, ("Data", "simulated: nobody spent this money")) if simulated else facts,
        next_step=_next_step(alert, link),
        link=link,
        simulated=simulated,
    )


def sample(public_url: str, now: datetime) -> Message:
    """What a receiver's test sends."""
    return Message(
        alert_id=f"{SAMPLE_PREFIX}{int(now.timestamp() * 1000)}",
        state=AlertState.FIRING,
        severity=Severity.INFO,
        headline="This is a test from Tocsin",
        summary="Somebody asked Tocsin to test this receiver.",
        change="If you can read this, alerts will reach you here. Nothing is wrong.",
        facts=(("Sent", minute(now)),),
        next_step="Nothing to do.",
        link=f"{public_url.rstrip('/')}/v1/receivers",
    )


def badge(message: Message) -> str:
    """State and severity in a word or two, for subjects and headings: "FIRING critical", "RESOLVED"."""
    if message.alert_id.startswith(SAMPLE_PREFIX):
        return "TEST"
    if message.state is AlertState.FIRING:
        return f"FIRING {message.severity}"
    return message.state.upper()


def describe(alert: Alert) -> str:
    """The alert in one sentence: who, the dollars, and the largest parts; or which source is blind."""
    evidence = alert.evidence
    if isinstance(evidence, StaleEvidence):
        return _describe_stale(evidence)
    simulated = "Simulated data: " if evidence.simulated else ""
    who = clean(evidence.scope_name) or "the organisation"
    sentence = (
        f"{who if simulated else who[0].upper() + who[1:]} has spent {evidence.spent.display()} "
        f"({BASES[evidence.basis]}) of the {evidence.amount.display()} budget "
        f"{clean(evidence.budget_name)} for {_period(evidence)}{_used(evidence)}"
    )
    return f"{simulated}{sentence}{_largest(evidence.contributions)}."


def _describe_stale(evidence: StaleEvidence) -> str:
    name, since = clean(evidence.source_name), minute(evidence.failing_since)
    failures = "1 failure" if evidence.failures == 1 else f"{evidence.failures} failures in a row"
    return f"Source {name} could not be read since {since} ({failures}), so its budgets go by old figures."


def _period(evidence: BudgetEvidence) -> str:
    """ "October 2026", "the week of 12 October 2026", "the last 30 days"."""
    label = clean(evidence.period_label)
    return f"the {label}" if label.startswith(("week ", "last ")) else label


def _used(evidence: BudgetEvidence) -> str:
    return f", {percentage(evidence.percent)}" if evidence.amount else ""


def _largest(contributions: Sequence[Contribution]) -> str:
    """The largest part of each dimension; each divides the same spend in its own way."""
    firsts = {part.scope.dimension: part for part in reversed(contributions)}
    parts = [
        _part(firsts[dimension], "" if firsts[dimension].name.endswith(noun) else f"{noun} ")
        for dimension, noun in NOUNS.items()
        if dimension in firsts
    ]
    return f"; largest: {', '.join(parts)}" if parts else ""


def _parts(contributions: Sequence[Contribution]) -> Facts:
    """One line a dimension that divides this spend any further, largest first."""
    by_noun = {
        noun: [_part(part) for part in contributions if part.scope.dimension is dimension][:MOST_PARTS]
        for dimension, noun in NOUNS.items()
    }
    return tuple((f"Largest {noun}s", "\n".join(parts)) for noun, parts in by_noun.items() if parts)


def _part(part: Contribution, noun: str = "") -> str:
    return f"{noun}{clean(part.name) or clean(part.scope.id) or 'unnamed'} {part.amount.display()}"


def _standing(evidence: BudgetEvidence) -> str:
    """ "$9.80, 98 %"; no percentage of a budget of $0."""
    return f"{evidence.spent.display()}{_used(evidence)}"


def _headline(alert: Alert) -> str:
    evidence = alert.evidence
    if isinstance(evidence, StaleEvidence):
        since = minute(evidence.last_success_at or evidence.failing_since)
        return f"No data from source {clean(evidence.source_name, HEADLINE_NAME_LENGTH)} since {since}"
    name = clean(evidence.budget_name, HEADLINE_NAME_LENGTH)
    who = clean(evidence.scope_name, HEADLINE_NAME_LENGTH)
    return (
        f"{name}{f' ({who})' if who else ''}: "
        f"{evidence.spent.display()} of {evidence.amount.display()}{_used(evidence)}"
    )


def _facts(alert: Alert) -> Facts:
    evidence = alert.evidence
    if isinstance(evidence, StaleEvidence):
        return _stale_facts(evidence)
    zone = "" if evidence.timezone == "UTC" else f" ({clean(evidence.timezone)} time)"
    budget = clean(evidence.budget_name)
    return (
        ("Spent", f"{evidence.spent.display()}{_used(evidence)}, {BASES[evidence.basis]}"),
        ("Budget", f"{budget}: {evidence.amount.display()} for {_period(evidence)}{zone}"),
        ("For", clean(evidence.scope_name) or "the organisation"),
        ("Crossed", _threshold(evidence)),
        *_parts(evidence.contributions),
    )


def _stale_facts(evidence: StaleEvidence) -> Facts:
    last = evidence.last_success_at
    return (
        ("Source", clean(evidence.source_name)),
        ("Last read", minute(last) if last else "never"),
        ("Failing since", minute(evidence.failing_since)),
        ("Failures in a row", str(evidence.failures)),
        ("Last error", clean(evidence.error, NOTE_LENGTH) or "none recorded"),
        ("Meanwhile", "its budgets go by old figures"),
    )


def _threshold(evidence: BudgetEvidence) -> str:
    """ "80 % of the budget ($8.00)", or just "$8.00" where the threshold is an amount."""
    level = clean(evidence.threshold.rpartition(":")[2])
    dollars = evidence.level.display()
    return f"{level.removesuffix('%')} % of the budget ({dollars})" if level.endswith("%") else dollars


def _state(event: AlertEvent) -> str:
    alert = event.alert
    if alert.state is AlertState.ACKNOWLEDGED and alert.acknowledged_by:
        return f"{alert.severity}, acknowledged by {clean(alert.acknowledged_by)}"
    if alert.state is not AlertState.RESOLVED:
        return f"{alert.severity}, {alert.state}"
    return f"resolved by {clean(event.actor)}" if event.reason is Reason.PERSON else "resolved"


def _change(event: AlertEvent, action: Action) -> str:
    """What just happened, as a sentence, with the person's note where there is one."""
    sentence = _CHANGES[action](event)
    note = clean(event.note, NOTE_LENGTH)
    return f"{sentence} Note: {note}" if note and event.reason is Reason.PERSON else sentence


def _opened(event: AlertEvent) -> str:
    evidence = event.alert.evidence
    if isinstance(evidence, StaleEvidence):
        return "The source cannot be read any more."
    return f"Spend crossed {_threshold(evidence)}{_late(event, evidence)}."


def _raised(event: AlertEvent) -> str:
    evidence, severity = event.alert.evidence, event.alert.severity
    if isinstance(evidence, StaleEvidence):
        return f"Raised to {severity}: the source still cannot be read."
    return f"Raised to {severity}: spend crossed {_threshold(evidence)}{_late(event, evidence)}."


def _late(event: AlertEvent, evidence: BudgetEvidence) -> str:
    late = evidence.late or event.reason is Reason.LATE
    return f", late, for {_period(evidence)}" if late else ""


def _amended(event: AlertEvent) -> str:
    if event.command is Command.SNOOZE:
        return f"Snoozed by {clean(event.actor)}."
    if event.command is Command.WAKE:
        return "The snooze is over: firing again."
    evidence = event.alert.evidence
    if isinstance(evidence, StaleEvidence):
        return f"Still failing: {evidence.failures} failures in a row."
    verbs = {Reason.GREW: "Grown to", Reason.BUDGET_EDITED: "The budget was edited; spend is now"}
    return f"{verbs.get(event.reason, 'Restated to')} {_standing(evidence)}."


def _acknowledged(event: AlertEvent) -> str:
    return f"Acknowledged by {clean(event.actor)}."


def _resolved(event: AlertEvent) -> str:
    evidence = event.alert.evidence
    if event.reason is Reason.PERSON:
        return f"Resolved by {clean(event.actor)}."
    if event.reason is Reason.PERIOD_CLOSED and isinstance(evidence, BudgetEvidence):
        return f"Resolved: {_period(evidence)} is closed, at {_standing(evidence)}."
    if event.reason is Reason.RECOVERED and isinstance(evidence, BudgetEvidence):
        return f"Resolved: the spend of {_period(evidence)} is below the alert's level again."
    return ENDINGS.get(event.reason, "Resolved.")


_CHANGES = {
    Action.OPEN: _opened,
    Action.RAISE: _raised,
    Action.AMEND: _amended,
    Action.ACKNOWLEDGE: _acknowledged,
    Action.RESOLVE: _resolved,
}


def _next_step(alert: Alert, link: str) -> str:
    if alert.state is AlertState.RESOLVED:
        return "Nothing to do."
    if alert.state is AlertState.ACKNOWLEDGED:
        return f"When it is dealt with: POST {link}/resolve"
    if isinstance(alert.evidence, StaleEvidence):
        return f"Check the source's key and network, and acknowledge: POST {link}/acknowledge"
    return f"Raise the budget, or acknowledge: POST {link}/acknowledge"
