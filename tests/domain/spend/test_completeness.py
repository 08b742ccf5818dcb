from __future__ import annotations

import pytest

from service.domain.spend.completeness import BucketKnowledge, BucketState, state_of
from service.domain.spend.rows import Width
from service.domain.values.periods import Window
from tests.factories import utc

DAY = Window(utc("2026-11-14"), utc("2026-11-15"))
HOUR = Window(utc("2026-11-14T10:00"), utc("2026-11-14T11:00"))
READ = BucketKnowledge(contained=True)
WHOLE = BucketKnowledge(contained=True, complete=True, has_rows=True)


@pytest.mark.parametrize(
    ("known", "now", "spent", "state"),
    [
        (BucketKnowledge(), "2026-11-13T23:59", False, BucketState.AHEAD),
        (BucketKnowledge(), "2026-11-14T00:01", False, BucketState.MISSING),
        (BucketKnowledge(), "2026-11-20T00:00", False, BucketState.MISSING),
        (READ, "2026-11-14T12:00", False, BucketState.OPEN),
        (READ, "2026-11-15T23:59", True, BucketState.OPEN),
        (READ, "2026-11-16T00:00", True, BucketState.LATE),
        (WHOLE, "2026-11-16T00:00", True, BucketState.COMPLETE),
        (WHOLE, "2026-11-16T00:00", False, BucketState.ZERO),
        (BucketKnowledge(contained=True, complete=True), "2026-11-16T00:00", False, BucketState.EMPTY),
    ],
)
def test_nothing_spent_is_five_things(known: BucketKnowledge, now: str, spent: bool, state: BucketState) -> None:
    assert state_of(Width.DAY, DAY, known, utc(now), spent=spent) is state


def test_what_is_not_believed_is_suspect_whatever_else_is_known_of_it() -> None:
    suspect = BucketKnowledge(contained=True, complete=True, has_rows=True, suspect=True)
    assert state_of(Width.DAY, DAY, suspect, utc("2026-11-20"), spent=True) is BucketState.SUSPECT


def test_spend_without_a_row_of_the_bill_is_not_empty() -> None:
    """The Priority Tier has no row."""
    known = BucketKnowledge(contained=True, complete=True)
    assert state_of(Width.DAY, DAY, known, utc("2026-11-20"), spent=True) is BucketState.COMPLETE


def test_an_hour_fills_up_for_minutes_and_is_late_after_them() -> None:
    found = [
        state_of(Width.HOUR, HOUR, READ, utc(now), spent=False) for now in ("2026-11-14T11:09", "2026-11-14T11:10")
    ]
    assert found == [BucketState.OPEN, BucketState.LATE]
