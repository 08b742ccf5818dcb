"""How the alert about a model without a price speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from service.domain.alerts.alert import Reason
from service.domain.alerts.evidence import UnpricedEvidence
from service.domain.messages.words import HEADLINE_NAME_LENGTH, Facts, Words
from service.domain.values.plain_text import clean, scaled, short_day


@dataclass(frozen=True, slots=True)
class UnpricedWords(Words):
    evidence: UnpricedEvidence
    remedy: ClassVar[str] = "set a price for the model"

    def headline(self) -> str:
        """ "5.0M tokens of claude-next have no price: their cost is missing until the bill of Sat 28 Nov"."""
        return f"{self.title()}: their cost is missing until the bill of {short_day(self.evidence.last_day)}"

    def title(self) -> str:
        return f"{scaled(self.evidence.tokens)} tokens of {self._model} have no price"

    def summary(self) -> str:
        return "Budgets and rules do not see what it costs: no threshold is crossed by it, and no rule objects to it."

    def facts(self) -> Facts:
        return (
            ("Source", clean(self.evidence.source_name, HEADLINE_NAME_LENGTH)),
            ("Tokens", f"{self.evidence.tokens:,}, of days whose bill is not settled"),
        )

    def names(self) -> Facts:
        return (("Name of the model", self.evidence.model),)

    def standing(self, reason: Reason) -> str:
        return self.headline()

    def amended(self, reason: Reason) -> str:
        return self.headline()

    def ended(self, reason: Reason) -> str:
        return f"what {self._model} costs is known by now" if reason is Reason.RECOVERED else ""

    def next_step(self, api: str) -> str:
        """The name of the model is left out of the command: whoever pastes it runs what stands there."""
        prices, first = f"{api}/prices", f"{self.evidence.last_day:%Y-%m}-01T00:00:00Z"
        price = (
            f'''{{"name": "...", "model": "...", "measure": "output_tokens", "usd": "...", "valid_from": "{first}"}}'''
        )
        return (
            f"Set its prices, a measure each, as an admin: curl {prices} -H 'Authorization: Bearer <token>'"
            f" -H 'Content-Type: application/json' -d '{price}'"
        )

    @property
    def _model(self) -> str:
        return clean(self.evidence.model, HEADLINE_NAME_LENGTH)
