"""Cyclic garbage is looked for more rarely, and still goes away by itself."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from service.bootstrap.collector import THRESHOLDS, spare_what_lives


class Knot:
    """An object that refers to itself: counting references never frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def spared() -> Iterator[None]:
    before = gc.get_threshold()
    spare_what_lives()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("spared")
def test_garbage_is_freed_without_being_asked_for() -> None:
    first = weakref.ref(Knot())
    for _ in range(THRESHOLDS[0]):
        Knot()
    assert first() is None


@pytest.mark.usefixtures("spared")
def test_what_lived_before_is_looked_through_no_more() -> None:
    assert gc.get_freeze_count() > len(gc.get_objects())
