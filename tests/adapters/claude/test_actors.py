from __future__ import annotations

from collections import Counter

import pytest

from service.adapters.claude.actors import NAMELESS, ActorParser, NamedActor
from service.adapters.vault import FernetVault
from service.domain.sources.source import People

MAIL = "ada@people.example"
PERSON = {"type": "user_actor", "user_id": "user_01Ada", "email_address": MAIL, "name": "Ada", "deleted": False}
_VAULT = FernetVault("a secret key of the tests")


def parsed(people: People, value: object) -> tuple[NamedActor | None, Counter[str]]:
    notices: Counter[str] = Counter()
    return ActorParser(people, _VAULT.pseudonym).parse(value, notices), notices


def test_a_hashed_person_is_a_number_that_says_nothing_and_stays_the_same() -> None:
    actor, _ = parsed(People.HASHED, PERSON)
    again, _ = parsed(People.HASHED, PERSON | {"email_address": "Ada@People.example", "name": "Ada Lovelace"})
    assert actor is not None
    assert actor == again
    assert actor.id == f"person_{_VAULT.pseudonym(MAIL)}"
    assert actor.name == f"person {actor.id[7:15]}"
    assert FernetVault("another key").pseudonym(MAIL) not in actor.id


def test_a_named_person_has_the_same_number_and_the_mail_beside_it() -> None:
    hashed, _ = parsed(People.HASHED, PERSON)
    named, _ = parsed(People.NAMES, PERSON)
    assert hashed is not None
    assert named == NamedActor(hashed.id, MAIL)


def test_a_new_secret_key_in_front_makes_nobody_another_person() -> None:
    assert FernetVault("new,old").pseudonym("user_01Ada") == FernetVault("old").pseudonym("user_01Ada")


def test_a_mail_of_300_characters_is_kept_whole() -> None:
    mail = f"{'a' * 284}@people.example"
    named, notices = parsed(People.NAMES, PERSON | {"email_address": mail})
    assert named is not None
    assert (named.name, notices) == (mail, Counter())


@pytest.mark.parametrize(
    "mail", ["ada\u0007@people.example", "ada\ud800@people.example", "a" * 501, "\u202eada@x.example"]
)
def test_a_mail_that_cannot_be_kept_whole_is_not_kept_and_stands_in_no_notice(mail: str) -> None:
    named, notices = parsed(People.NAMES, PERSON | {"email_address": mail})
    assert named is not None
    assert named.name.startswith("person ")
    assert notices == Counter({NAMELESS: 1})


@pytest.mark.parametrize(
    "value",
    [
        None,
        "ada@people.example",
        {"type": "user_actor", "user_id": None, "email_address": None, "deleted": True},
        {"type": "api_actor", "api_key_id": "apikey_1"},
        {"type": "robot_actor", "robot_id": "r1"},
        {"type": "service_account_actor", "service_account_id": "svac_\u0007"},
    ],
    ids=["null", "text", "deleted", "key", "new", "unprintable"],
)
def test_nobody_is_named_where_no_person_or_service_account_is(value: object) -> None:
    assert parsed(People.NAMES, value) == (None, Counter())


def test_a_service_account_keeps_its_id() -> None:
    actor, _ = parsed(People.HASHED, {"type": "service_account_actor", "service_account_id": "svac_01"})
    assert actor == NamedActor("svac_01", "service account svac_01")


def test_switched_off_nobody_is_known() -> None:
    assert parsed(People.OFF, PERSON) == (None, Counter())
