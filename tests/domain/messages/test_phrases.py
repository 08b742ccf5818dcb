from __future__ import annotations

from service.domain.alerts.evidence import Contribution
from service.domain.messages.phrases import parts
from service.domain.values.money import Money
from service.domain.values.scopes import Dimension, ScopeKey


def test_several_of_a_kind_are_called_as_people_call_them() -> None:
    whose = [
        Contribution(ScopeKey(Dimension.ACTOR, "person_1"), "ada", Money.of("7")),
        Contribution(ScopeKey(Dimension.MODEL, "claude-opus-4-5"), "claude-opus-4-5", Money.of("3")),
    ]
    assert [label for label, _ in parts(whose)] == ["Largest models", "Largest people"]
