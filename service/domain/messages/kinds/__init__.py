"""How alerts speak: one module a kind of alert, and the list of them all."""

from datetime import datetime

from service.domain.alerts.evidence import (
    BudgetEvidence,
    DrillEvidence,
    Evidence,
    IncompleteEvidence,
    RuleEvidence,
    SilenceEndsEvidence,
    StaleEvidence,
    UndeliveredEvidence,
    UnpricedEvidence,
)
from service.domain.messages.kinds.budget import BudgetWords
from service.domain.messages.kinds.drill import DrillWords
from service.domain.messages.kinds.incomplete import IncompleteWords
from service.domain.messages.kinds.rule import RuleWords
from service.domain.messages.kinds.silence_ends import SilenceEndsWords
from service.domain.messages.kinds.stale_source import StaleWords
from service.domain.messages.kinds.undelivered import UndeliveredWords
from service.domain.messages.kinds.unpriced import UnpricedWords
from service.domain.messages.words import Words

WORDS: dict[type[Evidence], type[Words]] = {
    BudgetEvidence: BudgetWords,
    RuleEvidence: RuleWords,
    StaleEvidence: StaleWords,
    UndeliveredEvidence: UndeliveredWords,
    SilenceEndsEvidence: SilenceEndsWords,
    UnpricedEvidence: UnpricedWords,
    IncompleteEvidence: IncompleteWords,
    DrillEvidence: DrillWords,
}


def words_of(evidence: Evidence, at: datetime | None = None) -> Words:
    return WORDS[type(evidence)](evidence, at)
