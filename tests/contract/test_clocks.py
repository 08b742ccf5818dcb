"""What every Clock does: the one that tests move by hand, and the product's own at any speed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.bootstrap.clock import process_clock
from service.settings import Settings
from service.workflows.ports.platform import Clock
from tests.fakes.clock import FakeClock, real_time_of

SETTINGS = {"as time goes": None, "faster": "now@3600", "from elsewhere": "2027-01-01T00:00:00Z@60"}


CLOCKS = [
    pytest.param(FakeClock(), id="by hand"),
    *(pytest.param(process_clock(Settings(clock=text)), id=name) for name, text in SETTINGS.items()),
]


@pytest.mark.parametrize("clock", CLOCKS)
def test_it_tells_an_aware_utc_instant(clock: Clock) -> None:
    assert clock().utcoffset() == timedelta()


@pytest.mark.parametrize("clock", CLOCKS)
def test_it_never_goes_back(clock: Clock) -> None:
    told = [clock() for _ in range(100)]
    assert told == sorted(told)


def test_what_is_due_by_the_clock_that_stands_is_due_for_the_queue() -> None:
    clock = FakeClock()
    to_real = real_time_of(clock)
    wall = process_clock(Settings())
    assert to_real(clock()) < wall()
    assert to_real(clock() + timedelta(hours=1)) > wall() + timedelta(minutes=59)
