"""How a budget's alert speaks: what is spent or forecast, of how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from service.domain.alerts.alert import Reason
from service.domain.alerts.evidence import BudgetEvidence, ForecastEvidence
from service.domain.messages.forecast import forecast_facts, heading, standing_ahead
from service.domain.messages.phrases import BASES, largest, parts, period, rolls, standing, threshold, used
from service.domain.messages.words import HEADLINE_NAME_LENGTH, Facts, Words
from service.domain.values.plain_text import clean

VERBS = {Reason.GREW: "Grown to", Reason.BUDGET_EDITED: "The budget was edited; spend is now"}


@dataclass(frozen=True, slots=True)
class BudgetWords(Words):
    evidence: BudgetEvidence
    remedy: ClassVar[str] = "change the budget"

    def headline(self) -> str:
        evidence = self.evidence
        who = clean(evidence.scope_name, HEADLINE_NAME_LENGTH)
        whose = f"{clean(evidence.budget_name, HEADLINE_NAME_LENGTH)}{f' ({who})' if who else ''}"
        if evidence.forecast and evidence.by_forecast:
            return f"{whose} {heading(evidence, evidence.forecast, evidence.amount.display())}"
        return f"{whose}: {evidence.spent.display()} of {evidence.amount.display()}{used(evidence)}"

    def summary(self) -> str:
        evidence = self.evidence
        simulated = "Simulated data: " if evidence.simulated else ""
        who = clean(evidence.scope_name) or "the organisation"
        who = who if simulated else who[0].upper() + who[1:]
        if evidence.forecast and evidence.by_forecast:
            return f"{simulated}{_summary_ahead(evidence, evidence.forecast, who)}"
        sentence = (
            f"{who} has spent {evidence.spent.display()} "
            f"({BASES[evidence.basis]}) of the {evidence.amount.display()} budget "
            f"{clean(evidence.budget_name)} for {period(evidence)}{used(evidence)}"
        )
        return f"{simulated}{sentence}{largest(evidence.contributions)}."

    def facts(self) -> Facts:
        evidence, ahead = self.evidence, self.evidence.by_forecast
        zone = "" if evidence.timezone == "UTC" else f" ({clean(evidence.timezone)} time)"
        budget = clean(evidence.budget_name)
        return (
            *(forecast_facts(evidence) if ahead else ()),
            ("Spent", f"{evidence.spent.in_full()}{used(evidence)}, {BASES[evidence.basis]}"),
            *_unpriced(evidence),
            ("Budget", f"{budget}: {evidence.amount.display()} for {period(evidence)}{zone}"),
            ("For", clean(evidence.scope_name) or "the organisation"),
            ("Crossed", f"{threshold(evidence)}, by the forecast" if ahead else threshold(evidence)),
            *(() if ahead else forecast_facts(evidence)),
            *parts(evidence.contributions),
        )

    def opening(self, reason: Reason) -> str:
        crossed = self.standing(reason)
        return f"{crossed[0].upper()}{crossed[1:]}."

    def standing(self, reason: Reason) -> str:
        who = "the forecast" if self.evidence.by_forecast else "spend"
        late = self.evidence.late or reason is Reason.LATE
        return f"{who} crossed {threshold(self.evidence)}{f', late, for {period(self.evidence)}' if late else ''}"

    def amended(self, reason: Reason) -> str:
        evidence = self.evidence
        if evidence.forecast and evidence.by_forecast:
            released = evidence.forecast.released
            lead = "The forecast fell below the threshold again: " if released else "The forecast is now "
            return f"{lead}{standing_ahead(evidence, evidence.forecast)}."
        if reason is Reason.NOT_CONFIRMED:
            return f"The bill took a threshold back: {_contradicted(evidence)}."
        if reason is Reason.RESTATED and rolls(evidence):
            return f"{period(evidence).capitalize()}: now {standing(evidence)}."
        return f"{VERBS.get(reason, 'Restated to')} {standing(evidence)}."

    def ended(self, reason: Reason) -> str:
        evidence = self.evidence
        if reason is Reason.RECOVERED:
            return f"the spend of {period(evidence)} is below the alert's level again"
        if reason is Reason.NOT_CONFIRMED:
            return _contradicted(evidence)
        if reason is Reason.PERIOD_CLOSED:
            return f"{period(evidence)} is closed{'' if evidence.by_forecast else f', at {standing(evidence)}'}"
        return ""

    def next_step(self, link: str) -> str:
        return f"Raise the budget, or acknowledge: POST {link}/acknowledge"

    def cause(self) -> str:
        evidence = self.evidence
        return f"{evidence.threshold} of {evidence.budget_name}: {evidence.spent.display()} were spent"


def _contradicted(evidence: BudgetEvidence) -> str:
    """ "November 2026 is at $0.00, it was at $20.00 when this fired"."""
    fired_on = f", it was at {evidence.fired_on.display()} when this fired" if evidence.fired_on is not None else ""
    return f"{period(evidence)} is at {evidence.spent.display()}{fired_on}"


def _summary_ahead(evidence: BudgetEvidence, forecast: ForecastEvidence, who: str) -> str:
    budget = f"the {evidence.amount.display()} budget {clean(evidence.budget_name)}"
    so_far = f"{evidence.spent.display()} spent so far ({BASES[evidence.basis]})"
    return f"{who} {heading(evidence, forecast, budget)}; {so_far}{largest(evidence.contributions)}."


def _unpriced(evidence: BudgetEvidence) -> Facts:
    if not evidence.unpriced_tokens:
        return ()
    return (("Not in it", f"{evidence.unpriced_tokens:,} tokens of models without a known price, not billed yet"),)
