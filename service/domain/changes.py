"""What just happened to an alert, as a sentence."""

from __future__ import annotations

from service.domain.alerts import AlertEvent, BudgetEvidence, Command, Reason, RuleEvidence, StaleEvidence
from service.domain.forecast_phrases import standing_ahead
from service.domain.notifications import Action
from service.domain.phrases import period, standing, threshold
from service.domain.plain_text import NOTE_LENGTH, clean
from service.domain.rule_phrases import opening, over_words, rule_standing, size

ENDINGS = {
    Reason.BUDGET_GONE: "Resolved: the budget was deleted or disabled.",
    Reason.BUDGET_EDITED: "Resolved: the budget was edited, and this alert no longer applies.",
    Reason.RULE_GONE: "Resolved: the rule was deleted or disabled.",
    Reason.RULE_EDITED: "Resolved: the rule was edited, and this alert no longer applies.",
    Reason.RECOVERED: "Resolved: the source is being read again.",
    Reason.SOURCE_GONE: "Resolved: the source was deleted or disabled.",
    Reason.INHIBITED: "Resolved: spend itself has crossed a threshold of this budget, and has its own alert.",
}

VERBS = {Reason.GREW: "Grown to", Reason.BUDGET_EDITED: "The budget was edited; spend is now"}


def change(event: AlertEvent, action: Action) -> str:
    """What just happened, as a sentence, with the person's note where there is one."""
    sentence = _CHANGES[action](event)
    note = clean(event.note, NOTE_LENGTH)
    return f"{sentence} Note: {note}" if note and event.reason is Reason.PERSON else sentence


def _opened(event: AlertEvent) -> str:
    evidence = event.alert.evidence
    if isinstance(evidence, StaleEvidence):
        return "The source cannot be read any more."
    if isinstance(evidence, RuleEvidence):
        return f"{opening(evidence)}: {rule_standing(evidence)}."
    return f"{_who_crossed(evidence).capitalize()} crossed {threshold(evidence)}{_late(event, evidence)}."


def _raised(event: AlertEvent) -> str:
    evidence, severity = event.alert.evidence, event.alert.severity
    if isinstance(evidence, StaleEvidence):
        return f"Raised to {severity}: the source still cannot be read."
    if isinstance(evidence, RuleEvidence):
        return f"Raised to {severity}: {rule_standing(evidence)}."
    return f"Raised to {severity}: {_who_crossed(evidence)} crossed {threshold(evidence)}{_late(event, evidence)}."


def _who_crossed(evidence: BudgetEvidence) -> str:
    return "the forecast" if evidence.by_forecast else "spend"


def _late(event: AlertEvent, evidence: BudgetEvidence) -> str:
    late = evidence.late or event.reason is Reason.LATE
    return f", late, for {period(evidence)}" if late else ""


def _amended(event: AlertEvent) -> str:
    if event.command is Command.SNOOZE:
        return f"Snoozed by {clean(event.actor)}."
    if event.command is Command.WAKE:
        return "The snooze is over: firing again."
    evidence = event.alert.evidence
    if isinstance(evidence, StaleEvidence):
        return f"Still failing: {evidence.failures} failures in a row."
    if isinstance(evidence, BudgetEvidence) and evidence.forecast and evidence.by_forecast:
        fell = "The forecast fell below the threshold again: " if evidence.forecast.released else "The forecast is now "
        return f"{fell}{standing_ahead(evidence, evidence.forecast)}."
    now = size(evidence) if isinstance(evidence, RuleEvidence) else standing(evidence)
    return f"{VERBS.get(event.reason, 'Restated to')} {now}."


def _acknowledged(event: AlertEvent) -> str:
    return f"Acknowledged by {clean(event.actor)}."


def _resolved(event: AlertEvent) -> str:
    evidence = event.alert.evidence
    if event.reason is Reason.PERSON:
        return f"Resolved by {clean(event.actor)}."
    if event.reason is Reason.PERIOD_CLOSED and isinstance(evidence, BudgetEvidence) and evidence.by_forecast:
        return f"Resolved: {period(evidence)} is closed."
    if event.reason is Reason.PERIOD_CLOSED and isinstance(evidence, BudgetEvidence):
        return f"Resolved: {period(evidence)} is closed, at {standing(evidence)}."
    if event.reason is Reason.RECOVERED and isinstance(evidence, RuleEvidence):
        return f"Resolved: {over_words(evidence)}."
    if event.reason is Reason.RECOVERED and isinstance(evidence, BudgetEvidence):
        return f"Resolved: the spend of {period(evidence)} is below the alert's level again."
    return ENDINGS.get(event.reason, "Resolved.")


_CHANGES = {
    Action.OPEN: _opened,
    Action.RAISE: _raised,
    Action.AMEND: _amended,
    Action.ACKNOWLEDGE: _acknowledged,
    Action.RESOLVE: _resolved,
}
