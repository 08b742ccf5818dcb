"""How a budget's alert speaks: what is used or forecast of how much, until when, through whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from service.domain.alerts.alert import Reason
from service.domain.alerts.evidence import BudgetEvidence, Contribution
from service.domain.messages.console_pages import API_KEYS
from service.domain.messages.forecast import ahead, by_the_end, days_left, forecast_facts, pace, stays_under, used_up
from service.domain.messages.phrases import (
    BASES,
    member,
    named_days,
    parts,
    period,
    rolls,
    standing,
    threshold,
    were_billed,
)
from service.domain.messages.words import HEADLINE_NAME_LENGTH, Facts, Words
from service.domain.spend.best_known import Basis
from service.domain.values.money import Money
from service.domain.values.names import NOUNS
from service.domain.values.plain_text import clean, percentage, short_day
from service.domain.values.scopes import Dimension

VERBS = {Reason.GREW: "Grown to", Reason.BUDGET_EDITED: "The budget was edited; spend is now"}
MOST_NAMED = 2
LEAST_PERCENT = 1


@dataclass(frozen=True, slots=True)
class BudgetWords(Words):
    evidence: BudgetEvidence
    remedy: ClassVar[str] = "change the budget"
    page: ClassVar[str] = API_KEYS

    def headline(self) -> str:
        """ "Budget org monthly: 80% used ($9,612 of $12,000), 9 days left"."""
        evidence = self.evidence
        if evidence.late:
            level = clean(evidence.threshold.rpartition(":")[2]) if evidence.amount else ""
            level = level if level.endswith("%") else evidence.level.brief()
            when = were_billed(evidence.billed_days)
            return f"Late for {period(evidence)}: {self._whose} crossed {level} ({self._of}){when}"
        if evidence.forecast and evidence.by_forecast:
            return f"{self._budget} {ahead(evidence, evidence.forecast)}"
        left = days_left(evidence, self.at)
        return f"{self._budget}{self._standing}{f', {left} left' if left else ''}"

    def summary(self) -> str:
        """Where it is heading, or which bill came late, and through whom."""
        evidence = self.evidence
        if evidence.forecast and evidence.by_forecast:
            used_so_far = f"Used so far {evidence.spent.brief()} ({percentage(evidence.percent)})."
            rest = (used_up(evidence, evidence.forecast), stays_under(evidence, evidence.forecast, self.at))
            lines = [" ".join(filter(None, (used_so_far, *rest))), self._top]
        else:
            heading = pace(evidence, evidence.forecast) if evidence.forecast else ""
            lines = [_late_bill(evidence) if evidence.late else heading, self._top]
        return "\n".join(line for line in lines if line)

    def small_print(self) -> tuple[str, ...]:
        """The bill is what people take for granted; an estimate has to be said."""
        return () if self.evidence.basis is Basis.BILLED else (BASES[self.evidence.basis],)

    def facts(self) -> Facts:
        evidence, by_forecast = self.evidence, self.evidence.by_forecast
        zone = "" if evidence.timezone == "UTC" else f" ({clean(evidence.timezone)} time)"
        return (
            *forecast_facts(evidence),
            ("Spent", f"{evidence.spent.display()}, {BASES[evidence.basis]}"),
            *_unpriced(evidence),
            ("Budget", f"{evidence.amount.brief()} for {period(evidence)}{zone}"),
            ("Crossed", f"{threshold(evidence)}, by the forecast" if by_forecast else threshold(evidence)),
        )

    def parts(self) -> Facts:
        return parts(_worth_naming(self.evidence))

    def names(self) -> Facts:
        return (("Name of the budget", self.evidence.budget_name), ("Whose spend", self.evidence.scope_name))

    def standing(self, reason: Reason) -> str:
        return self.headline()

    def amended(self, reason: Reason) -> str:
        evidence = self.evidence
        if evidence.forecast and evidence.by_forecast:
            released = evidence.forecast.released
            lead = "The forecast fell below the threshold again: " if released else "The forecast is now "
            return f"{lead}{by_the_end(evidence, evidence.forecast)}"
        if reason is Reason.NOT_CONFIRMED:
            return f"The bill took a threshold back: {self._contradicted}"
        if reason is Reason.RESTATED and rolls(evidence):
            return f"{period(evidence).capitalize()}: now {standing(evidence)}"
        return f"{VERBS.get(reason, 'Restated to')} {standing(evidence)}"

    def ended(self, reason: Reason) -> str:
        evidence = self.evidence
        if reason is Reason.RECOVERED:
            return f"the spend of {self._whose} in {period(evidence)} is below the alert's level again"
        if reason is Reason.NOT_CONFIRMED:
            return self._contradicted
        if reason is Reason.PERIOD_CLOSED:
            return f"{self._whose} ended {period(evidence)} at {evidence.spent.brief()}, {_against(evidence)}"
        return ""

    def next_step(self, api: str) -> str:
        keys = [part for part in self.evidence.contributions if part.scope.dimension is Dimension.API_KEY]
        who = f"the largest spender, {member(keys[0], HEADLINE_NAME_LENGTH)}" if keys else "what need not go on"
        if self.evidence.late:
            return f"{period(self.evidence)} is over: see whether {who} still spends as much, then acknowledge."
        where = "," if self.evidence.simulated else f": {API_KEYS} –"
        return f"Find and stop {who}{where} then acknowledge, or raise the budget."

    def cause(self) -> str:
        evidence = self.evidence
        return f"{evidence.threshold} of {evidence.budget_name}: {evidence.spent.display()} were spent"

    @property
    def _whose(self) -> str:
        name, who = (
            clean(text, HEADLINE_NAME_LENGTH) for text in (self.evidence.budget_name, self.evidence.scope_name)
        )
        is_plain = self.evidence.of_everything or who in ("", "the organisation")
        return name if is_plain else f"{name} ({who})"

    @property
    def _contradicted(self) -> str:
        """ "org monthly is at $0.00 in November 2026, it was at $20.00 when this fired"."""
        evidence = self.evidence
        fired_on = f", it was at {evidence.fired_on.brief()} when this fired" if evidence.fired_on is not None else ""
        return f"{self._whose} is at {evidence.spent.brief()} in {period(evidence)}{fired_on}"

    @property
    def _budget(self) -> str:
        return f"Budget {self._whose}"

    @property
    def _of(self) -> str:
        return f"{self.evidence.spent.brief()} of {self.evidence.amount.brief()}"

    @property
    def _standing(self) -> str:
        if self.evidence.spent >= self.evidence.amount:
            return f" exceeded: {self._of}"
        return f": {percentage(self.evidence.percent)} used ({self._of})"

    @property
    def _top(self) -> str:
        """ "Top: workspace production $4,875 (51%), API key ci $900 (9%)."."""
        named = [_share(part, self.evidence.spent) for part in _largest(self.evidence)]
        return f"Top: {', '.join(named)}." if named else ""


def _late_bill(evidence: BudgetEvidence) -> str:
    """ "The bill for Sat 31 Oct came on Mon 2 Nov."."""
    if not evidence.billed_days or evidence.billed_on is None:
        return ""
    return f"The bill for {named_days(evidence.billed_days)} came on {short_day(evidence.billed_on)}."


def _against(evidence: BudgetEvidence) -> str:
    """ "$1,323 over", "within its $12,000"."""
    over = evidence.spent - evidence.amount
    return f"{over.brief()} over" if over > Money.of("0") else f"within its {evidence.amount.brief()}"


def _largest(evidence: BudgetEvidence) -> list[Contribution]:
    """The largest members of the first dimension that divides the spend."""
    for dimension in NOUNS:
        found = [part for part in _worth_naming(evidence) if part.scope.dimension is dimension]
        if found:
            return found[:MOST_NAMED]
    return []


def _worth_naming(evidence: BudgetEvidence) -> list[Contribution]:
    least = evidence.spent.usd * LEAST_PERCENT / 100
    return [part for part in evidence.contributions if part.amount.usd >= least]


def _share(part: Contribution, whole: Money) -> str:
    share = f" ({percentage(part.amount.ratio_to(whole) * 100)})" if whole else ""
    return f"{member(part, HEADLINE_NAME_LENGTH)} {part.amount.brief()}{share}"


def _unpriced(evidence: BudgetEvidence) -> Facts:
    if not evidence.unpriced_tokens:
        return ()
    return (("Not in it", f"{evidence.unpriced_tokens:,} tokens of models without a known price, not billed yet"),)
