"""Links to pictures: what they say, and when they end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.domain.charts.links import VALID_FOR, ChartLink
from tests.factories import utc

NOW = utc("2026-11-16T12:00")
LINK = ChartLink("alert_" + "0123456789abcdef" * 2, 3, NOW + VALID_FOR)


def test_a_link_is_read_as_it_was_written() -> None:
    assert ChartLink.parse(str(LINK)) == LINK


def test_it_holds_for_seven_days() -> None:
    assert LINK.holds(NOW + timedelta(days=7, seconds=-1))
    assert not LINK.holds(NOW + timedelta(days=7))


@pytest.mark.parametrize("text", ["", "alert_1-1-1", f"{LINK}-1", str(LINK).upper(), f"../{LINK}", str(LINK)[:-11]])
def test_anything_else_is_no_link(text: str) -> None:
    assert ChartLink.parse(text) is None
