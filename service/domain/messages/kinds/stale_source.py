"""How a stale source's alert speaks: since when no figures come, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from service.domain.alerts.alert import Reason
from service.domain.alerts.evidence import StaleEvidence
from service.domain.messages.console_pages import ADMIN_KEYS
from service.domain.messages.phrases import minutes
from service.domain.messages.words import HEADLINE_NAME_LENGTH, Facts, Words
from service.domain.values.plain_text import NOTE_LENGTH, clean, minute, moment

CAUSE_LENGTH = 120
"""Characters of the error in a headline."""


@dataclass(frozen=True, slots=True)
class StaleWords(Words):
    evidence: StaleEvidence
    remedy: ClassVar[str] = "see to the source"
    page: ClassVar[str] = ADMIN_KEYS

    def headline(self) -> str:
        """ "No cost data from source acme for 34 min: the Admin API refuses the key (401)"."""
        cause = clean(self.evidence.error, CAUSE_LENGTH)
        return f"No cost data from {self._name} {self._how_long}{f': {cause}' if cause else ''}"

    def summary(self) -> str:
        last = self.evidence.last_success_at
        read = f"use figures read until {moment(last)}" if last else "have no figures yet: it was never read"
        return f"Budgets and rules {read}. Spend since then fires nothing."

    def facts(self) -> Facts:
        return (
            ("Failing since", moment(self.evidence.failing_since)),
            ("Failures in a row", str(self.evidence.failures)),
            ("Last error", clean(self.evidence.error, NOTE_LENGTH) or "none recorded"),
        )

    def names(self) -> Facts:
        return (("Name of the source", self.evidence.source_name),)

    def standing(self, reason: Reason) -> str:
        return self.headline()

    def amended(self, reason: Reason) -> str:
        return f"Still failing, {self.evidence.failures} times in a row"

    def ended(self, reason: Reason) -> str:
        return f"{self._name} is read again" if reason is Reason.RECOVERED else ""

    def cost(self) -> str:
        return f"no data since {moment(self._since)}"

    def next_step(self, api: str) -> str:
        where = "" if self.evidence.simulated else f" If the key is refused, make a new Admin key: {ADMIN_KEYS} –"
        return f"Run `tocsin check` where Tocsin runs.{where} then acknowledge."

    def cause(self) -> str:
        return f"{self.evidence.source_name} could not be read since {minute(self.evidence.failing_since)}"

    @property
    def _since(self) -> datetime:
        return self.evidence.last_success_at or self.evidence.failing_since

    @property
    def _how_long(self) -> str:
        return f"since {moment(self._since)}" if self.at is None else f"for {minutes(self.at - self._since)}"

    @property
    def _name(self) -> str:
        return f"source {clean(self.evidence.source_name, HEADLINE_NAME_LENGTH)}"
