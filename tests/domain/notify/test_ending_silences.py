"""A silence ends soon in its last hour, a short one in its second half."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.notify.ending_silences import ends_soon
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.silences import Silence
from tests.factories import utc

START = utc("2026-11-16T12:00")
MATCHER = Matcher("kind", Op.EQUAL, "budget")


@pytest.mark.parametrize(
    ("lasts", "passed", "soon"),
    [(300, 239, False), (300, 240, True), (300, 300, False), (60, 29, False), (60, 30, True)],
)
def test_the_last_hour(lasts: int, passed: int, soon: bool) -> None:
    silence = Silence((MATCHER,), START, START + timedelta(minutes=lasts))
    assert ends_soon(silence, START + timedelta(minutes=passed)) is soon


def test_one_that_was_ended_early_ends_no_more() -> None:
    silence = Silence((MATCHER,), START, START + timedelta(hours=3))
    at = START + timedelta(hours=2, minutes=30)
    assert ends_soon(silence, at)
    assert not ends_soon(replace(silence, expired_at=at), at)
