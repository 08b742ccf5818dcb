from datetime import UTC, datetime

import pytest

from service.domain.sources.poll import Poll, PollKind, PollState, WaitsFor, waits_for

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
SCHEDULED, REQUESTED, BACKFILL = PollKind.SCHEDULED, PollKind.REQUESTED, PollKind.BACKFILL
QUEUED, RUNNING = PollState.QUEUED, PollState.RUNNING


@pytest.mark.parametrize(
    ("unfinished", "expected"),
    [
        ([], None),
        ([(SCHEDULED, RUNNING)], None),
        ([(BACKFILL, QUEUED)], None),
        ([(SCHEDULED, QUEUED)], WaitsFor.WORKER),
        ([(BACKFILL, QUEUED), (SCHEDULED, QUEUED)], WaitsFor.WORKER),
        ([(BACKFILL, RUNNING), (SCHEDULED, QUEUED)], WaitsFor.BACKFILL),
        ([(BACKFILL, RUNNING), (REQUESTED, RUNNING), (SCHEDULED, QUEUED)], WaitsFor.POLL),
    ],
)
def test_a_queued_poll_waits_for_what_runs_of_its_source_else_for_a_worker(
    unfinished: list[tuple[PollKind, PollState]], expected: WaitsFor | None
) -> None:
    polls = [Poll(f"poll_{number}", "src_1", kind, state, AT) for number, (kind, state) in enumerate(unfinished)]
    assert waits_for(polls) == expected
