"""How a stale source's alert speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from service.domain.alerts.alert import Reason
from service.domain.alerts.evidence import StaleEvidence
from service.domain.messages.words import HEADLINE_NAME_LENGTH, Facts, Words
from service.domain.values.plain_text import NOTE_LENGTH, clean, minute


@dataclass(frozen=True, slots=True)
class StaleWords(Words):
    evidence: StaleEvidence
    remedy: ClassVar[str] = "see to the source"

    def headline(self) -> str:
        since = minute(self.evidence.last_success_at or self.evidence.failing_since)
        return f"No data from source {clean(self.evidence.source_name, HEADLINE_NAME_LENGTH)} since {since}"

    def summary(self) -> str:
        name, since = clean(self.evidence.source_name), minute(self.evidence.failing_since)
        count = self.evidence.failures
        failures = "1 failure" if count == 1 else f"{count} failures in a row"
        return f"Source {name} could not be read since {since} ({failures}), so its budgets go by old figures."

    def facts(self) -> Facts:
        last = self.evidence.last_success_at
        return (
            ("Source", clean(self.evidence.source_name)),
            ("Last read", minute(last) if last else "never"),
            ("Failing since", minute(self.evidence.failing_since)),
            ("Failures in a row", str(self.evidence.failures)),
            ("Last error", clean(self.evidence.error, NOTE_LENGTH) or "none recorded"),
            ("Meanwhile", "its budgets go by old figures"),
        )

    def opening(self, reason: Reason) -> str:
        return "The source cannot be read any more."

    def standing(self, reason: Reason) -> str:
        return "the source still cannot be read"

    def amended(self, reason: Reason) -> str:
        return f"Still failing: {self.evidence.failures} failures in a row."

    def ended(self, reason: Reason) -> str:
        return "the source is being read again" if reason is Reason.RECOVERED else ""

    def next_step(self, link: str) -> str:
        return f"Check the source's key and network, and acknowledge: POST {link}/acknowledge"

    def cause(self) -> str:
        return f"{self.evidence.source_name} could not be read since {minute(self.evidence.failing_since)}"
