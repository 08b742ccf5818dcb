"""How a rule's alert speaks: whose money, how far from what was expected, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time
from decimal import Decimal

from service.domain.alerts.alert import Reason
from service.domain.alerts.evidence import Contribution, RuleEvidence
from service.domain.messages.phrases import firsts, parts
from service.domain.messages.words import HEADLINE_NAME_LENGTH, Facts, Words
from service.domain.rules.kind import KindWords
from service.domain.rules.registry import KINDS
from service.domain.rules.wording import MOST_PERCENT, SUBJECT_LENGTH, day
from service.domain.values.money import Money
from service.domain.values.plain_text import NAME_LENGTH, clean, minute, percentage

CAUSE_LENGTH = 600
MOST_INPUTS = 10
AN_HOUR = "an hour"
"""How the unit of an hour's figures ends."""
_CENT = Decimal("0.01")
_ISOLATE, _END_OF_ISOLATE = "\u2068", "\u2069"
_UNPRINTABLE_BUT_KEPT = frozenset({_ISOLATE, _END_OF_ISOLATE, "\u200c", "\u200d"})


UNKNOWN_KIND = KindWords()
"""The words of a kind that a newer release knows."""


@dataclass(frozen=True, slots=True)
class RuleWords(Words):
    evidence: RuleEvidence

    def headline(self) -> str:
        """ "unusual spend: workspace eng $1,240.00, expected $310.00 (+300 %)"."""
        evidence = self.evidence
        rule, who = _rule_name(evidence, HEADLINE_NAME_LENGTH), _who(evidence, HEADLINE_NAME_LENGTH)
        spent = f"{to_the_cent(evidence.actual)}{_words(evidence).of}"
        return f"{rule}: {who} {spent}{_per_hour(evidence)}, {_expected(evidence)}"

    def summary(self) -> str:
        """The rule's own sentence, and what has moved the most in each dimension."""
        simulated = "Simulated data: " if self.evidence.simulated else ""
        cause, who = _cause(self.evidence), _who(self.evidence, SUBJECT_LENGTH)
        named = "" if who.casefold() in cause.casefold() else f"{_capital(_who(self.evidence))}: "
        return f"{simulated}{named}{cause} {_largest(self.evidence)}"

    def facts(self) -> Facts:
        evidence = self.evidence
        spent = f"{to_the_cent(evidence.actual)}{_per_hour(evidence)}{_when(evidence)}; {_expected(evidence)}"
        inputs = [_input(label, value) for label, value in evidence.inputs[:MOST_INPUTS]]
        missing = "Missing" if evidence.falls else "Excess"
        kind = clean(evidence.rule_kind).replace("_", " ")
        return (
            ("Cause", _cause(evidence)),
            (_words(evidence).label, spent),
            (missing, _excess(evidence)),
            *parts(_parts_to_the_cent(evidence), f"{missing} by {{noun}}"),
            *((("Worked out from", "\n".join(inputs)),) if inputs else ()),
            ("Rule", f"{_rule_name(evidence)} ({kind})"),
            ("For", _who(evidence)),
        )

    def opening(self, reason: Reason) -> str:
        return f"{_complaint(self.evidence)}: {self.standing(reason)}."

    def standing(self, reason: Reason) -> str:
        return _standing(self.evidence)

    def amended(self, reason: Reason) -> str:
        """Gives the incident's size: it may be seen by the day now, and by the hour before."""
        return f"{'Grown to' if reason is Reason.GREW else 'Now'} {_size(self.evidence)}."

    def ended(self, reason: Reason) -> str:
        return _words(self.evidence).over if reason is Reason.RECOVERED else ""

    def next_step(self, link: str) -> str:
        return f'Expected? POST {link}/feedback {{"kind": "expected"}}; or acknowledge: POST {link}/acknowledge'

    def cause(self) -> str:
        return self.evidence.cause


def _complaint(evidence: RuleEvidence) -> str:
    """The complaint in a few words: "Spend is unusual"."""
    words = _words(evidence)
    template = (evidence.falls and words.fallen) or words.opening
    return template.replace("{who}", _capital(_who(evidence)))


def _standing(evidence: RuleEvidence) -> str:
    """ "$930.00 more than expected on 20 November 2026, $2,780.00 in all since 18 November 2026"."""
    in_all = f", {_in_all(evidence)}" if _adds_up(evidence) else ""
    return f"{_of_the_days(evidence)}{in_all}"


def _size(evidence: RuleEvidence) -> str:
    """ "$2,780.00 more than expected since 18 November 2026"; of the judged days where nothing is added up."""
    if evidence.impact is None:
        return _of_the_days(evidence)
    return f"{_against_expected(evidence.impact, evidence)}{_since(evidence) or ' in all'}"


def _words(evidence: RuleEvidence) -> KindWords:
    kind = KINDS.get(evidence.rule_kind)
    return UNKNOWN_KIND if kind is None else kind.words


