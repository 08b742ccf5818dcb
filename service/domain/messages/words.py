"""The words that every kind of alert has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
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
    at: datetime | None = None
    """The moment of the message, for what is counted from there; None where nobody is written to just now."""

    remedy: ClassVar[str] = "see to its cause"
    """The step that helps instead of feedback, where no rule learns from it."""
    page: ClassVar[str] = ""
    """The address of the Console's page that `next_step` names."""

    @abstractmethod
    def headline(self) -> str:
        """The one line that a phone shows: who, how much, since when."""

    def title(self) -> str:
        """The headline without what the summary below it says."""
        return self.headline()

    @abstractmethod
    def summary(self) -> str:
        """At most two lines below the headline: what is normal or left; what it costs if it goes on."""

    @abstractmethod
    def facts(self) -> Facts:
        """The rest, for who reads on: (label, value) pairs in order; ten at most, for one Slack message."""

    def parts(self) -> Facts:
        """The last of the facts: the largest members of each dimension, which the alert's page shows as tables."""
        return ()

    def names(self) -> Facts:
        """(what is named, its name) of all that a headline may cut: the facts have those in full that it cuts."""
        return ()

    def small_print(self) -> tuple[str, ...]:
        """Remarks on the figures, in a few words each: "rule unusual spend"."""
        return ()

    def opening(self, reason: Reason) -> str:
        """The sentence that the headline leaves unsaid as it opens; mostly none."""
        return ""

    @abstractmethod
    def standing(self, reason: Reason) -> str:
        """How it stands, as it is raised or notified again: the clause after "Now critical: ", its subject first."""

    @abstractmethod
    def amended(self, reason: Reason) -> str:
        """The clause for figures that have changed."""

    @abstractmethod
    def ended(self, reason: Reason) -> str:
        """The clause after "Over: ", its subject first; empty for an end that is worded alike for every kind."""

    def cost(self) -> str:
        """The dollars that it has come to, once it is over: "$312 above normal in 6 h"; empty where nothing adds up."""
        return ""

    @abstractmethod
    def next_step(self, api: str) -> str:
        """The step that a person takes while it fires. `api` is REST's address, without a slash at its end."""

    def undo(self, api: str) -> str:
        """The step by which a person takes back that it ended; mostly none. `api` is the alert's address in the API."""
        return ""

    def cause(self) -> str:
        """The cause, for an explanation of a past instant."""
        return f"{self.headline()}. {' '.join(self.summary().splitlines())}".rstrip()
