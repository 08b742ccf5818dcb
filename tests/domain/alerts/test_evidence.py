"""The list of alert kinds."""

from __future__ import annotations

from dataclasses import fields

from service.domain.alerts.evidence import ALERT_KINDS, Evidence


def test_every_kind_is_listed_under_the_word_that_it_is_stored_by() -> None:
    words = {kind: field.default for kind, cls in ALERT_KINDS.items() for field in fields(cls) if field.name == "kind"}
    assert words == {kind: kind for kind in ALERT_KINDS}


def test_every_kind_of_the_product_is_listed() -> None:
    own = {cls for cls in Evidence.__subclasses__() if cls.__module__.startswith("service.")}
    assert {cls.__name__ for cls in own} == {cls.__name__ for cls in ALERT_KINDS.values()}
