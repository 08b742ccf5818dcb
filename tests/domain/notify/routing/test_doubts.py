from __future__ import annotations

import pytest

from service.domain.notify.routing.doubts import closed_labels, doubts, require_possible
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.values.errors import Invalid

KNOWN = {"workspace": {"production", "staging", "wrkspc_1"}, "team": {"eng"}, "model": {"claude-opus-4-5"}}


_KINDS = "budget, rule, stale_source, undelivered, silence_ends, unpriced, incomplete or drill"


@pytest.mark.parametrize(
    ("label", "op", "value", "values"),
    [
        ("severity", Op.EQUAL, "high", "info, warning, error or critical"),
        ("severity", Op.NOT_EQUAL, "fatal", "info, warning, error or critical"),
        ("severity", Op.LIKE, "crit", "info, warning, error or critical"),
        ("severity", Op.EQUAL, "", "info, warning, error or critical"),
        (
            "kind",
            Op.EQUAL,
            "anomaly",
            _KINDS,
        ),
        (
            "kind",
            Op.UNLIKE,
            "cost.*",
            _KINDS,
        ),
        ("basis", Op.EQUAL, "billed", "actual or forecast"),
        ("rule_kind", Op.EQUAL, "spike", "anomaly"),
    ],
)
def test_a_value_that_a_closed_label_never_has_is_refused_with_those_that_it_has(
    label: str, op: Op, value: str, values: str
) -> None:
    fine = Matcher("team", Op.EQUAL, "anything")
    with pytest.raises(Invalid, match="no alert has the") as refused:
        require_possible((fine, Matcher(label, op, value)), "/matchers")
    assert values in str(refused.value)
    assert refused.value.pointer == "/matchers/1/value"


@pytest.mark.parametrize("label", closed_labels())
def test_every_value_of_a_closed_label_is_possible(label: str) -> None:
    for value in closed_labels()[label]:
        for op in Op:
            require_possible((Matcher(label, op, value),), "/matchers")
    require_possible((Matcher(label, Op.LIKE, ".+"), Matcher(label, Op.NOT_EQUAL, "")), "/matchers")


def test_an_alert_without_a_basis_or_a_rules_kind_can_be_asked_for() -> None:
    require_possible((Matcher("basis", Op.EQUAL, ""), Matcher("rule_kind", Op.EQUAL, "")), "/matchers")


@pytest.mark.parametrize(
    ("matcher", "doubt"),
    [
        (
            Matcher("workspace", Op.EQUAL, "prodution"),
            "no alert has workspace='prodution' so far; the nearest: production",
        ),
        (Matcher("model", Op.EQUAL, "opus"), "no alert has model='opus' so far; the nearest: claude-opus-4-5"),
        (Matcher("sevrity", Op.EQUAL, "critical"), "no alert has a label sevrity so far; the nearest: severity"),
        (Matcher("team", Op.NOT_EQUAL, "zzz"), "no alert has team='zzz' so far"),
    ],
)
def test_what_nothing_has_so_far_is_in_doubt_with_the_nearest(matcher: Matcher, doubt: str) -> None:
    assert doubts([matcher, matcher], KNOWN) == [doubt]


def test_what_something_has_is_not_in_doubt() -> None:
    fine = [
        Matcher("workspace", Op.EQUAL, "staging"),
        Matcher("team", Op.LIKE, "e.*"),
        Matcher("team", Op.NOT_EQUAL, ""),
    ]
    assert doubts([*fine, Matcher("severity", Op.EQUAL, "error")], KNOWN) == []


def test_a_person_s_mail_address_is_in_no_doubt_however_it_is_capitalised() -> None:
    known = {"owner": {"ann@example.com"}}
    assert doubts([Matcher("owner", Op.EQUAL, "Ann@Example.com")], known) == []
    assert doubts([Matcher("owner", Op.EQUAL, "Ben@Example.com")], known) != []
