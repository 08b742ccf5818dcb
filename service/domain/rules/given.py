"""Feedback as it was given: by whom, to which alert, and whether it was taken back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from service.domain.rules.feedback import Feedback


@dataclass(frozen=True, slots=True)
class GivenFeedback:
    """One answer of one person about one scope. `withdrawn_at` ends its effect: the past is judged as it was then."""

    id: str
    source_id: str
    rule_id: str
    alert_id: str
    feedback: Feedback
    given_by: str
    note: str = ""
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None

    def holds(self, now: datetime) -> bool:
        return self.feedback.given_at <= now and (self.withdrawn_at is None or now < self.withdrawn_at)


def holding(given: Iterable[GivenFeedback], rule_id: str, now: datetime) -> tuple[Feedback, ...]:
    """What counts for one rule at an instant."""
    return tuple(one.feedback for one in given if one.rule_id == rule_id and one.holds(now))
