"""A poll as one line of a table: when, how it ended, what each report brought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from service.domain.sources.poll import Poll, PollKind, PollState, ReportOutcome
from service.domain.sources.source import ReportName
from service.domain.values.plain_text import minute, short_day

_WORDS = {
    ReportName.COST: "bill",
    ReportName.USAGE_HOURS: "usage by hour",
    ReportName.USAGE_MINUTES: "usage by minute",
    ReportName.DIRECTORY: "names",
}
TONES = {PollState.FAILED: "critical", PollState.DONE: "calm", PollState.RUNNING: "info", PollState.QUEUED: "quiet"}


def poll_line(poll: Poll) -> Mapping[str, object]:
    return {
        "at": minute(poll.started_at or poll.created_at),
        "kind": _kind(poll),
        "state": poll.state.value,
        "tone": TONES[poll.state],
        "reports": [report_line(name, poll.reports) for name in dict.fromkeys(one.report for one in poll.reports)],
        "errors": [f"{_WORDS[one.report]}: {one.error}" for one in poll.reports if one.error],
        "notices": [f"{_WORDS[one.report]}: {notice.text}" for one in poll.reports for notice in one.notices],
        "percent": f"{percent:.0f}" if (percent := read_percent(poll)) is not None else "",
    }


def _kind(poll: Poll) -> str:
    if poll.kind is PollKind.BACKFILL and poll.window is not None:
        return f"the past since {short_day(poll.window.start.date())}"
    return poll.kind.value


def report_line(report: ReportName, outcomes: Iterable[ReportOutcome]) -> str:
    """Returns what a report brought in all; a reading of the past has one outcome a month."""
    read = [one for one in outcomes if one.report is report and not one.error]
    sums = {
        "new": sum(one.added for one in read),
        "changed": sum(one.changed for one in read),
        "gone": sum(one.gone for one in read),
    }
    brought = ", ".join(f"{number:,} {word}" for word, number in sums.items() if number)
    return f"{_WORDS[report]}: {brought or 'nothing new' if read else 'refused'}"


def read_percent(poll: Poll) -> Decimal | None:
    """Returns how much of a backfill is read, None for a poll."""
    if poll.window is None:
        return None
    done = (poll.done_until or poll.window.start) - poll.window.start
    return Decimal(done / (poll.window.end - poll.window.start) * 100).quantize(Decimal(1))
