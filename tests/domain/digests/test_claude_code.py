from __future__ import annotations

from service.domain.digests.claude_code import claude_code_words
from service.domain.spend.claude_code import CodeActivity
from service.domain.values.money import Money


def test_the_line_says_what_a_pull_request_and_a_person_cost_and_that_it_is_billed_already() -> None:
    people = frozenset({"person_a", "person_b"})
    activity = CodeActivity(people, sessions=1, pull_requests=4, cost=Money.of("48"))
    assert claude_code_words(activity) == (
        "2 active people, 1 session, 4 pull requests; about $48.00, estimated and part of the bill:"
        " $12.00 a pull request, $24.00 a person"
    )


def test_nobody_known_and_nothing_merged_leaves_the_shares_out() -> None:
    assert claude_code_words(CodeActivity(sessions=2, cost=Money.of("1"))) == (
        "2 sessions, 0 pull requests; about $1.00, estimated and part of the bill"
    )
    assert claude_code_words(CodeActivity()) == ""
