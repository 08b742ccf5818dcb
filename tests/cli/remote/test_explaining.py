"""Why an alert fired is asked of the instant at which it opened, and each gate is shown with its numbers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from service.bootstrap.errors import StartError
from service.cli.remote.explaining import ExplainWanted, explain, explain_as_json
from service.client import Server
from tests.cli.remote.rest import answering, screen

ALERT: dict[str, Any] = {
    "id": "alert_1",
    "version": 1,
    "kind": "rule",
    "state": "firing",
    "severity": "critical",
    "summary": "[red]eng spent $112",
    "source": "acme",
    "budget": None,
    "rule": "costlier weeks",
    "scope": "workspace:eng",
    "opened_at": "2026-11-16T12:05:00Z",
    "changed_at": "2026-11-16T12:05:00Z",
    "acknowledged_by": None,
    "resolved_by": None,
    "snoozed_until": None,
    "snoozed_above": None,
    "evidence": {},
    "contributions": [],
    "feedback": [],
    "events": [],
    "notifications": [],
}
ITEM: dict[str, Any] = {
    "scope": "workspace:eng",
    "name": "workspace eng",
    "rings": True,
    "outcome": "rang",
    "conclusion": "It fired.",
    "cause": "Workspace eng spent $112.00.",
    "unit": "US dollars a day",
    "actual": "112.00",
    "expected": "100.00",
    "excess": "12.00",
    "severity_reason": "",
    "inputs": [{"label": "spent", "value": "$112.00"}],
    "gates": [{"gate": "min_amount", "passed": True, "found": "$12.00", "needed": "at least $5.00"}],
    "alert": None,
    "threshold": None,
    "period": None,
}
FOUND: dict[str, Any] = {
    "at": "2026-11-16T12:05:00Z",
    "rule": {"id": "rule_1", "name": "costlier weeks", "kind": "change", "version": 1},
    "budget": None,
    "assumed_share": 0.0,
    "items": [ITEM],
    "stored": [],
    "next": None,
}
OF_AN_ALERT = ExplainWanted("alert_1", "", "", "", None)


def test_an_alert_is_explained_as_of_its_opening() -> None:
    out, text = screen()
    with answering({"GET /alerts/alert_1": ALERT, "GET /explanations": FOUND}) as rest:
        explain(Server(rest.url, "tcn_FAKE"), OF_AN_ALERT, out)
    asked = "GET /explanations?rule=costlier+weeks&scope=workspace%3Aeng&at=2026-11-16T12%3A05%3A00%2B00%3A00"
    assert [query.replace("%20", "+") for query, _, _ in rest.asked] == ["GET /alerts/alert_1?", asked]
    shown = text.getvalue()
    assert "[red]eng spent $112 (critical, firing, since 12:05 UTC, Mon 16 Nov)" in shown, "a name is text"
    assert "workspace eng: It fired." in shown
    assert "    spent: $112.00" in shown
    assert "min_amount  yes     $12.00  at least $5.00" in shown


def test_an_alert_of_no_rule_and_no_budget_says_so() -> None:
    out, text = screen()
    with answering({"GET /alerts/alert_1": ALERT | {"kind": "stale_source", "rule": None}}) as rest:
        explain(Server(rest.url, "tcn_FAKE"), OF_AN_ALERT, out)
    assert "It is of no rule and no budget: Tocsin watches stale source by itself." in text.getvalue()


def test_a_rule_is_asked_of_an_instant_and_ten_scopes_are_shown() -> None:
    out, text = screen()
    at = datetime(2026, 11, 16, tzinfo=UTC)
    with answering({"GET /explanations": FOUND | {"items": [ITEM] * 12}}) as rest:
        explain(Server(rest.url, "tcn_FAKE"), ExplainWanted("", "costlier weeks", "", "", at), out)
        json_out, json_text = screen()
        explain_as_json(Server(rest.url, "tcn_FAKE"), ExplainWanted("", "costlier weeks", "", "", at), json_out)
    assert "and 2 more; narrow it by --scope" in text.getvalue()
    assert len(json.loads(json_text.getvalue())["items"]) == 12


@pytest.mark.parametrize("given", [("", "", ""), ("alert_1", "a rule", ""), ("", "a rule", "a budget")])
def test_one_thing_is_explained_at_a_time(given: tuple[str, str, str]) -> None:
    with pytest.raises(StartError, match="one of them"):
        ExplainWanted(*given, "", None)
