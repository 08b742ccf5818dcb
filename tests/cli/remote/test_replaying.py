"""Which backtests a plan asks for, and what becomes of their answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from service.cli.remote import replaying
from service.cli.remote.replaying import ReplayedChange, replay_changes
from service.client.errors import Json, Mistake, RequestRefused

RULE: dict[str, Json] = {"name": "jumps", "kind": "change"}
CHANGED: dict[str, Json] = {"kind": "rules", "name": "jumps", "action": "change"}


def firing(day: str, scope: str = "org", threshold: str | None = None) -> dict[str, Json]:
    return {"day": day, "scope": scope, "threshold": threshold, "raised": False}


class Replaying:
    """A server whose backtests are over when they are asked for twice. `found` are firings by the subject's JSON."""

    def __init__(self, found: Mapping[str, list[dict[str, Json]]], refusal: RequestRefused | None = None) -> None:
        self.found, self.refusal = found, refusal
        self.asked: list[dict[str, Any]] = []
        self.questions: list[str] = []

    def ask(self, method: str, path: str, query: Mapping[str, str] | None = None, body: Json = None) -> dict[str, Json]:
        if method == "POST":
            assert isinstance(body, dict)
            self.asked.append(body)
            if self.refusal is not None and "since" in body:
                raise self.refusal
            return {"id": f"bt_{len(self.asked)}"}
        self.questions.append(path)
        if self.questions.count(path) < 2:
            return {"state": "running"}
        asked = self.asked[int(path.rpartition("_")[2]) - 1]
        firings: Json = [*self.found[json.dumps(asked.get("rule", asked.get("budget")))]]
        span = {"state": "done", "since": "2026-09-01", "until": "2026-11-28", "error": None}
        return {**span, "tally": {"alerts": len(self.found)}, "firings": firings}


def replayed(server: Replaying, *changes: dict[str, Json]) -> list[ReplayedChange]:
    pauses: list[float] = []
    return replay_changes(server, {"rules": [RULE]}, changes, "2026-08-31", pauses.append)


def test_a_changed_rule_is_replayed_as_it_is_and_as_it_would_be() -> None:
    as_it_is, as_it_would_be = (
        [firing("2026-10-01"), firing("2026-10-02")],
        [firing("2026-10-02"), firing("2026-10-03")],
    )
    server = Replaying({'"jumps"': as_it_is, json.dumps(RULE): as_it_would_be})
    (found,) = replayed(server, CHANGED)
    assert server.asked == [{"rule": "jumps", "since": "2026-08-31"}, {"rule": RULE, "since": "2026-08-31"}]
    assert ([one["day"] for one in found.new], [one["day"] for one in found.gone]) == (["2026-10-03"], ["2026-10-01"])


def test_what_is_new_has_no_past_and_what_goes_no_future() -> None:
    server = Replaying({'"jumps"': [], json.dumps(RULE): [firing("2026-10-02")]})
    new, gone = replayed(server, CHANGED | {"action": "create"}, CHANGED | {"action": "delete"})
    assert (new.before, gone.after) == (None, None)
    assert len(new.new) == 1


def test_what_is_kept_or_fires_nothing_is_not_replayed() -> None:
    server = Replaying({})
    assert replayed(server, CHANGED | {"action": "keep"}, {"kind": "receivers", "name": "x", "action": "create"}) == []
    assert server.asked == []


def test_where_history_is_shorter_all_of_it_is_replayed() -> None:
    short = RequestRefused(422, "history begins on 2026-10-01", (Mistake("/since", "..."),))
    server = Replaying({json.dumps(RULE): []}, short)
    (found,) = replayed(server, CHANGED | {"action": "create"})
    assert (server.asked[-1], found.error) == ({"rule": RULE}, "")


def test_what_cannot_be_replayed_says_why_and_stops_nothing() -> None:
    refused = RequestRefused(422, "there is no source 'new'", (Mistake("/rule/source", "..."),))
    (found,) = replayed(Replaying({}, refused), CHANGED | {"action": "create"})
    assert found.error == "there is no source 'new'"


def test_a_backtest_that_nobody_computes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "MOST_QUESTIONS", 1)
    (found,) = replayed(Replaying({}), CHANGED | {"action": "create"})
    assert "is a worker running?" in found.error
