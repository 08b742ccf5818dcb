"""Expressions mean what Alertmanager's mean, and never take longer for being clever."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.notify.routing.matchers import LONGEST_PATTERN, BadPattern, is_like, validate_pattern

COUNTS = st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0,}"])
ATOMS = st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", "\\w", "\\.", "-"])


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}|{two[1]})"),
        st.tuples(inner, COUNTS).map(lambda two: f"(?:{two[0]}){two[1]}"),
    )


@given(st.recursive(ATOMS, grown, max_leaves=6), st.text("abc.-X", max_size=8))
def test_an_expression_matches_what_python_s_own_matches(pattern: str, text: str) -> None:
    assert is_like(pattern, text) == bool(re.fullmatch(pattern, text, re.DOTALL))


@pytest.mark.parametrize(
    ("pattern", "text", "matched"),
    [
        ("error|critical", "critical", True),
        ("error|critical", "critical!", False),
        ("claude-opus-.*", "claude-opus-4-5", True),
        ("claude-opus-.*", "not claude-opus-4-5", False),
        ("(?i)ENG", "eng", True),
        ("ENG", "eng", False),
        ("", "", True),
        ("x?", "", True),
        ("^eng$", "eng", True),
        ("[0-9]{4}-[0-9]{2}", "2026-11", True),
        ("caf.", "café", True),
        ("\\p{Hebrew}+", "שלום", True),
        ("one.*two", "one\ntwo", True),
    ],
)
def test_an_expression_means_the_whole_value(pattern: str, text: str, matched: bool) -> None:
    assert is_like(pattern, text) is matched


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "missing )"),
        ("a)", "unexpected )"),
        ("[z-a]", "invalid character class range"),
        ("*", "no argument for repetition operator"),
        ("(?=a)", "invalid perl operator"),
        ("\\1", "invalid escape sequence"),
        ("((a{50}){50}){50}", "invalid repetition size"),
        ("(\\p{L}{50}){19}", "pattern too large"),
        ("x" * (LONGEST_PATTERN + 1), f"{LONGEST_PATTERN} characters at most"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(pattern: str, why: str) -> None:
    with pytest.raises(BadPattern, match=re.escape(why)):
        validate_pattern(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a*)*b", "((a{1,20}){1,20})*b", "(.*)*(.*)*(.*)*b"])
def test_an_expression_that_would_occupy_python_for_years_is_answered(pattern: str) -> None:
    """With Python's own, none of these ends before the test is given up."""
    assert not is_like(pattern, "a" * 500)
