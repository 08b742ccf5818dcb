"""Regular expressions that take time in proportion to the text, whatever a person wrote.

Python's own backtrack, and `(a+)+$` can occupy a worker for years. RE2 is what Alertmanager's matchers are written for:
https://github.com/google/re2/wiki/Syntax.
"""

from __future__ import annotations

from functools import lru_cache

import re2

LONGEST_PATTERN = 200
MOST_MEMORY = 1 << 20
"""Bytes that a compiled expression may take."""

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.dot_nl = True
_OPTIONS.max_mem = MOST_MEMORY


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
