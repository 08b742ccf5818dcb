"""A made-up alert kind: its evidence and its words by the recipe of ARCHITECTURE.md, and its two lines for a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal

from service.domain.alerts.alert import Reason
from service.domain.alerts.evidence import ALERT_KINDS, Evidence, OriginKind, OriginRef
from service.domain.messages.kinds import WORDS
from service.domain.messages.phrases import parts
from service.domain.messages.words import HEADLINE_NAME_LENGTH, Facts, Words
from service.domain.values.money import Money
from service.domain.values.plain_text import clean

KIND = "burn_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnRateEvidence(Evidence):
    """A budget that is spent too fast: `rate` US dollars an hour, where `limit` an hour is sustainable."""

    kind: Literal["burn_rate"] = "burn_rate"
    budget_id: str
    budget_name: str
    rate: Money
    limit: Money
    hours: tuple[int, ...]
    exhausted_on: date | None = None
    ceiling: Money | None = None

    @property
    def origin(self) -> OriginRef:
        return OriginRef(OriginKind.BUDGET, self.budget_id, self.budget_name)

    @property
    def labels(self) -> Mapping[str, str]:
        return {"window": f"{max(self.hours)}h"}

    @property
    def figure(self) -> Money:
        return self.rate


@dataclass(frozen=True, slots=True)
class BurnRateWords(Words):
    evidence: BurnRateEvidence
    remedy: ClassVar[str] = "lower the limit"

    def headline(self) -> str:
        return f"{clean(self.evidence.budget_name, HEADLINE_NAME_LENGTH)} burns {self._rate}"

    def summary(self) -> str:
        return f"{self.evidence.limit.display()} an hour is sustainable."

    def facts(self) -> Facts:
        return (("Burns", self._rate), *parts(self.evidence.contributions))

    def standing(self, reason: Reason) -> str:
        return self.headline()

    def amended(self, reason: Reason) -> str:
        return f"{'Faster' if reason is Reason.GREW else 'Slower'}: {self._rate}"

    def ended(self, reason: Reason) -> str:
        return "the budget burns slowly again" if reason is Reason.RECOVERED else ""

    def next_step(self, api: str) -> str:
        return f"Stop what burns it, and acknowledge: {api}/alerts"

    @property
    def _rate(self) -> str:
        return f"{self.evidence.rate.display()} an hour"


@contextmanager
def registered() -> Iterator[None]:
    """What the kind's two lines do, until the block ends."""
    ALERT_KINDS[KIND], WORDS[BurnRateEvidence] = BurnRateEvidence, BurnRateWords
    try:
        yield
    finally:
        del ALERT_KINDS[KIND], WORDS[BurnRateEvidence]
