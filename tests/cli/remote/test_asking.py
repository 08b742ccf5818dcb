"""What people read of a server in a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from service.bootstrap.errors import StartError
from service.cli.remote.asking import OPEN, SpendWanted, alerts, alerts_as_json, spend, status
from service.client import Server, ServerError
from tests.cli.remote.rest import Answering, answering, screen

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
TOTAL = {"amount": "150.009", "basis": "mixed"}
ALERT = {
    "id": "alert_1",
    "severity": "critical",
    "state": "firing",
    "opened_at": "2026-11-16T09:31:00.123456Z",
    "summary": "[red]eng[/red] spent $123 of $100",
}
SOURCE = {
    "name": "production",
    "status": {
        "stale": True,
        "failures": 3,
        "last_error": "key refused",
        "billed_until": None,
        "estimated_until": "2026-11-16T12:00:00Z",
    },
}
LACKING = {"missing": 0, "suspect": 0, "late": 1, "open": 1}
BUDGET = {"budget": "eng monthly", "name": "workspace eng", "spent": "123.45", "amount": "100.00", "percent": 123.45}
ANSWERS: dict[str, Any] = {
    "GET /sources": {"items": [SOURCE]},
    "GET /spend": {
        "total": TOTAL,
        "items": [{"amount": "0.00"}, {"amount": "50.00"}, {"amount": "100.009"}],
        "lacking": LACKING,
    },
    "GET /spend/breakdown": {
        "total": TOTAL,
        "items": [
            {"name": "eng", "amount": "100.009", "basis": "billed"},
            {"name": "ops", "amount": "50.00", "basis": "mixed"},
        ],
    },
    "GET /budget-statuses": {"items": [BUDGET]},
    "GET /alerts": {"items": [ALERT]},
}


@pytest.fixture
def rest() -> Iterator[Answering]:
    with answering(dict(ANSWERS)) as server:
        yield server


def at(rest: Answering) -> Server:
    return Server(rest.url, "tcn_FAKE")


def test_status_says_what_is_spent_blind_full_and_open(rest: Answering) -> None:
    out, text = screen()
    status(at(rest), NOW, out)
    shown = text.getvalue()
    assert "November: $150.00, mixed  ▁▄█" in shown, "rounded down, as everywhere"
    assert "Billed until never. BLIND: no bill was read lately. Last error: key refused" in shown
    assert "████████████" in shown
    assert "$123.45  $100.00  123%" in shown
    assert "alert_1  critical, firing, since 09:31 UTC, Mon 16 Nov" in shown
    assert "[red]eng[/red] spent $123 of $100" in shown, "a name is text"
    assert "GET /spend?source=production&since=2026-11-01&limit=31" in [query for query, _, _ in rest.asked]


@pytest.mark.parametrize(("percent", "reached"), [(99.99, "99%"), (0.4, "0.4%"), (None, "")])
def test_no_budget_is_said_to_be_fuller_than_it_is(rest: Answering, percent: float | None, reached: str) -> None:
    rest.answers["GET /budget-statuses"] = {"items": [BUDGET | {"percent": percent}]}
    out, text = screen()
    status(at(rest), NOW, out)
    (line,) = [line for line in text.getvalue().splitlines() if line.startswith("eng monthly")]
    assert line.split()[-1] == (reached or "$100.00")


def test_what_was_never_read_is_not_nothing_spent(rest: Answering) -> None:
    unread = SOURCE["status"] | {"estimated_until": None}  # type: ignore[operator]
    rest.answers["GET /sources"] = {"items": [{"name": "new", "status": unread}]}
    out, text = screen()
    status(at(rest), NOW, out)
    assert "November: nothing was read yet" in text.getvalue()


def test_spend_has_shares_and_its_days(rest: Answering) -> None:
    out, text = screen()
    spend(at(rest), SpendWanted("api_key", "7d", ""), NOW, out)
    lines = text.getvalue().splitlines()
    assert [line.split() for line in lines] == [
        ["api", "key", "spent", "share", "basis"],
        ["eng", "$100.00", "66%", "billed"],
        ["ops", "$50.00", "33%", "mixed"],
        ["$150.00", "since", "2026-11-10,", "by", "day:", "▁▄█"],
    ]
    assert rest.asked[0][0] == "GET /spend/breakdown?since=2026-11-10&group_by=api_key&limit=50"


def test_nothing_spent_has_no_shares(rest: Answering) -> None:
    nothing = {
        "total": {"amount": "0.00", "basis": "billed"},
        "items": [{"name": "eng", "amount": "0.00", "basis": "billed"}],
    }
    rest.answers |= {
        "GET /spend/breakdown": nothing,
        "GET /spend": {"total": {}, "items": [{"amount": "0.00"}], "lacking": LACKING},
    }
    out, text = screen()
    spend(at(rest), SpendWanted("model", "1d", ""), NOW, out)
    assert "%" not in text.getvalue()
    assert text.getvalue().endswith("$0.00 since 2026-11-16, by day: ▁\n")


def test_days_that_were_never_read_are_said(rest: Answering) -> None:
    rest.answers["GET /spend"] = ANSWERS["GET /spend"] | {"lacking": LACKING | {"missing": 54, "suspect": 1}}
    out, text = screen()
    spend(at(rest), SpendWanted("api_key", "90d", ""), NOW, out)
    assert text.getvalue().endswith("Not known are 55 of these days, which count as $0.\n")


def test_what_is_no_length_of_time_is_refused_before_anything_is_asked(rest: Answering) -> None:
    with pytest.raises(StartError, match="--last: not a duration: 'soon'"):
        spend(at(rest), SpendWanted("model", "soon", ""), NOW, screen()[0])
    assert rest.asked == []


def test_alerts_are_told_by_state_or_as_json(rest: Answering) -> None:
    out, text = screen()
    alerts_as_json(at(rest), ("firing",), out)
    assert json.loads(text.getvalue()) == [ALERT]
    rest.answers["GET /alerts"] = {"items": []}
    out, text = screen()
    alerts(at(rest), OPEN, out)
    assert text.getvalue() == "No alerts.\n"
    assert [query for query, _, _ in rest.asked[1:]] == [f"GET /alerts?state={state}&limit=100" for state in OPEN]


def test_a_refusal_is_the_servers_sentence(rest: Answering) -> None:
    rest.status, rest.answers["GET /alerts"] = 401, {"detail": "This token is not known"}
    with pytest.raises(ServerError, match="This token is not known"):
        alerts(at(rest), OPEN, screen()[0])
