"""An alert as one message, before any channel's own markup. Its kind gives the words, this what all kinds share."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason
from service.domain.messages.kinds import words_of
from service.domain.notify.notification import Action, Message, MessageType
from service.domain.slack.requests import name_in
from service.domain.values.plain_text import NOTE_LENGTH, clean, minute
from service.domain.values.severity import Severity

ENDINGS = {
    Reason.BUDGET_GONE: "Resolved: the budget was deleted.",
    Reason.BUDGET_DISABLED: "Resolved: the budget was disabled.",
    Reason.BUDGET_EDITED: "Resolved: the budget was edited, and this alert no longer applies.",
    Reason.RULE_GONE: "Resolved: the rule was deleted.",
    Reason.RULE_DISABLED: "Resolved: the rule was disabled.",
    Reason.RULE_EDITED: "Resolved: the rule was edited, and this alert no longer applies.",
    Reason.SOURCE_GONE: "Resolved: the source was deleted.",
    Reason.SOURCE_DISABLED: "Resolved: the source was disabled.",
    Reason.INHIBITED: "Resolved: spend itself has crossed a threshold of this budget, and has its own alert.",
}
NOT_CONFIRMED = "Not confirmed by the bill"


def compose(event: AlertEvent, action: Action, public_url: str) -> Message:
    """The message of one event. `public_url` is where people reach the API."""
    alert, evidence = event.alert, event.alert.evidence
    words = words_of(evidence)
    link = f"{public_url.rstrip('/')}/v1/alerts/{alert.id}"
    facts = (*words.facts(), ("Alert opened", minute(alert.opened_at)), ("State", standing_of(event)))
    return Message(
        alert_id=alert.id,
        state=alert.state,
        severity=alert.severity,
        headline=("SIMULATED: " if evidence.simulated else "") + words.headline(),
        summary=describe(alert),
        change=change(event, action),
        facts=(*facts, ("Data", "simulated: nobody spent this money")) if evidence.simulated else facts,
        next_step=_next_step(alert, link),
        link=link,
        simulated=evidence.simulated,
        version=alert.version,
        kind=alert.kind,
        has_figure=evidence.figure is not None,
        takes_feedback=evidence.takes_feedback,
        people=tuple({event.actor, alert.acknowledged_by or "", alert.resolved_by or ""} - {""}),
    )


def prefaced(message: Message, preface: str) -> Message:
    """The message with a sentence before what just happened; the same where there is nothing to say."""
    return replace(message, change=f"{preface} {message.change}") if preface else message


def sample(public_url: str, now: datetime) -> Message:
    """The message that a receiver's test sends."""
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
    """The line below the listed alerts: "and 12 more"; empty where all are listed."""
    return f"and {message.unlisted} more" if message.unlisted else ""


def badge(message: Message) -> str:
    """State and severity in a word or two, for subjects and headings: "FIRING critical", "RESOLVED"."""
    if message.type in (MessageType.TEST, MessageType.DIGEST):
        return message.type.upper()
    if message.state is AlertState.FIRING:
        return f"FIRING {message.severity}"
    return message.state.upper()


def describe(alert: Alert) -> str:
    """The alert by now in a sentence or two: who, the dollars, and the largest parts; or which source is stale."""
    return words_of(alert.newest).summary()


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
    if alert.state is AlertState.RESOLVED:
        return "Nothing to do."
    if alert.state is AlertState.ACKNOWLEDGED:
        return f"When it is dealt with: POST {link}/resolve"
    return words_of(alert.evidence).next_step(link)


def change(event: AlertEvent, action: Action) -> str:
    """The sentence that says what just happened, with the person's note where there is one."""
    sentence = _CHANGES[action](event)
    note = "" if name_in(event.actor, event.note) else clean(event.note, NOTE_LENGTH)
    return f"{sentence} Note: {note}" if note and event.reason is Reason.PERSON else sentence


def _who(event: AlertEvent) -> str:
    """The actor; of a person in Slack the name, too, which people elsewhere know them by: "slack:U012AB3CD (ann)"."""
    actor, name = clean(event.actor), re.sub("[()]", "", name_in(event.actor, event.note))
    return f"{actor} ({clean(name)})" if name else actor


def _opened(event: AlertEvent) -> str:
    return words_of(event.alert.evidence).opening(event.reason)


def _raised(event: AlertEvent) -> str:
    alert = event.alert
    if event.command is Command.WAKE:
        return f"The snooze is over{_grown(event)}: firing again."
    # A channel that is notified again hears how things stand: the last move may have been one that notifies nobody.
    lead = f"Raised to {alert.severity}" if event.command is Command.RAISE else f"Still {alert.state}, {alert.severity}"
    return f"{lead}: {words_of(alert.evidence).standing(event.reason)}."


def _grown(event: AlertEvent) -> str:
    figure = event.alert.evidence.figure
    return f", grown to {figure.display()}" if event.reason is Reason.GREW and figure else ""


def _until(alert: Alert) -> str:
    """ " until 2026-10-14 09:31 UTC, or until it reaches $18.00"."""
    time = f"until {minute(alert.snoozed_until)}" if alert.snoozed_until else ""
    growth = f"until it reaches {alert.snoozed_above.display()}" if alert.snoozed_above else ""
    said = ", or ".join(filter(None, (time, growth)))
    return f" {said}" if said else ""


def _amended(event: AlertEvent) -> str:
    return words_of(event.alert.evidence).amended(event.reason)


def _acknowledged(event: AlertEvent) -> str:
    return f"Acknowledged by {_who(event)}."


def _snoozed(event: AlertEvent) -> str:
    return f"Snoozed by {_who(event)}{_until(event.alert)}."


def _resolved(event: AlertEvent) -> str:
    if event.reason is Reason.PERSON:
        return f"Resolved by {_who(event)}."
    own = words_of(event.alert.evidence).ended(event.reason)
    if event.reason is Reason.NOT_CONFIRMED:
        return f"{NOT_CONFIRMED}{f': {own}' if own else ''}. Closed."
    return f"Resolved: {own}." if own else ENDINGS.get(event.reason, "Resolved.")


_CHANGES = {
    Action.OPEN: _opened,
    Action.RAISE: _raised,
    Action.AMEND: _amended,
    Action.ACKNOWLEDGE: _acknowledged,
    Action.SNOOZE: _snoozed,
    Action.RESOLVE: _resolved,
}
