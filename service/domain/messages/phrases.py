"""The phrases that messages are made of: how much, of what, through whom."""

from __future__ import annotations

from collections.abc import Sequence

from service.domain.alerts.evidence import BudgetEvidence, Contribution
from service.domain.spend.best_known import Basis
from service.domain.values.plain_text import clean, percentage
from service.domain.values.scopes import Dimension

BASES = {
    Basis.BILLED: "billed",
    Basis.ESTIMATED: "estimated from usage, not billed yet",
    Basis.MIXED: "partly billed, partly estimated from usage",
}
NOUNS = {Dimension.WORKSPACE: "workspace", Dimension.MODEL: "model", Dimension.API_KEY: "API key"}
MOST_PARTS = 5
ROLLING = "last "
"""How the label of a rolling period begins."""


def period(evidence: BudgetEvidence) -> str:
    """ "October 2026", "the week of 12 October 2026", "the last 30 days"."""
    label = clean(evidence.period_label)
    return f"the {label}" if label.startswith(("week ", ROLLING)) else label


def rolls(evidence: BudgetEvidence) -> bool:
    """Whether the period moves on with every day, so that its spend changes though no bill was restated."""
    return evidence.period_label.startswith(ROLLING)


def used(evidence: BudgetEvidence) -> str:
    return f", {percentage(evidence.percent)}" if evidence.amount else ""


def standing(evidence: BudgetEvidence) -> str:
    """ "$9.80, 98 %"; no percentage of a budget of $0."""
    return f"{evidence.spent.display()}{used(evidence)}"


def threshold(evidence: BudgetEvidence) -> str:
    """ "80 % of the budget ($8.00)", or just "$8.00" where the threshold is an amount."""
    level = clean(evidence.threshold.rpartition(":")[2])
    dollars = evidence.level.display()
    return f"{level.removesuffix('%')} % of the budget ({dollars})" if level.endswith("%") else dollars


def messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count:,} messages"


def largest(contributions: Sequence[Contribution]) -> str:
    """ "; largest: model claude-opus-4-5 $9.10, API key ci-runner $3.24"; nothing where there is nothing to divide."""
    found = firsts(contributions)
    return f"; largest: {found}" if found else ""


def firsts(contributions: Sequence[Contribution]) -> str:
    """The largest part of each dimension; each divides the same dollars in its own way."""
    largest_of = {part.scope.dimension: part for part in reversed(contributions)}
    return ", ".join(
        _part(largest_of[dimension], "" if largest_of[dimension].name.endswith(noun) else f"{noun} ")
        for dimension, noun in NOUNS.items()
        if dimension in largest_of
    )


def parts(contributions: Sequence[Contribution], label: str = "Largest {noun}s") -> tuple[tuple[str, str], ...]:
    """One line a dimension that divides these dollars any further, largest first."""
    by_noun = {
        noun: [_part(part) for part in contributions if part.scope.dimension is dimension][:MOST_PARTS]
        for dimension, noun in NOUNS.items()
    }
    return tuple((label.format(noun=noun), "\n".join(parts)) for noun, parts in by_noun.items() if parts)


def _part(part: Contribution, noun: str = "") -> str:
    return f"{noun}{clean(part.name) or clean(part.scope.id) or 'unnamed'} {part.amount.display()}"
