"""Addresses that differ by case alone are of one person."""

import pytest

from service.domain.values.errors import Conflict
from service.domain.values.lookalikes import TakenNames
from service.domain.values.mail_addresses import is_mail_address, person_of


@pytest.mark.parametrize("text", ["ann@example.com", "ANN@example.com", "ann@EXAMPLE.com", "Ann@Example.Com"])
def test_case_makes_no_other_person(text: str) -> None:
    assert is_mail_address(text)
    assert person_of(text) == "ann@example.com"
    TakenNames([text]).require_unlike(text)
    with pytest.raises(Conflict, match="looks like"):
        TakenNames([text]).require_unlike("aNN@example.com")


@pytest.mark.parametrize(("one", "other"), [("Eng", "eng"), ("U012AB3CD", "u012ab3cd"), ("@Eng", "@eng")])
def test_what_is_no_address_keeps_its_case(one: str, other: str) -> None:
    assert not is_mail_address(one)
    assert person_of(one) != person_of(other)


def test_another_mailbox_is_another_person() -> None:
    assert person_of("ann@example.com") != person_of("ann+alerts@example.com")
