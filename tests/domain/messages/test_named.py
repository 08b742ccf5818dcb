from __future__ import annotations

from dataclasses import replace

from service.domain.alerts.evidence import Contribution
from service.domain.messages.message import compose
from service.domain.messages.named import actors_in, with_names
from service.domain.notify.notification import Action
from service.domain.values.money import Money
from service.domain.values.scopes import Dimension, ScopeKey
from tests.sample_alerts import RULE, RULE_ALERT, event

ADA = ScopeKey(Dimension.ACTOR, "person_7f3a91c2d4e5f607")
MAIL = "ada@people.example"
NUMBERED = replace(
    RULE,
    scope_name="person 7f3a91c2",
    cause="Person 7f3a91c2 spent $400.00 on Tuesday.",
    contributions=(Contribution(ADA, "person 7f3a91c2", Money.of("380"), spent=Money.of("400")),),
)
OPENED = event(alert=RULE_ALERT, evidence=NUMBERED)


def shown(names: dict[ScopeKey, str]) -> str:
    return repr(compose(with_names(OPENED, names), Action.OPEN, "http://tocsin.example"))


def test_a_name_takes_the_place_of_the_number_wherever_it_stands() -> None:
    assert actors_in(OPENED.alert) == {ADA}
    text = shown({ADA: MAIL})
    assert f"Person {MAIL}" in text
    assert "7f3a91c2" not in text


def test_without_a_name_the_number_stays() -> None:
    assert "Person 7f3a91c2" in shown({})
    assert shown({ADA: "person 7f3a91c2"}) == shown({})


def test_a_name_that_is_longer_than_a_line_is_cut_where_it_is_shown() -> None:
    text = shown({ADA: f"{'a' * 284}@people.example"})
    assert "7f3a91c2" not in text
    assert "a" * 100 not in text
