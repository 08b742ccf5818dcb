"""The phrases that messages are made of: how much, of what, through whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from service.domain.alerts.evidence import BudgetEvidence, Contribution
from service.domain.spend.best_known import Basis
from service.domain.values.money import Money
from service.domain.values.names import NOUNS, with_noun
from service.domain.values.plain_text import NAME_LENGTH, clean, percentage, short_day

BASES = {
    Basis.BILLED: "billed",
    Basis.ESTIMATED: "estimated from usage, not billed yet",
    Basis.MIXED: "partly billed, partly estimated from usage",
}
MOST_PARTS = 5
CAPITAL_ORGANISATION = "Organisation"
NO_CENTS_IN_HEADLINES = 10
NO_CENTS_FROM = 100
HOURS_UNTIL_DAYS = 72
MINUTES_UNTIL_HOURS = 100
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


def named_days(days: Sequence[date]) -> str:
    """ "Sat 31 Oct", "Thu 29 Oct to Sat 31 Oct"; days that are not in a row are counted: "3 days up to Sat 31 Oct"."""
    first, last = days[0], days[-1]
    if len(days) == 1:
        return short_day(last)
    in_a_row = (last - first).days + 1 == len(days)
    return f"{short_day(first)} to {short_day(last)}" if in_a_row else f"{len(days)} days up to {short_day(last)}"


def were_billed(days: Sequence[date]) -> str:
    """ " when Sat 31 Oct was billed"; empty without days."""
    return f" when {named_days(days)} {'was' if len(days) == 1 else 'were'} billed" if days else ""


def standing(evidence: BudgetEvidence) -> str:
    """ "$9.80, 98%"; no percentage of a budget of $0."""
    return f"{evidence.spent.brief()}{used(evidence)}"


def threshold(evidence: BudgetEvidence) -> str:
    """ "80% of the budget ($8.00)", or just "$8.00" where the threshold is an amount."""
    level = clean(evidence.threshold.rpartition(":")[2])
    dollars = evidence.level.brief()
    return f"{level} of the budget ({dollars})" if level.endswith("%") else dollars


def messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count:,} messages"


def parts(contributions: Sequence[Contribution], label: str = "Largest {noun}s") -> tuple[tuple[str, str], ...]:
    """One line a dimension that divides these dollars any further, largest first."""
    by_noun = {
        noun: [_line(part) for part in contributions if part.scope.dimension is dimension][:MOST_PARTS]
        for dimension, noun in NOUNS.items()
    }
    return tuple((_several(label, noun), "\n".join(parts)) for noun, parts in by_noun.items() if parts)


def _several(label: str, noun: str) -> str:
    return label.format(noun=noun).replace("persons", "people")


def _line(part: Contribution) -> str:
    return f"{member_name(part, NAME_LENGTH)} {part.amount.brief()}"


def member(part: Contribution, limit: int) -> str:
    """ "API key support-bot", "workspace eng"; a name that says what it is stays as it is ("default workspace")."""
    return with_noun(NOUNS.get(part.scope.dimension, ""), member_name(part, limit))


def member_name(part: Contribution, limit: int) -> str:
    return clean(part.name, limit) or clean(part.scope.id, limit) or "unnamed"


def capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def rough(amount: Money) -> str:
    """Dollars of a headline: without cents from $10 on, rounded to the nearest up to where all dollars lose them."""
    return f"${round(amount.usd)}" if NO_CENTS_IN_HEADLINES <= amount.usd < NO_CENTS_FROM else amount.brief()


def scaled(amount: Money, by: int) -> str:
    """An extrapolation in two digits: "$1,300"."""
    dollars = amount.usd * by
    shown = round(dollars, max(1 - dollars.adjusted(), -dollars.adjusted() + 1)) if dollars else dollars
    return f"${shown:,.0f}" if shown >= NO_CENTS_IN_HEADLINES else Money.rounded(shown).brief()


def hours(length: timedelta) -> str:
    """ "6 h", "2 days"; for people, so that minutes go where hours are said."""
    whole = round(length / timedelta(hours=1))
    return f"{whole} h" if whole < HOURS_UNTIL_DAYS else f"{round(whole / 24)} days"


def minutes(length: timedelta) -> str:
    """ "4 min", "3 h"."""
    whole = round(length / timedelta(minutes=1))
    return f"{whole} min" if whole < MINUTES_UNTIL_HOURS else hours(length)
