"""Tokens of cells, as the usage report counts them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from service.domain.values.money import ZERO, Money


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Tokens by measure, those of the Priority Tier apart from them: `priority` counts all of its own.

    `unpriced` are those of all of them without a known price, `searches` web searches. `priority_estimate`: US dollars.
    """

    uncached: int = 0
    read: int = 0
    written_5m: int = 0
    written_1h: int = 0
    output: int = 0
    priority: int = 0
    unpriced: int = 0
    searches: int = 0
    priority_estimate: Money = field(default=ZERO)

    @property
    def input(self) -> int:
        return self.uncached + self.read + self.written_5m + self.written_1h

    @property
    def all(self) -> int:
        return self.input + self.output + self.priority

    def __add__(self, other: TokenCounts) -> TokenCounts:
        return TokenCounts(
            self.uncached + other.uncached,
            self.read + other.read,
            self.written_5m + other.written_5m,
            self.written_1h + other.written_1h,
            self.output + other.output,
            self.priority + other.priority,
            self.unpriced + other.unpriced,
            self.searches + other.searches,
            self.priority_estimate + other.priority_estimate,
        )

    @classmethod
    def sum(cls, parts: Iterable[TokenCounts]) -> TokenCounts:
        return sum(parts, cls())
