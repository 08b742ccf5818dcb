from dataclasses import replace
from datetime import UTC, datetime

import pytest

from service.domain.sources.poll import Poll, PollKind, PollState, WaitsFor, left_over, merged, waits_for
from service.domain.values.periods import Window
from service.domain.values.utc import DAY

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


def backfill(number: int, days: tuple[int, int], state: PollState = PollState.FAILED, done_until: int = 0) -> Poll:
    window = Window(AT + days[0] * DAY, AT + days[1] * DAY)
    until = AT + done_until * DAY if done_until else None
    made = AT + number * DAY
    return Poll(f"poll_{number}", "src_1", BACKFILL, state, made, finished_at=made, window=window, done_until=until)


@pytest.mark.parametrize(
    ("failed", "kept"),
    [
        ([((0, 9), 0)], [(0, 9)]),
        ([((0, 9), 0), ((3, 9), 0), ((0, 7), 0)], [(0, 9)]),
        ([((0, 5), 0), ((3, 9), 0)], [(0, 9)]),
        ([((0, 5), 0), ((5, 9), 0)], [(0, 9)]),
        ([((0, 9), 6), ((3, 9), 0)], [(3, 9)]),
        ([((6, 9), 0), ((0, 5), 0)], [(0, 5), (6, 9)]),
    ],
)
def test_failed_backfills_are_merged_so_that_no_day_is_read_twice(
    failed: list[tuple[tuple[int, int], int]], kept: list[tuple[int, int]]
) -> None:
    polls = [backfill(number, days, done_until=until) for number, (days, until) in enumerate(failed)]
    windows = [poll.window for poll in merged(polls) if poll.window is not None]
    assert [((one.start - AT) // DAY, (one.end - AT) // DAY) for one in windows] == kept


@pytest.mark.parametrize(
    ("other", "is_left"),
    [
        (backfill(2, (0, 9), PollState.DONE), False),
        (backfill(2, (0, 4), PollState.DONE), True),
        (backfill(0, (0, 9), PollState.DONE), True),
        (replace(backfill(0, (0, 9), PollState.DONE), finished_at=AT + 2 * DAY), False),
        (backfill(0, (0, 9), PollState.RUNNING, done_until=2), False),
        (backfill(0, (0, 9), PollState.RUNNING, done_until=4), True),
        (backfill(2, (0, 8), PollState.QUEUED), True),
    ],
    ids=[
        "by a later one",
        "in part",
        "before it failed",
        "by an older one that was taken up again",
        "soon by one that runs",
        "in part by one that runs",
        "in part by one that waits",
    ],
)
def test_a_failed_backfill_is_left_over_until_another_has_read_its_rest(other: Poll, is_left: bool) -> None:
    failed = backfill(1, (0, 9), done_until=3)
    assert left_over([other, failed]) == ([failed] if is_left else [])
