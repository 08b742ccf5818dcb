"""How a source stands, in a word and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from service.domain.sources.source import Source, SourceState
from service.domain.spend.lateness import is_stale


@dataclass(frozen=True, slots=True)
class SourceStanding:
    """`tone` is the colour's name; the word and the sentence say the same without it."""

    tone: str
    word: str
    sentence: str


def standing_of(source: Source, state: SourceState, now: datetime) -> SourceStanding:
    error = state.last_error or "the last poll brought no bill"
    if not source.enabled:
        return SourceStanding("quiet", "Off", "It is not polled. Enable it to read it again.")
    if state.cost_read_at is None:
        if state.failures:
            return SourceStanding("critical", "Never read", error)
        return SourceStanding("info", "First poll to come", "Nothing has been read yet.")
    if is_stale(state, now):
        return SourceStanding("critical", "Stale", f"Budgets have gone blind here: {error}")
    if state.failures:
        return SourceStanding("warning", "Failing", error)
    return SourceStanding("calm", "Fresh", state.remark or "The last poll brought the bill.")
