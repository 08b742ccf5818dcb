from __future__ import annotations

from datetime import UTC, datetime

import pytest

from service.domain.digests.caching import CacheCompared, caching_words, whole_days
from service.domain.spend.caching import CacheFigure
from service.domain.values.money import Money
from service.domain.values.periods import Window


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "days"),
    [
        (Window(at(1), at(8)), Window(at(1), at(8))),
        (Window(at(1, 5), at(8, 5)), Window(at(2), at(8))),
        (Window(at(1, 23), at(2, 23)), None),
        (Window(at(1), at(1, 12)), None),
        (Window(at(1, 1), at(3)), Window(at(2), at(3))),
    ],
)
def test_caching_is_about_days_that_are_wholly_in_the_period(window: Window, days: Window | None) -> None:
    assert whole_days(window) == days


def test_it_says_the_share_the_dollars_and_the_waste() -> None:
    now = CacheFigure(29, 71, 10, 0, Money.of("3259.266"), Money.of("12.00"), Money.of("0.349"))
    before = CacheFigure(uncached=32, read=68)
    words = caching_words(CacheCompared(now, before))
    assert words == (
        "64% of the input came from a cache (68% in the period before); $3,259.26 saved; "
        "at least $12.34 paid for writes that nobody read"
    )


def test_writes_that_cost_more_than_reads_saved_are_no_saving() -> None:
    now = CacheFigure(90, 1, 9, 0, Money.of("-5.00"))
    assert caching_words(CacheCompared(now, CacheFigure())) == (
        "1% of the input came from a cache; $5.00 more than without caches"
    )


@pytest.mark.parametrize("figure", [CacheFigure(), CacheFigure(uncached=100)])
def test_without_caches_nothing_is_said(figure: CacheFigure) -> None:
    assert caching_words(CacheCompared(figure, CacheFigure(read=5))) == ""