def _rule_name(evidence: RuleEvidence, limit: int = NAME_LENGTH) -> str:
    return clean(evidence.rule_name, limit) or "unnamed rule"


def _who(evidence: RuleEvidence, limit: int = NAME_LENGTH) -> str:
    return clean(evidence.scope_name, limit) or "the organisation"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _cause(evidence: RuleEvidence) -> str:
    """Clipped only: its names are clean, and isolated one by one, which a second cleaning would undo."""
    text = "".join(_printable(character) for character in evidence.cause[:CAUSE_LENGTH])
    text = text if len(evidence.cause) <= CAUSE_LENGTH else f"{text[:-1]}…"
    return text + _END_OF_ISOLATE * max(text.count(_ISOLATE) - text.count(_END_OF_ISOLATE), 0)


def _printable(character: str) -> str:
    return character if character.isprintable() or character in _UNPRINTABLE_BUT_KEPT else " "


def _input(label: str, value: str) -> str:
    return f"{clean(label)}: {clean(value)}"


def _largest(evidence: RuleEvidence) -> str:
    found, whole = firsts(_parts_to_the_cent(evidence)), to_the_cent(evidence.excess)
    if not found:
        return f"That is {_standing(evidence)}."
    if any(part.amount > evidence.excess for part in evidence.contributions):
        # What others moved the other way is not in the whole, so that this is more than it and no part of it.
        side = "below" if evidence.falls else "above"
        return f"Furthest {side} what was expected of each: {found}; with all others, {whole}."
    return f"Largest parts of the {f'missing {whole}' if evidence.falls else f'{whole} excess'}: {found}."


def _expected(evidence: RuleEvidence) -> str:
    """ "expected $310.00 (+300 %)"."""
    if not evidence.expected:
        return "nothing expected"
    return f"expected {to_the_cent(evidence.expected)}{_change(evidence)}"


def _change(evidence: RuleEvidence) -> str:
    """ " (+300 %)", rounded towards zero; none against a credit."""
    if evidence.expected.usd <= 0 or evidence.actual == evidence.expected:
        return ""
    difference = evidence.actual - evidence.expected
    sign, share = "-" if difference.usd < 0 else "+", abs(difference).ratio_to(evidence.expected) * 100
    if share > MOST_PERCENT:
        return f" (over {sign}{MOST_PERCENT:,} %)"
    return f" ({sign}{percentage(share)})"


def _excess(evidence: RuleEvidence) -> str:
    in_all = f"; {_in_all(evidence)}" if _adds_up(evidence) else _since(evidence)
    return f"{to_the_cent(evidence.excess)}{in_all}"


def _adds_up(evidence: RuleEvidence) -> bool:
    """Whether the incident is more than what was judged last."""
    return evidence.impact is not None and _cents(evidence.impact) != _cents(evidence.excess)


def _in_all(evidence: RuleEvidence) -> str:
    return f"{to_the_cent(evidence.impact or evidence.excess)} in all{_since(evidence)}"


def _since(evidence: RuleEvidence) -> str:
    return f" since {_moment(evidence.since)}" if evidence.since else ""


def _of_the_days(evidence: RuleEvidence) -> str:
    if not evidence.expected and evidence.actual.usd > 0:
        return f"{to_the_cent(evidence.actual)} where nothing was expected{_when(evidence)}"
    return f"{_against_expected(evidence.excess, evidence)}{_when(evidence)}"


def _against_expected(excess: Money, evidence: RuleEvidence) -> str:
    if not excess:
        return "as much as expected"
    more = (excess.usd < 0) is evidence.falls
    return f"{to_the_cent(abs(excess))} {'more' if more else 'less'} than expected"


def _when(evidence: RuleEvidence) -> str:
    """ " on 20 November 2026", " from 18 November 2026 to 20 November 2026"; UTC days."""
    if not evidence.days:
        return ""
    first, last = evidence.days[0], evidence.days[-1]
    if first == last:
        return f"{' of' if _per_hour(evidence) else ' on'} {day(last)}"
    return f" from {day(first)} to {day(last)}"


def _per_hour(evidence: RuleEvidence) -> str:
    """A day is what people take for granted; an hour has to be said."""
    return " in an hour" if evidence.unit.endswith(AN_HOUR) else ""


def _moment(at: datetime) -> str:
    return day(at.date()) if at.time() == time() else minute(at)


def to_the_cent(amount: Money) -> str:
    """How a rule's dollars are written everywhere, messages and charts alike: as its own sentence writes them."""
    return _cents(amount).display()


def _cents(amount: Money) -> Money:
    """Rounded as in the rule's sentence: float copies are no exacter, and the two must not differ by a cent."""
    return Money(round(amount.usd, 2)) if abs(amount.usd) >= _CENT else amount


def _parts_to_the_cent(evidence: RuleEvidence) -> list[Contribution]:
    return [replace(part, amount=_cents(part.amount)) for part in evidence.contributions]
