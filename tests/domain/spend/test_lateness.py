"""The rules about late bills, staleness and closing, by the instant at which each of them turns."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from service.domain.sources.source import SourceState
from service.domain.spend.lateness import (
    CLOSING_FOR,
    LATE_FOR,
    BucketReading,
    DayKnowledge,
    Patience,
    Revise,
    closing_for,
    day_known,
    fresh_days,
    hours_from,
    is_complete,
    is_deep,
    is_found_late,
    is_known_day,
    is_settled,
    is_stale,
    known_hours,
    late_since,
    mature_until,
    newly_read_from,
    read_bucket,
    read_from,
)
from service.domain.spend.rows import Width
from service.domain.values.periods import Window
from service.domain.values.utc import DAY, HOUR, MINUTE, utc_day
from tests.factories import utc

TODAY = date(2026, 11, 21)
NOW = utc("2026-11-21T12:30")
MOMENT = timedelta.resolution
DAY_BUCKET = utc_day(TODAY)
HOUR_BUCKET = Window(utc("2026-11-21T12"), utc("2026-11-21T13"))
MINUTE_BUCKET = Window(NOW, NOW + MINUTE)
FAILING = SourceState("src_1", fence=7, next_poll_at=NOW, failures=1, failing_since=NOW)
READ = SourceState("src_1", fence=7, next_poll_at=NOW, cost_read_at=NOW, deep_read_at=NOW)


# -------------------------------------------------------------------------------- settled, complete, mature


def test_a_day_is_settled_when_it_was_read_24_hours_after_its_end() -> None:
    assert not is_settled(DAY_BUCKET, DAY_BUCKET.end + DAY - MOMENT)
    assert is_settled(DAY_BUCKET, DAY_BUCKET.end + DAY)


@pytest.mark.parametrize(
    ("width", "bucket", "complete_from"),
    [
        (Width.DAY, DAY_BUCKET, DAY_BUCKET.end + DAY),
        (Width.HOUR, HOUR_BUCKET, HOUR_BUCKET.end),
        (Width.MINUTE, MINUTE_BUCKET, MINUTE_BUCKET.end),
    ],
)
def test_a_day_is_complete_once_it_is_settled_and_an_hour_once_it_is_over(
    width: Width, bucket: Window, complete_from: datetime
) -> None:
    assert not is_complete(width, bucket, complete_from - MOMENT)
    assert is_complete(width, bucket, complete_from)


@pytest.mark.parametrize(
    ("complete_until", "read_at", "mature"),
    [
        (utc("2026-11-21T12"), utc("2026-11-21T12:09"), utc("2026-11-21T11")),
        (utc("2026-11-21T12"), utc("2026-11-21T12:10"), utc("2026-11-21T12")),
        (utc("2026-11-21T12"), utc("2026-11-21T15:00"), utc("2026-11-21T12")),
        (None, utc("2026-11-21T12:10"), None),
        (utc("2026-11-21T12"), None, None),
    ],
)
def test_an_hour_is_as_complete_as_it_gets_when_it_was_read_ten_minutes_after_its_end(
    complete_until: datetime | None, read_at: datetime | None, mature: datetime | None
) -> None:
    assert mature_until(complete_until, read_at) == mature


@pytest.mark.parametrize(
    ("billed", "read", "closed", "known"),
    [
        (True, 0, 0, True),
        (False, 0, 0, False),
        (False, 12, 12, True),
        (False, 13, 12, True),
        (False, 12, 11, False),
    ],
)
def test_a_day_is_known_by_its_bill_or_by_all_its_hours_that_are_over(
    billed: bool, read: int, closed: int, known: bool
) -> None:
    assert is_known_day(TODAY, NOW, billed=billed, hours_read=read, closed_hours_read=closed) is known


def test_a_day_that_is_over_is_known_by_24_hours_and_one_that_begins_by_its_first() -> None:
    yesterday = TODAY - DAY
    assert not is_known_day(yesterday, NOW, billed=False, hours_read=23, closed_hours_read=23)
    assert is_known_day(yesterday, NOW, billed=False, hours_read=24, closed_hours_read=24)
    assert is_known_day(TODAY, DAY_BUCKET.start, billed=False, hours_read=1, closed_hours_read=0)
    assert not is_known_day(TODAY, DAY_BUCKET.start, billed=False, hours_read=0, closed_hours_read=0)


def test_hours_are_known_by_the_settled_day_else_by_usage_else_by_the_bill() -> None:
    usage = {utc("2026-11-21T02"), utc("2026-11-22T05")}
    read_at = utc("2026-11-21T03:30")
    assert known_hours(TODAY, (), settled=True, bill_read_at=None) == [True] * 24
    assert known_hours(TODAY, usage, settled=False, bill_read_at=read_at) == [number == 2 for number in range(24)]
    assert known_hours(TODAY, (), settled=False, bill_read_at=read_at) == [number <= 3 for number in range(24)]
    assert known_hours(TODAY, (), settled=False, bill_read_at=None) == [False] * 24


def test_what_is_found_a_day_after_the_day_that_it_is_about_is_found_late() -> None:
    assert not is_found_late(TODAY, DAY_BUCKET.end + DAY - MOMENT)
    assert is_found_late(TODAY, DAY_BUCKET.end + DAY)


# -------------------------------------------------------------------------------- what a poll reads again


@pytest.mark.parametrize(
    ("state", "since"),
    [
        (replace(READ, cost_read_at=None, deep_read_at=None), utc("2026-10-17")),
        (READ, utc("2026-11-18")),
        (replace(READ, deep_read_at=NOW - DAY), utc("2026-10-17")),
        (replace(READ, deep_read_at=NOW - DAY + MOMENT), utc("2026-11-18")),
        (replace(READ, cost_read_at=NOW - 2 * DAY), utc("2026-11-16")),
        (replace(READ, cost_read_at=NOW - 40 * DAY, deep_read_at=NOW - 40 * DAY), utc("2026-10-09")),
        (replace(READ, cost_read_at=NOW - 400 * DAY), utc("2025-11-20")),
    ],
    ids=["first", "usual", "daily deep", "deep before", "after an outage", "after a long one", "after a year"],
)
def test_a_poll_reads_three_days_again_35_once_a_day_and_further_after_an_outage(
    state: SourceState, since: datetime
) -> None:
    assert read_from(state, NOW) == since


@pytest.mark.parametrize(
    ("state", "since"),
    [
        (replace(READ, usage_read_at=NOW), utc("2026-11-18")),
        (replace(READ, usage_read_at=NOW, deep_read_at=NOW - DAY), utc("2026-10-17")),
        (READ, utc("2026-10-17")),
        (replace(READ, usage_read_at=NOW - 10 * DAY), utc("2026-11-08")),
        (replace(READ, usage_read_at=NOW - 90 * DAY), utc("2026-10-17")),
        (replace(READ, usage_read_at=NOW, cost_read_at=NOW - 40 * DAY), utc("2026-10-09")),
    ],
    ids=["as the bill", "daily deep", "never read", "refused for long", "refused for months", "bill refused for long"],
)
def test_hours_are_read_as_far_back_as_the_bill_and_as_they_are_missing(state: SourceState, since: datetime) -> None:
    assert hours_from(state, NOW) == since


def test_the_first_poll_is_a_deep_one_and_then_one_a_day() -> None:
    assert is_deep(replace(READ, deep_read_at=None), NOW)
    assert not is_deep(replace(READ, deep_read_at=NOW), NOW + DAY - MOMENT)
    assert is_deep(replace(READ, deep_read_at=NOW), NOW + DAY)


# -------------------------------------------------------------------------------- since when it is known


def test_a_day_is_news_when_it_is_first_read_and_when_it_is_first_read_settled() -> None:
    soon, settled = DAY_BUCKET.end, DAY_BUCKET.end + DAY

    def news(read_at: datetime, was_complete: bool | None) -> bool:
        return read_bucket(Width.DAY, DAY_BUCKET, read_at, was_complete=was_complete).is_news

    assert news(soon, None)
    assert not news(soon, False)
    assert news(settled, False)
    assert not news(settled + HOUR, True)


def test_a_bucket_that_is_first_read_three_days_after_its_end_is_late_and_after_that_backfilled() -> None:
    for width, bucket in ((Width.DAY, DAY_BUCKET), (Width.HOUR, HOUR_BUCKET)):
        late = read_bucket(width, bucket, bucket.end + LATE_FOR, was_complete=None)
        assert (late.known_at, late.assumed) == (bucket.end + LATE_FOR, False)
        backfilled = read_bucket(width, bucket, bucket.end + LATE_FOR + MOMENT, was_complete=None)
        assert (backfilled.known_at, backfilled.assumed) == (bucket.end + DAY, True)
        again = read_bucket(width, bucket, bucket.end + 9 * DAY, was_complete=False)
        assert (again.known_at, again.assumed) == (bucket.end + 9 * DAY, False)


@pytest.mark.parametrize(
    ("width", "bucket", "read_at", "was_complete", "revise"),
    [
        (Width.DAY, DAY_BUCKET, DAY_BUCKET.start, None, Revise.CHANGES),
        (Width.DAY, DAY_BUCKET, DAY_BUCKET.end + DAY, False, Revise.CHANGES),
        (Width.HOUR, HOUR_BUCKET, HOUR_BUCKET.end - MOMENT, None, Revise.NOTHING),
        (Width.HOUR, HOUR_BUCKET, HOUR_BUCKET.end, False, Revise.EVERYTHING),
        (Width.HOUR, HOUR_BUCKET, HOUR_BUCKET.end, None, Revise.EVERYTHING),
        (Width.HOUR, HOUR_BUCKET, HOUR_BUCKET.end + HOUR, True, Revise.CHANGES),
        (Width.MINUTE, MINUTE_BUCKET, MINUTE_BUCKET.end + HOUR, None, Revise.NOTHING),
    ],
)
def test_an_hour_has_revisions_from_its_end_on_a_day_always_and_a_minute_never(
    width: Width, bucket: Window, read_at: datetime, was_complete: bool | None, revise: Revise
) -> None:
    assert read_bucket(width, bucket, read_at, was_complete=was_complete).revise is revise


def test_minutes_are_never_news_nor_assumed() -> None:
    read_at = MINUTE_BUCKET.end + 9 * DAY
    expected = BucketReading(MINUTE_BUCKET.start, read_at, False, Revise.NOTHING, False, True)
    assert read_bucket(Width.MINUTE, MINUTE_BUCKET, read_at, was_complete=None) == expected


@pytest.mark.parametrize(
    ("after", "earlier", "backfilled", "expected"),
    [
        (-HOUR, [], False, DayKnowledge(TODAY, False)),
        (3 * DAY, [], True, DayKnowledge(TODAY + 4 * DAY, False)),
        (3 * DAY + MOMENT, [], False, DayKnowledge(TODAY + DAY, True)),
        (9 * DAY, [True], True, DayKnowledge(TODAY + DAY, True)),
        (9 * DAY, [True], False, DayKnowledge(TODAY + 10 * DAY, False)),
        (9 * DAY, [True, False], True, DayKnowledge(TODAY + 10 * DAY, False)),
    ],
    ids=["today", "late", "backfilled", "backfilled in parts", "restated", "first read in time"],
)
def test_only_what_is_first_read_long_after_a_day_is_assumed_to_have_been_known_a_day_after_it(
    after: timedelta, earlier: list[bool], backfilled: bool, expected: DayKnowledge
) -> None:
    assert day_known(TODAY, DAY_BUCKET.end + after, earlier, backfilled=backfilled) == expected


def test_figures_of_today_and_the_two_days_before_it_still_move_within_a_day() -> None:
    assert fresh_days(TODAY) == (date(2026, 11, 19), date(2026, 11, 20), TODAY)


def test_a_poll_brings_news_of_three_days_as_a_rule() -> None:
    assert newly_read_from(NOW) == utc("2026-11-18T12:30")


# -------------------------------------------------------------------------------- closing


def test_a_period_closes_three_days_after_its_end_and_later_by_the_time_without_a_bill() -> None:
    assert timedelta(days=3) == CLOSING_FOR
    assert closing_for(NOW, NOW) == CLOSING_FOR
    assert closing_for(NOW, NOW - 5 * HOUR) == CLOSING_FOR + 5 * HOUR
    assert closing_for(NOW, NOW - 90 * DAY) == CLOSING_FOR + 31 * DAY
    assert closing_for(NOW, NOW + HOUR) == CLOSING_FOR
    assert closing_for(NOW, None) == CLOSING_FOR


# -------------------------------------------------------------------------------- staleness


@pytest.mark.parametrize(
    ("failures", "after", "stale"),
    [
        (1, 0 * MINUTE, False),
        (2, 29 * MINUTE, False),
        (3, 0 * MINUTE, True),
        (4, 1 * MINUTE, True),
        (1, 30 * MINUTE - MOMENT, False),
        (1, 30 * MINUTE, True),
    ],
)
def test_a_source_is_stale_after_three_failures_or_thirty_minutes(failures: int, after: timedelta, stale: bool) -> None:
    assert is_stale(replace(FAILING, failures=failures), NOW + after) is stale


def test_a_patient_rule_waits_longer() -> None:
    patience = Patience(failures=10, after=2 * HOUR)
    assert not is_stale(replace(FAILING, failures=9), NOW + 2 * HOUR - MOMENT, patience)
    assert is_stale(replace(FAILING, failures=9), NOW + 2 * HOUR, patience)
    assert is_stale(replace(FAILING, failures=10), NOW, patience)


def test_a_source_whose_cost_report_comes_in_is_never_stale() -> None:
    healthy = replace(FAILING, failing_since=None, failures=0, cost_read_at=NOW)
    assert not is_stale(healthy, NOW + timedelta(days=9))


def test_a_source_that_was_never_read_is_not_stale_before_it_fails() -> None:
    assert not is_stale(SourceState("src_1", fence=0, next_poll_at=NOW), NOW + HOUR)


# -------------------------------------------------------------------------------- and nowhere else

ADAPTERS = Path(__file__).parents[3] / "service" / "adapters" / "postgres"
NOT_LATENESS = {
    ("access.py", "KEPT_FOR"): "how long the answer to a repeated request is kept",
    ("sources/directory.py", "SEEN_GRAIN"): "how exact last_seen_at is",
    ("spend/hour_versions.py", "READ_AT_ONCE"): "how many days are read by one statement",
    ("spend/partitions.py", "MINUTES_AT_ONCE"): "how much one transaction forgets",
}
"""The only spans of hours and days in the SQL adapters, and what each is."""


def spans(text: str) -> Iterator[tuple[str, int]]:
    """Every span of hours or days that a module states, with the constant it is assigned to, and its line.

    That is timedelta(days=3), 3 * DAY, a number named ..._DAYS or ..._HOURS, and an interval in SQL.
    """
    for statement in ast.parse(text).body:
        name = ""
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if name.endswith(("_DAYS", "_HOURS")) and isinstance(statement.value, ast.Constant):
                yield name, statement.lineno
        for node in ast.walk(statement):
            if _is_span(node):
                yield name, getattr(node, "lineno", 0)


def _is_span(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "timedelta":
        return any(word.arg in ("days", "hours", "weeks") for word in node.keywords) or bool(node.args)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        sides = (node.left, node.right)
        units = [side for side in sides if isinstance(side, ast.Name) and side.id in ("DAY", "HOUR")]
        return bool(units) and any(isinstance(side, ast.Constant) for side in sides)
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and "interval '" in node.value.lower()


@pytest.mark.parametrize(
    "breach",
    [
        "BACKFILLED_AFTER = timedelta(days=3)",
        "FRESH_DAYS = 3",
        "def f(at):\n    return at - 3 * DAY",
        "def f(at):\n    return at > datetime.timedelta(hours=24)",
        "text(\"SELECT now() - INTERVAL '3 days'\")",
    ],
)
def test_a_span_that_is_stated_is_found(breach: str) -> None:
    assert len(list(spans(breach))) == 1


def test_no_sql_adapter_states_a_rule_about_lateness() -> None:
    stated = {
        (path.relative_to(ADAPTERS).as_posix(), name)
        for path in ADAPTERS.rglob("*.py")
        for name, _ in spans(path.read_text())
    }
    assert stated == NOT_LATENESS.keys()


def november(day: int, hour: int = 0) -> datetime:
    return utc(f"2026-11-{day:02}T{hour:02}:00")


def hours(first: datetime, last: datetime, read_at: datetime | None = None) -> dict[datetime, datetime]:
    """Hours that were read five minutes after their ends, or all at one instant."""
    starts = (first + number * HOUR for number in range((last - first) // HOUR))
    return {start: read_at or start + HOUR + 5 * MINUTE for start in starts}


AFTERWARDS = hours(november(6, 10), november(10, 12), november(10, 12))
BEFORE = hours(november(1), november(6, 10))


@pytest.mark.parametrize(
    ("sentence", "read", "now", "since"),
    [
        ("without an outage", hours(november(1), november(10, 12)), november(10, 12), None),
        ("after an outage", BEFORE | AFTERWARDS, november(10, 12), 6),
        ("until a day later", BEFORE | AFTERWARDS, november(11, 11), 6),
        ("and not longer", BEFORE | AFTERWARDS, november(11, 12), None),
        ("as long as it lasts", BEFORE, november(9, 12), None),
        ("before it was over", BEFORE | AFTERWARDS, november(10, 11), None),
        (
            "after one whose first hours are backfilled",
            BEFORE | hours(november(8), november(10, 12), november(10, 12)),
            november(10, 12),
            6,
        ),
        (
            "after a long one, seven days at most",
            hours(november(1), november(1, 9)) | hours(november(1, 9), november(10, 12), november(10, 12)),
            november(10, 12),
            3,
        ),
        (
            "after seven days, beyond the next midnight",
            hours(november(1), november(3, 10)) | hours(november(3, 10), november(11, 9), november(10, 22)),
            november(11, 9),
            3,
        ),
        ("by the first poll", hours(november(1), november(10, 12), november(10, 12)), november(10, 12), None),
        (
            "of a night",
            hours(november(1), november(8, 20)) | hours(november(8, 20), november(10, 12), november(9, 23)),
            november(10, 12),
            None,
        ),
        ("where no hour was ever read", {}, november(10, 12), None),
    ],
)
def test_a_closed_day_was_read_late(
    sentence: str, read: dict[datetime, datetime], now: datetime, since: int | None
) -> None:
    assert late_since(now.date(), read, now) == (date(2026, 11, since) if since else None), sentence
