"""Verdicts that are kept: every objection of a rule, whether it rang or was stopped, and by what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from service.domain.rules.rule import GateVerdict
from service.domain.values.money import Money
from service.domain.values.scopes import ScopeKey

RANG = "rang"
PART_OF_ANOTHER = "part_of_another"
"""Another scope's alert tells of it."""
MUTED = "muted"
"""A person has resolved this incident's alert, and it is not graver since."""


@dataclass(frozen=True, slots=True)
class KeptVerdict:
    """One rule's objection to one scope's day. `outcome` is one of the words above, else the gate that stopped it.

    Seen unchanged from `first_at` to `last_at` (aware UTC); the amounts, in US dollars, are those of the last time.
    """

    rule_id: str
    rule_version: int
    scope: ScopeKey
    day: date
    outcome: str
    first_at: datetime
    last_at: datetime
    actual: Money
    expected: Money
    cause: str
    inputs: tuple[tuple[str, str], ...]
    gates: tuple[GateVerdict, ...]
