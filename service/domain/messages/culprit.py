"""The member whose name an unusual spend's headline carries: the one that explains most of the excess."""

from __future__ import annotations

from decimal import Decimal

from service.domain.alerts.evidence import Contribution, RuleEvidence
from service.domain.values.scopes import Dimension

MOST_OF_IT = Decimal("0.6")
"""The share of the excess from which on one member is named instead of the whole."""
LEAST_SHARE = Decimal("0.01")
"""Parts below this share are not worth a word."""
MOST_NAMED = 2


def culprit(evidence: RuleEvidence) -> Contribution | None:
    """The member that explains at least 60% of the excess; None where none does, and where it is an actor's own.

    What somebody can stop comes first: whoever spends, then an API key, a workspace, a model.
    """
    if evidence.about is not None and evidence.about.dimension is Dimension.ACTOR:
        return None
    dimensions = (Dimension.ACTOR, Dimension.API_KEY, Dimension.WORKSPACE, Dimension.MODEL)
    return next((found for dimension in dimensions if (found := leader(evidence, dimension))), None)


def leader(evidence: RuleEvidence, dimension: Dimension) -> Contribution | None:
    """The member of one dimension that explains most of the excess."""
    members = [part for part in evidence.contributions if part.scope.dimension is dimension and part.scope.id]
    least = evidence.excess.usd * MOST_OF_IT
    return members[0] if members and members[0].amount.usd >= least else None


def largest_members(evidence: RuleEvidence) -> list[Contribution]:
    """The largest members of the first dimension that divides the excess, for where none explains most of it."""
    for dimension in (Dimension.WORKSPACE, Dimension.ACTOR, Dimension.API_KEY, Dimension.MODEL):
        found = [part for part in worth_naming(evidence) if part.scope.dimension is dimension]
        if len(found) > 1:
            return found[:MOST_NAMED]
    return []


def worth_naming(evidence: RuleEvidence) -> list[Contribution]:
    """The contributions without those below one percent."""
    least = evidence.excess.usd * LEAST_SHARE
    return [part for part in evidence.contributions if part.amount.usd >= least]
