"""How the alert about reports that succeed and lack something speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from service.domain.alerts.alert import Reason
from service.domain.alerts.evidence import IncompleteEvidence
from service.domain.messages.phrases import named_days
from service.domain.messages.words import HEADLINE_NAME_LENGTH, Facts, Words
from service.domain.spend.flaws import FlawKind
from service.domain.values.plain_text import clean, moment


@dataclass(frozen=True, slots=True)
class IncompleteWords(Words):
    evidence: IncompleteEvidence
    remedy: ClassVar[str] = "see what the Console's cost page shows for those days"

    def headline(self) -> str:
        """ "No bill from source acme for Sat 28 Nov: it came back empty, which is not believed"."""
        days = named_days(self.evidence.days)
        match self.evidence.flaw:
            case FlawKind.EMPTY_BILL:
                return f"No bill from source {self._name} for {days}: it came back empty, which is not believed"
            case FlawKind.EMPTY_USAGE:
                return f"No usage from source {self._name} for {days}: it came back empty, which is not believed"
            case FlawKind.TOTAL_DIFFERS:
                return f"The bill from source {self._name} for {days} is not the sum of its groups"

    def title(self) -> str:
        return self.headline()

    def summary(self) -> str:
        match self.evidence.flaw:
            case FlawKind.EMPTY_BILL:
                stands = "What was known before stands: the earlier bill, or the estimate from usage."
                return f"{stands} The day does not settle at $0.00."
            case FlawKind.EMPTY_USAGE:
                return "What was known before stands. Without usage, rules by the hour and keys' spend are blind."
            case FlawKind.TOTAL_DIFFERS:
                return f"{self._amounts} Budgets and rules use the sum of the groups."

    def facts(self) -> Facts:
        return (
            ("Days", ", ".join(f"{day:%Y-%m-%d}" for day in self.evidence.days)),
            ("At every poll since", moment(self.evidence.since)),
        )

    def names(self) -> Facts:
        return (("Name of the source", self.evidence.source_name),)

    def standing(self, reason: Reason) -> str:
        return self.headline()

    def amended(self, reason: Reason) -> str:
        return self.headline()

    def ended(self, reason: Reason) -> str:
        return f"source {self._name} is read whole again" if reason is Reason.RECOVERED else ""

    def next_step(self, link: str) -> str:
        return (
            "Compare those days with the cost page of the Claude Console. Where it shows spend, ask Anthropic why the"
            " Admin API does not; where it shows none, wait: it is believed after three days if nothing was used."
            if self.evidence.flaw is not FlawKind.TOTAL_DIFFERS
            else "Compare those days with the cost page of the Claude Console, and report the difference."
        )

    @property
    def _amounts(self) -> str:
        if self.evidence.known is None or self.evidence.total is None:
            return ""
        return f"The groups add up to {self.evidence.known.brief()}, the total says {self.evidence.total.brief()}."

    @property
    def _name(self) -> str:
        return clean(self.evidence.source_name, HEADLINE_NAME_LENGTH)
