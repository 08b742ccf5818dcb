"""Fields that several documents share."""

from __future__ import annotations

from decimal import Decimal

import pytest

from service.api.http.fields import rounded


@pytest.mark.parametrize(("percent", "shown"), [("99.996", 99.99), ("100", 100.0), ("-0.239", -0.23), ("83.5", 83.5)])
def test_a_percentage_is_never_more_than_was_reached(percent: str, shown: float) -> None:
    assert rounded(Decimal(percent)) == shown
