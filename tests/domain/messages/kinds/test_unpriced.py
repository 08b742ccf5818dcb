"""What the alert about a model without a price says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.domain.alerts.alert import Reason
from service.domain.messages.kinds import words_of
from tests.sample_alerts import UNPRICED


@pytest.mark.parametrize(("tokens", "said"), [(100_000, "100k"), (999_999, "999k"), (12_345_678, "12.3M")])
def test_tokens_are_said_in_a_few_digits(tokens: int, said: str) -> None:
    words = words_of(replace(UNPRICED, tokens=tokens))
    assert words.headline() == (
        f"{said} tokens of claude-next have no price: their cost is missing until the bill of Tue 13 Oct"
    )
    assert f"{tokens:,}" in dict(words.facts())["Tokens"]


def test_a_name_never_stands_in_a_command_that_people_paste() -> None:
    words = words_of(replace(UNPRICED, model="x'; rm -rf ~; '"))
    assert "rm -rf" in words.headline()
    step = words.next_step("https://tocsin.example.com/v1")
    assert "https://tocsin.example.com/v1/prices " in step
    assert '"valid_from": "2026-10-01T00:00:00Z"' in step
    assert "rm -rf" not in step


def test_only_an_end_of_its_own_has_words() -> None:
    assert words_of(UNPRICED).ended(Reason.RECOVERED) == "what claude-next costs is known by now"
    assert words_of(UNPRICED).ended(Reason.SOURCE_GONE) == ""
