"""The four comparisons of a matcher, on labels of no, one and two values."""

from __future__ import annotations

import pytest

from service.domain.notify.routing.labels import Labels, parse_labels
from service.domain.notify.routing.matchers import Matcher, Op, match_all, matches, validate_matchers
from service.domain.values.errors import Invalid

LABELS: Labels = {
    "severity": frozenset({"critical"}),
    "workspace": frozenset({"wrkspc_eng", "eng"}),
    "owner": frozenset({"rcv_1", "Ann@Example.com"}),
}


@pytest.mark.parametrize(
    ("label", "op", "value", "matched"),
    [
        ("severity", Op.EQUAL, "critical", True),
        ("severity", Op.EQUAL, "crit", False),
        ("severity", Op.NOT_EQUAL, "warning", True),
        ("severity", Op.NOT_EQUAL, "critical", False),
        ("severity", Op.LIKE, "error|critical", True),
        ("severity", Op.LIKE, "crit", False),
        ("severity", Op.UNLIKE, "info|warning", True),
        ("severity", Op.UNLIKE, "c.*", False),
        ("workspace", Op.EQUAL, "eng", True),
        ("workspace", Op.EQUAL, "wrkspc_eng", True),
        ("workspace", Op.NOT_EQUAL, "eng", False),
        ("workspace", Op.NOT_EQUAL, "research", True),
        ("workspace", Op.LIKE, "wrkspc_.*", True),
        ("workspace", Op.UNLIKE, "e..", False),
        ("workspace", Op.EQUAL, "Eng", False),
        ("owner", Op.EQUAL, "ann@example.com", True),
        ("owner", Op.EQUAL, "ANN@example.com", True),
        ("owner", Op.NOT_EQUAL, "ann@example.COM", False),
        ("owner", Op.EQUAL, "ben@example.com", False),
        ("owner", Op.LIKE, "ann@.*", False),
        ("team", Op.EQUAL, "eng", False),
        ("team", Op.EQUAL, "", True),
        ("team", Op.NOT_EQUAL, "eng", True),
        ("team", Op.NOT_EQUAL, "", False),
        ("team", Op.LIKE, ".+", False),
        ("team", Op.LIKE, ".*", True),
        ("team", Op.UNLIKE, ".+", True),
    ],
)
def test_a_matcher_compares_as_alertmanager_s_do(label: str, op: Op, value: str, matched: bool) -> None:
    assert matches(Matcher(label, op, value), LABELS) is matched


def test_all_matchers_have_to_match() -> None:
    critical, eng = Matcher("severity", Op.EQUAL, "critical"), Matcher("workspace", Op.EQUAL, "eng")
    assert match_all((), LABELS)
    assert match_all((critical, eng), LABELS)
    assert not match_all((critical, Matcher("workspace", Op.EQUAL, "research")), LABELS)


def test_an_expression_that_cannot_be_read_is_invalid_at_its_place() -> None:
    fine, broken = Matcher("team", Op.EQUAL, "("), Matcher("team", Op.UNLIKE, "(")
    validate_matchers((fine,), "/matchers")
    with pytest.raises(Invalid, match="no regular expression") as refused:
        validate_matchers((fine, broken), "/matchers")
    assert refused.value.pointer == "/matchers/1/value"


def test_labels_are_written_as_pairs() -> None:
    pairs = parse_labels(["team=a=b", "workspace=eng", "workspace=wrkspc_eng"])
    assert pairs == {"team": {"a=b"}, "workspace": {"eng", "wrkspc_eng"}}
    for wrong in ("team", "=eng"):
        with pytest.raises(ValueError, match="such as severity=critical"):
            parse_labels([wrong])
