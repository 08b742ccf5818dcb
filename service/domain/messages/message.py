"""What an alert says to people, before any channel's own markup."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Reason
from service.domain.alerts.evidence import (
    BudgetEvidence,
    ForecastEvidence,
    RuleEvidence,
    StaleEvidence,
    UndeliveredEvidence,
)
from service.domain.messages.changes import change
from service.domain.messages.forecast import forecast_facts, heading
from service.domain.messages.phrases import BASES, largest, parts, period, threshold, used
from service.domain.messages.rule import rule_facts, rule_headline, rule_summary
from service.domain.messages.undelivered import describe_undelivered, undelivered_facts, undelivered_headline
from service.domain.notify.notification import Action, Message, MessageType
from service.domain.values.plain_text import NOTE_LENGTH, clean, minute
from service.domain.values.severity import Severity

Facts = tuple[tuple[str, str], ...]

HEADLINE_NAME_LENGTH = 40


def compose(event: AlertEvent, action: Action, public_url: str) -> Message:
    """The message that tells of one event. `public_url` is where people reach the API."""
    alert = event.alert
    link = f"{public_url.rstrip('/')}/v1/alerts/{alert.id}"
    simulated = isinstance(alert.evidence, BudgetEvidence | RuleEvidence) and alert.evidence.simulated
    facts = (*_facts(alert), ("Alert opened", minute(alert.opened_at)), ("State", standing_of(event)))
    return Message(
        alert_id=alert.id,
        state=alert.state,
        severity=alert.severity,
        headline=("SIMULATED: " if simulated else "") + _headline(alert),
        summary=describe(alert),
        change=change(event, action),
        facts=(*facts, ("Data", "simulated: nobody spent this money")) if simulated else facts,
        next_step=_next_step(alert, link),
        link=link,
        simulated=simulated,
        version=alert.version,
        kind=alert.kind,
        people=tuple({event.actor, alert.acknowledged_by or "", alert.resolved_by or ""} - {""}),
    )


def prefaced(message: Message, preface: str) -> Message:
    """The message with a sentence before what just happened; the same where there is nothing to say."""
    return replace(message, change=f"{preface} {message.change}") if preface else message


def sample(public_url: str, now: datetime) -> Message:
    """What a receiver's test sends."""
    return Message(
        alert_id=f"test_{int(now.timestamp() * 1000)}",
        type=MessageType.TEST,
        state=AlertState.FIRING,
        severity=Severity.INFO,
        headline="This is a test from Tocsin",
        summary="Somebody asked Tocsin to test this receiver.",
        change="If you can read this, alerts will reach you here. Nothing is wrong.",
        facts=(("Sent", minute(now)),),
        next_step="Nothing to do.",
        link=f"{public_url.rstrip('/')}/v1/receivers",
    )


def unlisted_words(message: Message) -> str:
    """What stands below the listed alerts: "and 12 more"; nothing where all are listed."""
    return f"and {message.unlisted} more" if message.unlisted else ""


def badge(message: Message) -> str:
    """State and severity in a word or two, for subjects and headings: "FIRING critical", "RESOLVED"."""
    if message.type in (MessageType.TEST, MessageType.DIGEST):
        return message.type.upper()
    if message.state is AlertState.FIRING:
        return f"FIRING {message.severity}"
    return message.state.upper()


def describe(alert: Alert) -> str:
    """The alert by now in a sentence or two: who, the dollars, and the largest parts; or which source is blind."""
    evidence = alert.newest
    if isinstance(evidence, StaleEvidence):
        return _describe_stale(evidence)
    if isinstance(evidence, UndeliveredEvidence):
        return describe_undelivered(evidence)
    if isinstance(evidence, RuleEvidence):
        return rule_summary(evidence)
    simulated = "Simulated data: " if evidence.simulated else ""
    who = clean(evidence.scope_name) or "the organisation"
    who = who if simulated else who[0].upper() + who[1:]
    if evidence.forecast and evidence.by_forecast:
        return f"{simulated}{_describe_forecast(evidence, evidence.forecast, who)}"
    sentence = (
        f"{who} has spent {evidence.spent.display()} "
        f"({BASES[evidence.basis]}) of the {evidence.amount.display()} budget "
        f"{clean(evidence.budget_name)} for {period(evidence)}{used(evidence)}"
    )
    return f"{simulated}{sentence}{largest(evidence.contributions)}."


