"""How the alert about a silence that ends soon speaks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import ClassVar

from service.domain.alerts.alert import Reason
from service.domain.alerts.evidence import SilenceEndsEvidence
from service.domain.messages.people import known_as
from service.domain.messages.words import HEADLINE_NAME_LENGTH, Facts, Words
from service.domain.values.durations import format_duration
from service.domain.values.plain_text import NOTE_LENGTH, clean, moment

EXTENSION = timedelta(hours=4)
"""How much longer a silence lasts by the command that its alert names."""


@dataclass(frozen=True, slots=True)
class SilenceEndsWords(Words):
    evidence: SilenceEndsEvidence
    remedy: ClassVar[str] = "see to what fires behind the silence"

    def headline(self) -> str:
        """ "Silence 'load test' ends at 20:00 UTC, Sat 5 Dec: 2 alerts behind it still fire"."""
        count = self.evidence.count
        behind = "1 alert behind it still fires" if count == 1 else f"{count} alerts behind it still fire"
        return f"{self._name} ends at {moment(self.evidence.ends_at)}: {behind}"

    def summary(self) -> str:
        maker = known_as(self.evidence.author, self.evidence.author_name)
        return f"Made by {maker}. Its end notifies whoever these alerts are routed to."

    def facts(self) -> Facts:
        shown = self.evidence.behind
        more = self.evidence.count - len(shown)
        firing = tuple(("Fires behind it", clean(headline, NOTE_LENGTH)) for headline in shown)
        return (*firing, ("Besides", f"{more} more")) if more > 0 else firing

    def names(self) -> Facts:
        return (("Name of the silence", self.evidence.silence_name),)

    def standing(self, reason: Reason) -> str:
        return self.headline()

    def amended(self, reason: Reason) -> str:
        return self.headline()

    def ended(self, reason: Reason) -> str:
        return f"{self._name} has ended, or its end was changed" if reason is Reason.RECOVERED else ""

    def next_step(self, api: str) -> str:
        silence = f"{api}/silences/{self.evidence.silence_id}"
        longer = (self.evidence.ends_at + EXTENSION).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = f"""'{{"ends_at": "{longer}"}}'"""
        return (
            f"See to what fires. Or, as an operator, extend the silence by {format_duration(EXTENSION)}: curl -X PATCH"
            f" {silence} -H 'Authorization: Bearer <token>' -H 'Content-Type: application/json' -d {body}"
        )

    @property
    def _name(self) -> str:
        return f"Silence {clean(self.evidence.silence_name, HEADLINE_NAME_LENGTH)!r}"
