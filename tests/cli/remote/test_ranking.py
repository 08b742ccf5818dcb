"""Who spends most, and who moved, is said with both figures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.api.spend.breakdown import BreakdownOut, DivideBy
from service.bootstrap.errors import StartError
from service.cli.remote.ranking import TopWanted, by_change, by_spend, compare, top, top_as_json
from service.client import Server
from tests.cli.remote.rest import Answering, answering, screen

NOW = datetime(2026, 11, 16, 12, 40, tzinfo=UTC)


def figure(amount: str) -> dict[str, Any]:
    dollars = {"amount": amount, "billed": "0", "estimated": amount}
    return dollars | {"basis": "estimated", "unpriced_tokens": 0, "priority_estimate": "0"}


def breakdown(**spent: str) -> dict[str, Any]:
    lines = [figure(amount) | {"id": name, "name": name, "then": None, "shared": "0"} for name, amount in spent.items()]
    return {
        "source": "acme",
        "since": "2026-11-15T12:00:00Z",
        "until": "2026-11-16T12:00:00Z",
        "granularity": "1h",
        "billed_until": None,
        "estimated_until": None,
        "simulated": False,
        "lacking": {"missing": 0, "suspect": 0, "late": 0, "open": 0},
        "total": figure(str(sum(map(float, spent.values())))),
        "group_by": "workspace",
        "then_by": None,
        "api_keys": "shared",
        "items": lines,
        "next": None,
    }


@pytest.fixture
def rest() -> Iterator[Answering]:
    answers = {
        "GET /spend/breakdown": breakdown(eng="80.00", ops="20.00"),
        "GET /spend": hours("2026-11-16T12:00+00:00", "complete"),
    }
    with answering(answers) as server:
        yield server


def test_who_came_and_who_went_is_among_them() -> None:
    spent, before = (
        BreakdownOut.model_validate(one) for one in (breakdown(eng="80", new="5"), breakdown(eng="20", gone="70"))
    )
    changes = {one.name: one.change for one in compare(spent, before)}
    assert changes == {"eng": 60, "gone": -70, "new": 5}
    assert [one.name for one in sorted(compare(spent, before), key=by_change, reverse=True)] == ["gone", "eng", "new"]
    assert [one.name for one in sorted(compare(spent, before), key=by_spend, reverse=True)] == ["eng", "new", "gone"]


def hours(newest: str, *states: str) -> dict[str, Any]:
    """The hours before an end, the newest last."""
    ends = [datetime.fromisoformat(newest) - timedelta(hours=back) for back in reversed(range(len(states)))]
    spans = [(f"{end - timedelta(hours=1):%FT%TZ}", f"{end:%FT%TZ}") for end in ends]
    items = [
        figure("1") | {"start": start, "end": end, "state": state, "groups": None}
        for (start, end), state in zip(spans, states, strict=True)
    ]
    head = {name: value for name, value in breakdown(eng="1").items() if name not in ("items", "group_by", "then_by")}
    return head | {"items": items}


def compared(rest: Answering) -> list[str]:
    """The ends of the times that are compared."""
    return [
        match[1]
        for query, _, _ in rest.asked
        if (match := re.search(r"breakdown\?.*until=([^&]+)%3A00%2B00%3A00", query))
    ]


def test_what_is_compared_ends_with_the_newest_hour_that_is_known_in_full(rest: Answering) -> None:
    """At 12:05 the hour until 12:00 is over, and its usage is not all there."""
    wanted = TopWanted(DivideBy.WORKSPACE, "1h", "acme", 1)
    for now, states, ends in (
        (NOW, ("complete", "complete", "complete"), "12%3A00"),
        (NOW.replace(minute=5), ("complete", "complete"), "11%3A00"),
        (NOW, ("complete", "zero", "open"), "11%3A00"),
        (NOW, ("complete", "missing", "late"), "10%3A00"),
    ):
        latest = (now - timedelta(minutes=10)).replace(minute=0)
        rest.answers["GET /spend"] = hours(latest.isoformat(), *states)
        rest.asked.clear()
        top(Server(rest.url, "tcn_FAKE"), wanted, by_spend, now, screen()[0])
        assert [end.split("T")[1] for end in compared(rest)] == [ends, f"{int(ends[:2]) - 1:02}%3A00"]


def test_two_times_of_the_same_length_are_asked_for_in_whole_hours_or_days(rest: Answering) -> None:
    out, text = screen()
    top(Server(rest.url, "tcn_FAKE"), TopWanted(DivideBy.WORKSPACE, "24h", "acme", 1), by_spend, NOW, out)
    top(Server(rest.url, "tcn_FAKE"), TopWanted(DivideBy.MODEL, "30d", "", 1), by_spend, NOW, out)
    windows = [query.split("?")[1].split("&")[:2] for query, _, _ in rest.asked if "breakdown" in query]
    assert windows == [
        ["since=2026-11-15T12%3A00%3A00%2B00%3A00", "until=2026-11-16T12%3A00%3A00%2B00%3A00"],
        ["since=2026-11-14T12%3A00%3A00%2B00%3A00", "until=2026-11-15T12%3A00%3A00%2B00%3A00"],
        ["since=2026-10-17T00%3A00%3A00%2B00%3A00", "until=2026-11-16T00%3A00%3A00%2B00%3A00"],
        ["since=2026-09-17T00%3A00%3A00%2B00%3A00", "until=2026-10-17T00%3A00%3A00%2B00%3A00"],
    ]
    lines = text.getvalue().splitlines()
    assert lines[0] == "15 Nov 12:00 to 16 Nov 12:00 UTC, estimated; before: 15 Nov 12:00 to 16 Nov 12:00 UTC."
    assert lines[2].split() == ["eng", "$80.00", "80%", "$80.00", "$0.00", "(0%)"]
    assert lines[3].split()[:2] == ["all", "$100.00"], "the whole, though one member is shown"


def test_years_are_said_where_they_differ(rest: Answering) -> None:
    rest.answers["GET /spend/breakdown"] |= {"since": "2025-11-15T12:00:00Z"}
    out, text = screen()
    top(Server(rest.url, "tcn_FAKE"), TopWanted(DivideBy.WORKSPACE, "365d", "acme", 1), by_spend, NOW, out)
    assert text.getvalue().startswith("15 Nov 2025 12:00 to 16 Nov 2026 12:00 UTC, estimated; before: 15 Nov 2025")


def test_as_json_the_amounts_are_exact(rest: Answering) -> None:
    out, text = screen()
    top_as_json(Server(rest.url, "tcn_FAKE"), TopWanted(DivideBy.WORKSPACE, "24h", "", 10), by_spend, NOW, out)
    shown = json.loads(text.getvalue())
    assert shown["since"] == shown["before_since"] == "2026-11-15T12:00:00Z", "as the server answers, of both"
    assert shown["items"][0] == {"name": "eng", "spent": "80.00", "before": "80.00", "change": "0.00"}


def test_days_that_were_never_read_are_told_and_not_taken_for_days_without_spend(rest: Answering) -> None:
    lacking = {"lacking": {"missing": 26, "suspect": 1, "late": 0, "open": 2}}
    rest.answers["GET /spend/breakdown"] |= lacking | {"granularity": "1d"}
    server, wanted = Server(rest.url, "tcn_FAKE"), TopWanted(DivideBy.WORKSPACE, "31d", "", 10)
    out, text = screen()
    top(server, wanted, by_spend, NOW, out)
    assert text.getvalue().splitlines()[1:3] == [
        "Not known of this time are 27 days, which count as $0.",
        "Not known of the time before are 27 days, which count as $0.",
    ]
    out, text = screen()
    top_as_json(server, wanted, by_spend, NOW, out)
    shown = json.loads(text.getvalue())
    assert (shown["unknown"], shown["before_unknown"]) == (27, 27)


def test_what_is_no_length_of_time_is_refused(rest: Answering) -> None:
    with pytest.raises(StartError, match="--last: not a duration"):
        top(Server(rest.url, "tcn"), TopWanted(DivideBy.MODEL, "soon", "", 1), by_spend, NOW, screen()[0])
