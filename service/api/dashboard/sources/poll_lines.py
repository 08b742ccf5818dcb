"""A poll as one line of a table: when, how it ended, what each report brought."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from service.domain.sources.poll import Poll, PollKind, PollState, ReportOutcome
from service.domain.values.plain_text import minute, short_day

TONES = {PollState.FAILED: "critical", PollState.DONE: "calm", PollState.RUNNING: "info", PollState.QUEUED: "quiet"}


def poll_line(poll: Poll) -> Mapping[str, object]:
    return {
        "at": minute(poll.started_at or poll.created_at),
        "kind": _kind(poll),
        "state": poll.state.value,
        "tone": TONES[poll.state],
        "reports": [report_line(one) for one in poll.reports],
        "errors": [f"{one.report.value}: {one.error}" for one in poll.reports if one.error],
        "notices": [f"{one.report.value}: {notice.text}" for one in poll.reports for notice in one.notices],
        "percent": f"{percent:.0f}" if (percent := read_percent(poll)) is not None else "",
    }


def _kind(poll: Poll) -> str:
    if poll.kind is PollKind.BACKFILL and poll.window is not None:
        return f"the past since {short_day(poll.window.start.date())}"
    return poll.kind.value


def report_line(outcome: ReportOutcome) -> str:
    if outcome.error:
        return f"{outcome.report.value}: refused"
    return f"{outcome.report.value}: {outcome.added:,} new, {outcome.changed:,} changed, {outcome.gone:,} gone"


def read_percent(poll: Poll) -> Decimal | None:
    """Returns how much of a backfill is read, None for a poll."""
    if poll.window is None:
        return None
    done = (poll.done_until or poll.window.start) - poll.window.start
    return Decimal(done / (poll.window.end - poll.window.start) * 100).quantize(Decimal(1))
