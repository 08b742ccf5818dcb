"""Values as the audit log shows them: no resource that holds a secret shows it."""

from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import timedelta
from typing import Any, get_type_hints

import pytest

from service.domain.notify.channels.console import Console
from service.domain.notify.channels.registry import KINDS
from service.domain.notify.receivers import Receiver
from service.domain.sources.source import Source
from service.domain.values.plain_values import differing, plainly
from service.domain.values.resources import Sealed
from service.domain.values.severity import Severity
from tests.factories import utc

SECRET = Sealed("FAKE-ciphertext", "...9f3a", "FAKE-digest")


def filled(kind: type[Any]) -> Any:
    """A value with a secret wherever one fits, and some text in whatever else has no default."""
    hints = get_type_hints(kind)
    needed = [one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING]
    secret = [one.name for one in fields(kind) if "Sealed" in str(hints[one.name])]
    return kind(**dict.fromkeys(needed, "text") | dict.fromkeys(secret, SECRET))


@pytest.mark.parametrize("kind", [*KINDS.values(), Source])
def test_of_a_secret_its_end_is_shown_alone(kind: type[Any]) -> None:
    shown = str(plainly((filled(kind), {"nested": filled(kind)})))
    assert "FAKE" not in shown
    assert ("9f3a" in shown) == ("Sealed" in str(get_type_hints(kind)))


def test_times_durations_and_words_are_readable() -> None:
    value = {Severity.ERROR: (utc("2026-11-16T12:00"), timedelta(hours=4), frozenset({"b", "a"}))}
    assert plainly(value) == {"error": ["2026-11-16T12:00:00+00:00", "4h", ["a", "b"]]}


def test_only_fields_that_differ_are_shown() -> None:
    before = Receiver((Console(),))
    assert differing(before, before) == ({}, {})
    assert differing(before, Receiver(())) == ({"channels": [{"link": "none", "kind": "console"}]}, {"channels": []})
