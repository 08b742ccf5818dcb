"""How a drill speaks: in each of its lines it says that it is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from service.domain.alerts.alert import Reason
from service.domain.alerts.drills import LONGEST_DRILL
from service.domain.alerts.evidence import DrillEvidence
from service.domain.messages.words import HEADLINE_NAME_LENGTH, Facts, Words
from service.domain.values.durations import format_duration
from service.domain.values.plain_text import clean


@dataclass(frozen=True, slots=True)
class DrillWords(Words):
    evidence: DrillEvidence
    remedy: ClassVar[str] = "acknowledge it, as in earnest"

    def headline(self) -> str:
        """ "DRILL, nothing is wrong: an alert about source acme has reached you"."""
        return f"{self.title()}: an alert about {self._name} has reached you"

    def title(self) -> str:
        return "DRILL, nothing is wrong"

    def summary(self) -> str:
        return "Somebody rehearses whether alerts arrive. No money was spent, and no budget or rule has fired."

    def facts(self) -> Facts:
        given = tuple((f"Label {name}", clean(value)) for name, value in self.evidence.given[:8])
        return (("Ends by itself after", format_duration(LONGEST_DRILL)), *given)

    def names(self) -> Facts:
        return (("Name of the source", self.evidence.source_name),)

    def standing(self, reason: Reason) -> str:
        return f"{self.title()}; the drill of {self._name} goes on"

    def amended(self, reason: Reason) -> str:
        return self.standing(reason)

    def ended(self, reason: Reason) -> str:
        return f"the DRILL of {self._name}; nothing was wrong" if reason is Reason.OVER else ""

    def next_step(self, api: str) -> str:
        return "Acknowledge it, if you are asked to rehearse that, too. There is nothing else to do."

    @property
    def _name(self) -> str:
        return f"source {clean(self.evidence.source_name, HEADLINE_NAME_LENGTH)}"
