"""The words that every kind of alert has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from service.domain.alerts.alert import Reason
from service.domain.alerts.evidence import Evidence

HEADLINE_NAME_LENGTH = 40
"""Characters of a name in a headline."""

Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Words(ABC):
    """The words of one kind of alert, for one alert's evidence: one subclass a kind, listed in `WORDS`.

    All texts are plain; names that people elsewhere chose go through `clean`.
    """

    evidence: Evidence

    remedy: ClassVar[str] = "see to its cause"
    """The step that helps instead of feedback, where no rule learns from it."""

    @abstractmethod
    def headline(self) -> str:
        """One line: "eng monthly: $12.345678 of $10.00, 123 %"."""

    @abstractmethod
    def summary(self) -> str:
        """A sentence or two: who, the dollars, and the largest parts."""

    @abstractmethod
    def facts(self) -> Facts:
        """(label, value) pairs in order; ten at most, so that they fit into one Slack message with what all have."""

    @abstractmethod
    def opening(self, reason: Reason) -> str:
        """The sentence that opens the alert."""

    @abstractmethod
    def standing(self, reason: Reason) -> str:
        """How it stands, as it is raised or notified again: the clause after "Raised to critical: "."""

    @abstractmethod
    def amended(self, reason: Reason) -> str:
        """The sentence for figures that have changed."""

    @abstractmethod
    def ended(self, reason: Reason) -> str:
        """The clause after "Resolved: "; empty for an end that is worded alike for every kind."""

    @abstractmethod
    def next_step(self, link: str) -> str:
        """The step that a person takes while it fires. `link` is the alert's address in the API."""

    def cause(self) -> str:
        """The cause, for an explanation of a past instant."""
        return self.summary()
