"""What just happened to an alert, as a sentence."""

from __future__ import annotations

import re

from service.domain.alerts.alert import Alert, AlertEvent, Command, Reason
from service.domain.alerts.evidence import BudgetEvidence, Evidence, RuleEvidence, StaleEvidence, UndeliveredEvidence
from service.domain.alerts.snooze import figure_of
from service.domain.messages.forecast import standing_ahead
from service.domain.messages.phrases import messages, period, rolls, standing, threshold
from service.domain.messages.rule import opening, over_words, rule_standing, size
from service.domain.notify.notification import Action
from service.domain.slack.requests import name_in
from service.domain.values.plain_text import NOTE_LENGTH, clean, minute

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

VERBS = {Reason.GREW: "Grown to", Reason.BUDGET_EDITED: "The budget was edited; spend is now"}


def change(event: AlertEvent, action: Action) -> str:
    """What just happened, as a sentence, with the person's note where there is one."""
    sentence = _CHANGES[action](event)
    note = "" if name_in(event.actor, event.note) else clean(event.note, NOTE_LENGTH)
    return f"{sentence} Note: {note}" if note and event.reason is Reason.PERSON else sentence


def _who(event: AlertEvent) -> str:
    """The actor; of a person in Slack the name, too, which people elsewhere know them by: "slack:U012AB3CD (ann)"."""
    actor, name = clean(event.actor), re.sub("[()]", "", name_in(event.actor, event.note))
    return f"{actor} ({clean(name)})" if name else actor


def _opened(event: AlertEvent) -> str:
    evidence = event.alert.evidence
    if isinstance(evidence, StaleEvidence):
        return "The source cannot be read any more."
    if isinstance(evidence, UndeliveredEvidence):
        return "Messages to this channel do not arrive."
    if isinstance(evidence, RuleEvidence):
        return f"{opening(evidence)}: {rule_standing(evidence)}."
    return f"{_who_crossed(evidence).capitalize()} crossed {threshold(evidence)}{_late(event, evidence)}."


def _raised(event: AlertEvent) -> str:
    evidence, severity = event.alert.evidence, event.alert.severity
    if event.command is Command.WAKE:
        return f"The snooze is over{_grown(event)}: firing again."
    # Ringing again, a channel is told how things stand: the last move may have been none that rings.
    lead = f"Raised to {severity}" if event.command is Command.RAISE else f"Still {event.alert.state}, {severity}"
    if isinstance(evidence, UndeliveredEvidence):
        return f"{lead}: the channel still takes no messages."
    if isinstance(evidence, StaleEvidence):
        return f"{lead}: the source still cannot be read."
    if isinstance(evidence, RuleEvidence):
        return f"{lead}: {rule_standing(evidence)}."
    return f"{lead}: {_who_crossed(evidence)} crossed {threshold(evidence)}{_late(event, evidence)}."


def _grown(event: AlertEvent) -> str:
    figure = figure_of(event.alert.evidence)
    return f", grown to {figure.display()}" if event.reason is Reason.GREW and figure else ""


def _until(alert: Alert) -> str:
    """ " until 2026-10-14 09:31 UTC, or until it reaches $18.00"."""
    time = f"until {minute(alert.snoozed_until)}" if alert.snoozed_until else ""
    growth = f"until it reaches {alert.snoozed_above.display()}" if alert.snoozed_above else ""
    said = ", or ".join(filter(None, (time, growth)))
    return f" {said}" if said else ""


def _who_crossed(evidence: BudgetEvidence) -> str:
    return "the forecast" if evidence.by_forecast else "spend"


def _late(event: AlertEvent, evidence: BudgetEvidence) -> str:
    late = evidence.late or event.reason is Reason.LATE
    return f", late, for {period(evidence)}" if late else ""


def _amended(event: AlertEvent) -> str:
    evidence = event.alert.evidence
    if isinstance(evidence, UndeliveredEvidence):
        return f"Still undelivered: {messages(evidence.count)}."
    if isinstance(evidence, StaleEvidence):
        return f"Still failing: {evidence.failures} failures in a row."
    if isinstance(evidence, BudgetEvidence) and evidence.forecast and evidence.by_forecast:
        fell = "The forecast fell below the threshold again: " if evidence.forecast.released else "The forecast is now "
        return f"{fell}{standing_ahead(evidence, evidence.forecast)}."
    if isinstance(evidence, RuleEvidence):  # it may be seen by the day now, and by the hour before
        return f"{'Grown to' if event.reason is Reason.GREW else 'Now'} {size(evidence)}."
    if event.reason is Reason.RESTATED and rolls(evidence):
        return f"{period(evidence).capitalize()}: now {standing(evidence)}."
    return f"{VERBS.get(event.reason, 'Restated to')} {standing(evidence)}."


def _acknowledged(event: AlertEvent) -> str:
    return f"Acknowledged by {_who(event)}."


def _snoozed(event: AlertEvent) -> str:
    return f"Snoozed by {_who(event)}{_until(event.alert)}."


def _resolved(event: AlertEvent) -> str:
    evidence = event.alert.evidence
    if event.reason is Reason.PERSON:
        return f"Resolved by {_who(event)}."
    if event.reason is Reason.PERIOD_CLOSED and isinstance(evidence, BudgetEvidence) and evidence.by_forecast:
        return f"Resolved: {period(evidence)} is closed."
    if event.reason is Reason.PERIOD_CLOSED and isinstance(evidence, BudgetEvidence):
        return f"Resolved: {period(evidence)} is closed, at {standing(evidence)}."
    if event.reason is Reason.RECOVERED:
        return f"Resolved: {_recovered(evidence)}."
    return ENDINGS.get(event.reason, "Resolved.")


def _recovered(evidence: Evidence) -> str:
    match evidence:
        case RuleEvidence():
            return over_words(evidence)
        case BudgetEvidence():
            return f"the spend of {period(evidence)} is below the alert's level again"
        case StaleEvidence():
            return "the source is being read again"
        case UndeliveredEvidence():
            return "no message waits for this channel any more"


_CHANGES = {
    Action.OPEN: _opened,
    Action.RAISE: _raised,
    Action.AMEND: _amended,
    Action.ACKNOWLEDGE: _acknowledged,
    Action.SNOOZE: _snoozed,
    Action.RESOLVE: _resolved,
}
