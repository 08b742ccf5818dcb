"""Whom an unusual spend's message is about, with the figures of that one."""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.alerts.evidence import Contribution, RuleEvidence
from service.domain.messages.culprit import culprit, leader
from service.domain.messages.phrases import CAPITAL_ORGANISATION, capital, member
from service.domain.messages.words import HEADLINE_NAME_LENGTH
from service.domain.rules.wording import SUBJECT_LENGTH
from service.domain.values.money import Money
from service.domain.values.plain_text import clean
from service.domain.values.scopes import Dimension

A_CENT = Money.of("0.01")


@dataclass(frozen=True, slots=True)
class Spender:
    """`spent` is what was spent in the judged time; None where only the excess is known. `is_part`: one member of the
    judged scope, and not all of it. `within` is the workspace of an API key, `through` what most of the excess
    went through besides ("model claude-sonnet-5").
    """

    name: str
    spent: Money | None
    excess: Money
    expected: Money | None
    is_part: bool = False
    within: str = ""
    through: tuple[str, ...] = ()

    @property
    def usual(self) -> str:
        if self.expected is None:
            return ""
        return f"normally {self.expected.brief()}" if self.expected >= A_CENT else "normally nothing"


def spender_of(evidence: RuleEvidence) -> Spender:
    """The member that explains most of the excess, else the whole scope."""
    found = culprit(evidence)
    return whole_of(evidence) if found is None else _part(evidence, found)


def whole_of(evidence: RuleEvidence) -> Spender:
    """The judged scope itself."""
    name = clean(evidence.scope_name, SUBJECT_LENGTH)
    name = CAPITAL_ORGANISATION if name in ("", "the organisation") else capital(clean(name, HEADLINE_NAME_LENGTH + 20))
    return Spender(
        name,
        evidence.actual,
        evidence.excess,
        evidence.expected,
        through=_through(evidence),
    )


def _part(evidence: RuleEvidence, part: Contribution) -> Spender:
    spent, usual = part.spent, None
    if spent is not None:
        usual = spent + part.amount if evidence.falls else spent - part.amount
    return Spender(
        name=capital(member(part, HEADLINE_NAME_LENGTH)),
        spent=spent,
        excess=part.amount,
        expected=usual,
        is_part=True,
        within=part.within,
        through=_through(evidence, part.scope.dimension),
    )


def _through(evidence: RuleEvidence, named: Dimension | None = None) -> tuple[str, ...]:
    """The product, model and workspace that most of the excess went through, but for what is named already."""
    through = (Dimension.PRODUCT, Dimension.MODEL, Dimension.WORKSPACE)
    found = [leader(evidence, one) for one in through if one is not named]
    return tuple(member(part, HEADLINE_NAME_LENGTH) for part in found if part is not None)