def _describe_forecast(evidence: BudgetEvidence, forecast: ForecastEvidence, who: str) -> str:
    budget = f"the {evidence.amount.display()} budget {clean(evidence.budget_name)}"
    so_far = f"{evidence.spent.display()} spent so far ({BASES[evidence.basis]})"
    return f"{who} {heading(evidence, forecast, budget)}; {so_far}{largest(evidence.contributions)}."


def _describe_stale(evidence: StaleEvidence) -> str:
    name, since = clean(evidence.source_name), minute(evidence.failing_since)
    failures = "1 failure" if evidence.failures == 1 else f"{evidence.failures} failures in a row"
    return f"Source {name} could not be read since {since} ({failures}), so its budgets go by old figures."


def _headline(alert: Alert) -> str:
    evidence = alert.evidence
    if isinstance(evidence, UndeliveredEvidence):
        return undelivered_headline(evidence)
    if isinstance(evidence, StaleEvidence):
        since = minute(evidence.last_success_at or evidence.failing_since)
        return f"No data from source {clean(evidence.source_name, HEADLINE_NAME_LENGTH)} since {since}"
    if isinstance(evidence, RuleEvidence):
        return rule_headline(evidence)
    name = clean(evidence.budget_name, HEADLINE_NAME_LENGTH)
    who = clean(evidence.scope_name, HEADLINE_NAME_LENGTH)
    if evidence.forecast and evidence.by_forecast:
        return f"{name}{f' ({who})' if who else ''} {heading(evidence, evidence.forecast, evidence.amount.display())}"
    return (
        f"{name}{f' ({who})' if who else ''}: {evidence.spent.display()} of {evidence.amount.display()}{used(evidence)}"
    )


def _facts(alert: Alert) -> Facts:
    evidence = alert.evidence
    if isinstance(evidence, StaleEvidence):
        return _stale_facts(evidence)
    if isinstance(evidence, UndeliveredEvidence):
        return undelivered_facts(evidence)
    if isinstance(evidence, RuleEvidence):
        return rule_facts(evidence)
    zone = "" if evidence.timezone == "UTC" else f" ({clean(evidence.timezone)} time)"
    budget = clean(evidence.budget_name)
    return (
        *(forecast_facts(evidence) if evidence.by_forecast else ()),
        ("Spent", f"{evidence.spent.in_full()}{used(evidence)}, {BASES[evidence.basis]}"),
        *_unpriced(evidence),
        ("Budget", f"{budget}: {evidence.amount.display()} for {period(evidence)}{zone}"),
        ("For", clean(evidence.scope_name) or "the organisation"),
        ("Crossed", f"{threshold(evidence)}, by the forecast" if evidence.by_forecast else threshold(evidence)),
        *(() if evidence.by_forecast else forecast_facts(evidence)),
        *parts(evidence.contributions),
    )


def _unpriced(evidence: BudgetEvidence) -> Facts:
    if not evidence.unpriced_tokens:
        return ()
    return (("Not in it", f"{evidence.unpriced_tokens:,} tokens of models without a known price, not billed yet"),)


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


def standing_of(event: AlertEvent) -> str:
    """Severity, state, and who saw to it: "critical, acknowledged by ann"."""
    alert = event.alert
    if alert.state is AlertState.ACKNOWLEDGED and alert.acknowledged_by:
        return f"{alert.severity}, acknowledged by {clean(alert.acknowledged_by)}"
    if alert.state is AlertState.SNOOZED and alert.snoozed_until:
        return f"{alert.severity}, snoozed until {minute(alert.snoozed_until)}"
    if alert.state is not AlertState.RESOLVED:
        return f"{alert.severity}, {alert.state}"
    return f"resolved by {clean(event.actor)}" if event.reason is Reason.PERSON else "resolved"


def _next_step(alert: Alert, link: str) -> str:
    receivers = link.rpartition("/alerts/")[0] + "/receivers"
    if alert.state is AlertState.RESOLVED:
        return "Nothing to do."
    if alert.state is AlertState.ACKNOWLEDGED:
        return f"When it is dealt with: POST {link}/resolve"
    if isinstance(alert.evidence, UndeliveredEvidence):
        return f"Mend the receiver, then test it: POST {receivers}/{alert.evidence.receiver_id}/test"
    if isinstance(alert.evidence, StaleEvidence):
        return f"Check the source's key and network, and acknowledge: POST {link}/acknowledge"
    if isinstance(alert.evidence, RuleEvidence):
        return f'Expected? POST {link}/feedback {{"kind": "expected"}}; or acknowledge: POST {link}/acknowledge'
    return f"Raise the budget, or acknowledge: POST {link}/acknowledge"
