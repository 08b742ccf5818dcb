"""When an evaluation is due although nothing was read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from service.domain.alerts.due_again import due_again
from service.domain.sources.source import SourceState
from tests.factories import utc

NOW = utc("2026-11-16T12:07")
WELL = SourceState("src_1", fence=1, next_poll_at=NOW)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-16T12:00", "2026-11-16T12:15"),
        ("2026-11-16T12:14", "2026-11-16T12:15"),
        ("2026-11-16T18:29", "2026-11-16T18:30"),  # midnight in Kolkata
        ("2026-12-31T23:59", "2027-01-01T00:00"),
    ],
)
def test_it_is_due_at_the_next_quarter_of_an_hour(now: str, due: str) -> None:
    assert due_again(WELL, utc(now), waits=False) == utc(due)


@pytest.mark.parametrize(("failing_since", "waits"), [(NOW, False), (None, True)])
def test_it_is_due_at_once_where_minutes_count(failing_since: datetime | None, *, waits: bool) -> None:
    assert due_again(replace(WELL, failing_since=failing_since), NOW, waits=waits) == NOW


@pytest.mark.parametrize(
    ("assessed", "read", "at_once"),
    [("2026-11-16T11:58", "2026-11-16T12:03", True), ("2026-11-16T12:00", "2026-11-16T12:05", False)],
)
def test_it_is_due_at_once_where_the_bill_it_saw_first_may_close_a_period(
    assessed: str, read: str, *, at_once: bool
) -> None:
    state = replace(WELL, assessed_read_at=utc(assessed), cost_read_at=utc(read))
    assert (due_again(state, NOW, waits=False) == NOW) is at_once
