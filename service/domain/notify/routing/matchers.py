"""Matchers, as in Alertmanager: a label, a comparison, a value.

Regular expressions take time in proportion to the text, whatever a person wrote. Python's own backtrack, and `(a+)+$`
can occupy a worker for years. RE2 is what Alertmanager's matchers are written for:
https://github.com/google/re2/wiki/Syntax.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import re2

from service.domain.notify.routing.labels import Labels
from service.domain.values.errors import Invalid
from service.domain.values.mail_addresses import is_same

LONGEST_PATTERN = 200
MOST_MEMORY = 1 << 20
"""Bytes that a compiled expression may take."""

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.dot_nl = True
_OPTIONS.max_mem = MOST_MEMORY


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
    """A label may have several values, such as an id and a name: one equal is enough for `=`, and too many for `!=`.

    Mail addresses are equal however they are capitalised. Expressions are the text's.
    """
    values = labels.get(matcher.label) or frozenset({""})
    match matcher.op:
        case Op.EQUAL:
            return any(is_same(matcher.value, value) for value in values)
        case Op.NOT_EQUAL:
            return not any(is_same(matcher.value, value) for value in values)
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


class BadPattern(ValueError):
    """The expression cannot be read; the text says why."""


def is_like(pattern: str, text: str) -> bool:
    """Whether the expression describes the text from its beginning to its end. Raises BadPattern."""
    return _compiled(pattern).fullmatch(text) is not None


def validate_pattern(pattern: str) -> None:
    """Raises BadPattern."""
    _compiled(pattern)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re2._Regexp:
    if len(pattern) > LONGEST_PATTERN:
        raise BadPattern(f"an expression has {LONGEST_PATTERN} characters at most")
    try:
        return re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        raise BadPattern(error.args[0].decode("utf-8", "replace")) from error
