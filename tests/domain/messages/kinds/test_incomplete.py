from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from service.domain.alerts.alert import Reason
from service.domain.messages.kinds import words_of
from service.domain.spend.flaws import FlawKind
from service.domain.values.money import Money
from tests.sample_alerts import INCOMPLETE


@pytest.mark.parametrize(
    ("flaw", "headline"),
    [
        (FlawKind.EMPTY_BILL, "No bill from source acme for Mon 12 Oct: it came back empty, which is not believed"),
        (FlawKind.EMPTY_USAGE, "No usage from source acme for Mon 12 Oct: it came back empty, which is not believed"),
        (FlawKind.TOTAL_DIFFERS, "The bill from source acme for Mon 12 Oct is not the sum of its groups"),
    ],
)
def test_the_headline_says_which_report_and_which_day(flaw: FlawKind, headline: str) -> None:
    assert words_of(replace(INCOMPLETE, flaw=flaw)).headline() == headline


def test_a_total_that_differs_comes_with_both_amounts() -> None:
    evidence = replace(
        INCOMPLETE, flaw=FlawKind.TOTAL_DIFFERS, known=Money.of("1210.55"), total=Money.of("1300.00"),
        days=(date(2026, 10, 12), date(2026, 10, 13)),
    )  # fmt: skip
    words = words_of(evidence)
    assert words.summary().startswith("The groups add up to $1,210, the total says $1,300.")
    assert dict(words.facts())["Days"] == "2026-10-12, 2026-10-13"


def test_only_an_end_of_its_own_has_words() -> None:
    assert words_of(INCOMPLETE).ended(Reason.RECOVERED) == "source acme is read whole again"
    assert words_of(INCOMPLETE).ended(Reason.SOURCE_GONE) == ""
