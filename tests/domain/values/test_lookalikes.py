"""Names that look like others, and names with parts that nobody sees."""

import pytest

from service.domain.values.errors import Conflict, Invalid
from service.domain.values.lookalikes import TakenNames, require_visible, skeleton


@pytest.mark.parametrize(
    "name",
    ["eng\u202egnitset", "eng\u200b", "\u2066eng", "e\u200dng", "\ufeffeng", "eng\u00ad", "eng\u3164", "eng\u2028"],
    ids=ascii,
)
def test_a_name_with_a_character_that_nobody_sees_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match=r"U\+"):
        require_visible(name)


@pytest.mark.parametrize("name", ["eng monthly", "Müller & Søn", "予算", "ميزانية", "команда", "❤\ufe0f", "team/eng"])
def test_an_honest_name_of_any_script_is_taken(name: str) -> None:
    require_visible(name)
    TakenNames(["eng", "budget"]).require_unlike(name)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("раураl", "paypal"[:4] + "al"),  # Cyrillic er, a, u
        ("Ορs", "Ops"),  # Greek omicron, rho
        ("ｅｎｇ", "eng"),  # full width
        ("𝐞𝐧𝐠", "eng"),  # mathematical
        ("eng\ufe0f", "eng"),
        ("eng\u00a0ops", "eng ops"),
    ],
    ids=ascii,
)
def test_a_name_that_looks_like_another_is_refused(name: str, other: str) -> None:
    assert skeleton(name) == skeleton(other)
    with pytest.raises(Conflict, match="looks like"):
        TakenNames(["unrelated", other]).require_unlike(name)


def test_the_same_name_and_another_case_are_no_trick() -> None:
    TakenNames(["eng", "Eng", "ENG"]).require_unlike("eng")


def test_a_name_that_was_just_added_is_taken_too() -> None:
    taken = TakenNames([])
    taken.add("eng")
    with pytest.raises(Conflict, match="looks like 'eng'"):
        taken.require_unlike("ｅｎｇ")
