"""Matchers that no alert can have: of closed labels they are refused, of open ones they are in doubt.

A workspace or a team may be yet to come, a fifth severity may not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from service.domain.alerts.evidence import ALERT_KINDS
from service.domain.notify.routing.labels import OF_EVERY_ALERT, Labels
from service.domain.notify.routing.matchers import Matcher, Op, matches
from service.domain.rules.registry import KINDS
from service.domain.values.errors import Invalid
from service.domain.values.mail_addresses import is_same
from service.domain.values.names import listed, nearest
from service.domain.values.severity import Severity

_POSITIVE = {Op.NOT_EQUAL: Op.EQUAL, Op.UNLIKE: Op.LIKE}
_SHOWN = 40
"""Characters of a value that a refusal repeats."""


def closed_labels() -> Mapping[str, tuple[str, ...]]:
    """Returns the labels whose values are all known, with the values."""
    return {
        "severity": tuple(Severity),
        "kind": tuple(ALERT_KINDS),
        "rule_kind": tuple(KINDS),
        "basis": ("actual", "forecast"),
    }


def require_possible(matchers: Iterable[Matcher], pointer: str) -> None:
    """Raises Invalid for a value that a closed label never has, also where it is excluded: that excludes nothing."""
    closed = closed_labels()
    for position, matcher in enumerate(matchers):
        values = closed.get(matcher.label)
        if values is not None and not _is_possible(matcher, values):
            raise Invalid(_never(matcher.label, matcher.value, values), f"{pointer}/{position}/value")


def require_possible_labels(labels: Labels, pointer: str) -> None:
    """Raises Invalid for labels that no alert has."""
    for name, values in closed_labels().items():
        never = sorted(labels.get(name, frozenset()) - set(values))
        if never:
            raise Invalid(_never(name, never[0], values), pointer)


def _never(label: str, value: str, values: Collection[str]) -> str:
    return f"no alert has the {label} {value[:_SHOWN]!r}: it is {listed(values)}"


def _is_possible(matcher: Matcher, values: Collection[str]) -> bool:
    if not matcher.value and matcher.op is Op.NOT_EQUAL:
        return True  # asks for any value
    asked = Matcher(matcher.label, _POSITIVE.get(matcher.op, matcher.op), matcher.value)
    absent = () if matcher.label in OF_EVERY_ALERT else ("",)
    return any(matches(asked, {matcher.label: frozenset({value})}) for value in (*values, *absent))


def doubts(matchers: Iterable[Matcher], known: Mapping[str, Collection[str]]) -> list[str]:
    """Says what of these matchers nothing has so far, each with the nearest that is known.

    `known` are the values of every label that something has.
    """
    found = [_doubt(matcher, known) for matcher in matchers if matcher.label not in closed_labels()]
    return list(dict.fromkeys(doubt for doubt in found if doubt is not None))


def _doubt(matcher: Matcher, known: Mapping[str, Collection[str]]) -> str | None:
    if matcher.label not in known:
        return f"no alert has a label {matcher.label} so far{_meant(matcher.label, [*known, *closed_labels()])}"
    named = matcher.op in (Op.EQUAL, Op.NOT_EQUAL) and matcher.value
    if not named or any(is_same(matcher.value, value) for value in known[matcher.label]):
        return None
    return (
        f"no alert has {matcher.label}={matcher.value[:_SHOWN]!r} so far{_meant(matcher.value, known[matcher.label])}"
    )


def _meant(text: str, known: Collection[str]) -> str:
    near = nearest(text, known)
    return f"; the nearest: {listed(near)}" if near else ""
