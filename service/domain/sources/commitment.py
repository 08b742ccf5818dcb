"""The commitment to the Priority Tier: so many tokens, or dollars, a calendar month (UTC), and what was used of it.

The tier is paid for by commitment and is in no cost report; its usage is in the usage report. What a contract counts
as a token, and at what price, is the operator's to know: tokens are counted as they are reported, input and output
alike, and dollars are their estimate at list prices or the operator's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window


@dataclass(frozen=True, slots=True)
class PriorityCommitment:
    """Either tokens or US dollars a month."""

    tokens: int | None = None
    usd: Money | None = None

    @property
    def is_one_amount(self) -> bool:
        """Whether it is in one of the two, and above zero: nothing is no part of nothing."""
        if self.tokens is None:
            return self.usd is not None and self.usd > ZERO
        return self.usd is None and self.tokens > 0


@dataclass(frozen=True, slots=True)
class PriorityUse:
    """The tokens of the Priority Tier that were used in a month, and their estimate, beside the commitment, if any."""

    month: Window
    tokens: int = 0
    estimate: Money = ZERO
    commitment: PriorityCommitment | None = None

    @property
    def tokens_left(self) -> int | None:
        """Below zero beyond the commitment; None where none is in tokens."""
        if self.commitment is None or self.commitment.tokens is None:
            return None
        return self.commitment.tokens - self.tokens

    @property
    def usd_left(self) -> Money | None:
        """The same in US dollars."""
        if self.commitment is None or self.commitment.usd is None:
            return None
        return self.commitment.usd - self.estimate

    @property
    def used_share(self) -> Decimal | None:
        """The part of the commitment that is used, 1 at its end; None without one."""
        if self.commitment is None:
            return None
        if self.commitment.tokens is not None:
            return Decimal(self.tokens) / self.commitment.tokens
        return None if self.commitment.usd is None else self.estimate.ratio_to(self.commitment.usd)
