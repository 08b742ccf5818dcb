"""How many cases a test tries that judges whole pasts, where one of them takes long: all of them in `make test`."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from _pytest.mark import ParameterSet
from hypothesis import settings


def few(examples: int) -> settings:
    """So many examples of a property; in `make check` a fifth of them, and at least three."""
    share = min(1.0, settings().max_examples / 100)
    return settings(max_examples=max(3, round(examples * share)), deadline=None)


def cases(values: Iterable[object], *, at_once: int = 1) -> list[ParameterSet]:
    """All the values of a parametrisation. `make check` tries the first of them."""
    return [pytest.param(value, marks=[pytest.mark.further] * (at >= at_once)) for at, value in enumerate(values)]
