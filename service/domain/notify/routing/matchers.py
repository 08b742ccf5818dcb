"""Matchers, as in Alertmanager: a label, a comparison, a value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from service.domain.notify.routing.labels import Labels
from service.domain.notify.routing.patterns import BadPattern, is_like, validate_pattern
from service.domain.values.errors import Invalid


class Op(StrEnum):
    EQUAL = "="
    NOT_EQUAL = "!="
    LIKE = "=~"
    UNLIKE = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """Expressions mean the whole value. A label that is not there is compared as the empty text."""

    label: str
    op: Op
    value: str

    def __str__(self) -> str:
        return f"{self.label}{self.op.value}{self.value!r}"


def matches(matcher: Matcher, labels: Labels) -> bool:
    """A label may have several values, such as an id and a name: one equal is enough for `=`, and too many for `!=`."""
    values = labels.get(matcher.label) or frozenset({""})
    match matcher.op:
        case Op.EQUAL:
            return matcher.value in values
        case Op.NOT_EQUAL:
            return matcher.value not in values
        case Op.LIKE:
            return any(is_like(matcher.value, value) for value in values)
        case Op.UNLIKE:
            return not any(is_like(matcher.value, value) for value in values)


def match_all(matchers: Iterable[Matcher], labels: Labels) -> bool:
    return all(matches(matcher, labels) for matcher in matchers)


def validate_matchers(matchers: Iterable[Matcher], pointer: str) -> None:
    """Raises Invalid for an expression that cannot be read."""
    for position, matcher in enumerate(matchers):
        if matcher.op in (Op.LIKE, Op.UNLIKE):
            try:
                validate_pattern(matcher.value)
            except BadPattern as error:
                raise Invalid(f"no regular expression: {error}", f"{pointer}/{position}/value") from error
