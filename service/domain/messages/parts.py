"""The members behind an alert's dollars, one table a dimension, for who reads on."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from service.domain.alerts.evidence import Contribution, Evidence
from service.domain.messages.phrases import member_name
from service.domain.values.money import ZERO
from service.domain.values.names import NOUNS
from service.domain.values.plain_text import NAME_LENGTH, percentage

LEAST_PERCENT = 1
MOST_PERCENT = 100


@dataclass(frozen=True, slots=True)
class PartsTable:
    """The largest members of one dimension, the largest first: name, dollars, share of the whole.

    Shares are empty where one of them is more than the whole, as of an excess beside which something else fell.
    """

    noun: str
    rows: tuple[tuple[str, str, str], ...]


def parts_tables(evidence: Evidence) -> tuple[PartsTable, ...]:
    """Returns the tables. Members below one percent are left out."""
    worth_naming = [part for part in evidence.contributions if _percent(part, evidence) >= LEAST_PERCENT]
    by_noun = {
        noun: [part for part in worth_naming if part.scope.dimension is dimension] for dimension, noun in NOUNS.items()
    }
    return tuple(PartsTable(noun, _rows(parts, evidence)) for noun, parts in by_noun.items() if parts)


def _rows(parts: list[Contribution], evidence: Evidence) -> tuple[tuple[str, str, str], ...]:
    adds_up = all(_percent(part, evidence) <= MOST_PERCENT for part in parts)
    shares = [percentage(_percent(part, evidence)) if adds_up else "" for part in parts]
    return tuple(
        (member_name(part, NAME_LENGTH), part.amount.brief(), share) for part, share in zip(parts, shares, strict=True)
    )


def _percent(part: Contribution, evidence: Evidence) -> Decimal:
    whole = evidence.whole
    return part.amount.ratio_to(whole) * 100 if whole > ZERO else Decimal(0)
