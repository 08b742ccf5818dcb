"""A drill names the hop that is broken, and cleans up whatever happens."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest

from service.bootstrap.errors import StartError
from service.cli.remote.drill.rehearsal import DrillWanted, read_labels
from service.cli.remote.drill.running import drill, drill_as_json
from service.cli.remote.drill.stopwatch import Stopwatch
from service.client import Server, ServerError
from service.client.errors import Json
from service.client.server import Query
from tests.cli.remote.rest import Answering, answering, screen

WANTED = DrillWanted("", "critical", {"team": "eng"}, patience=5)


def told(action: str, state: str = "sent", **more: object) -> dict[str, Any]:
    return {
        "receiver": "eng-oncall",
        "channel": "slack_bot:1f2e",
        "action": action,
        "state": state,
        "reason": "first",
        "held_by": "",
        "created_at": "2026-11-16T12:00:00Z",
        "due_at": "2026-11-16T12:00:00Z",
        "sent_at": "2026-11-16T12:00:00.400000Z" if state == "sent" else None,
        "attempts": [{"detail": "posted in C1"}] if state == "sent" else [],
    } | more


ALERT = {"id": "alert_1", "severity": "critical", "notifications": [told("resolve"), told("open")]}
POLL = {
    "id": "poll_1",
    "source_id": "src_1",
    "state": "done",
    "created_at": "2026-11-16T12:00:00Z",
    "started_at": "2026-11-16T12:00:01Z",
    "finished_at": "2026-11-16T12:00:03.500000Z",
    "reports": [{"report": "cost", "error": None}],
}
PLACE = {"receiver": "eng-oncall", "channel": "slack_bot:1f2e", "after": "0s", "held_by": None}
ANSWERS: dict[str, Any] = {
    "GET /routes/match": {"goes_to": [PLACE, PLACE | {"receiver": "boss", "after": "15m"}]},
    "POST /drills": {"alert": ALERT, "poll": POLL},
    "GET /alerts/alert_1": ALERT,
    "GET /sources/src_1/polls/poll_1": POLL,
    "GET /sources/src_1": {"status": {"evaluated_read_at": "2026-11-16T12:00:01.100000Z"}},
    "POST /alerts/alert_1/resolve": ALERT,
}


@dataclass
class Minutes:
    """A clock that moves by its pauses alone."""

    now: float = 0.0

    def pause(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def rest() -> Iterator[Answering]:
    with answering(deepcopy(ANSWERS)) as server:
        yield server


def hops(rest: Answering) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the hops by name."""
    out, text = screen()
    clock = Minutes()
    watch = Stopwatch(lambda: clock.now, clock.pause)
    code = drill_as_json(Server(rest.url, "tcn_FAKE"), WANTED, out, watch=watch)
    return code, {one["hop"]: one for one in json.loads(text.getvalue())["hops"]}


def broken(rest: Answering) -> dict[str, str]:
    code, found = hops(rest)
    assert code == 1
    assert rest.asked[-1][0].startswith("GET /alerts/alert_1"), "the end is followed, too"
    assert "POST /alerts/alert_1/resolve?" in [asked for asked, _, _ in rest.asked]
    return {name: one["detail"] for name, one in found.items() if one["broken"]}


def test_a_way_that_is_whole_is_timed_hop_by_hop(rest: Answering) -> None:
    code, found = hops(rest)
    assert code == 0
    assert {name: one["seconds"] for name, one in found.items()} == {
        "alert": 0,
        "answer of eng-oncall (slack_bot)": 0.4,
        "source poll": 3.5,
        "evaluation": 0,
        "clean-up": 0,
    }
    assert rest.asked[0] == ("POST /drills?", "Bearer tcn_FAKE", {"severity": "critical", "labels": {"team": "eng"}})


@pytest.mark.parametrize(
    ("opening", "hop", "said"),
    [
        (told("open", "queued"), "notification of eng-oncall (slack_bot)", "nobody has begun it"),
        (
            told("open", "queued", due_at="2026-11-16T12:05:00Z"),
            "notification of eng-oncall (slack_bot)",
            "it leaves at 2026-11-16T12:05:00Z",
        ),
        (
            told("open", "queued", attempts=[{"detail": "channel_not_found"}]),
            "answer of eng-oncall (slack_bot)",
            "not taken yet: channel_not_found",
        ),
        (
            told("open", "dead", attempts=[{"detail": "invalid_auth"}]),
            "answer of eng-oncall (slack_bot)",
            "given up: invalid_auth",
        ),
        (
            told("open", "suppressed", reason="silenced", held_by="load test"),
            "notification of eng-oncall (slack_bot)",
            "held back, silenced: load test",
        ),
    ],
)
def test_a_message_that_does_not_arrive_names_the_hop(
    rest: Answering, opening: dict[str, Any], hop: str, said: str
) -> None:
    rest.answers["GET /alerts/alert_1"]["notifications"] = [told("resolve"), opening]
    (found,) = broken(rest).items()
    assert found[0] == hop
    assert found[1].startswith(said)


def test_routes_that_lead_nowhere_are_a_broken_hop(rest: Answering) -> None:
    rest.answers["GET /alerts/alert_1"]["notifications"] = []
    assert broken(rest)["route"].startswith("no route leads to a channel")


def test_a_poll_that_nobody_begins_or_that_fails_is_named_and_no_evaluation_is_waited_for(rest: Answering) -> None:
    waiting = POLL | {"state": "queued", "started_at": None, "finished_at": None}
    rest.answers["GET /sources/src_1/polls/poll_1"] = waiting
    assert broken(rest)["source poll"].startswith("queued: nobody has begun it")
    failed = POLL | {"state": "failed", "reports": [{"report": "cost", "error": "401: the key was revoked"}]}
    rest.answers["GET /sources/src_1/polls/poll_1"] = failed
    assert broken(rest) == {"source poll": "cost: 401: the key was revoked"}


def test_an_evaluation_of_an_older_reading_does_not_count(rest: Answering) -> None:
    rest.answers["GET /sources/src_1"] = {"status": {"evaluated_read_at": "2026-11-16T12:00:00Z"}}
    assert broken(rest).keys() == {"evaluation"}


def test_an_end_that_a_channel_has_not_heard_of_is_a_broken_hop(rest: Answering) -> None:
    rest.answers["GET /alerts/alert_1"]["notifications"] = [told("resolve", "queued"), told("open")]
    assert broken(rest).keys() == {"clean-up"}


def test_where_it_leads_is_shown_before_anybody_is_notified(rest: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.confirm", lambda _: False)
    out, text = screen()
    assert drill(Server(rest.url, "tcn_FAKE"), WANTED, out, sure=False) == 1
    assert text.getvalue().splitlines() == [
        "The drill notifies, each message marked DRILL:",
        "    eng-oncall (slack_bot)",
        "    boss (slack_bot), 15m later unless the drill is over",
        "Nobody was notified.",
    ]
    asked = "GET /routes/match?label=kind%3Ddrill&label=team%3Deng&label=severity%3Dcritical&label=scope%3Dorg"
    assert [query for query, _, _ in rest.asked] == [asked]


def test_a_source_that_is_given_by_its_id_is_known_to_routes_by_its_name(
    rest: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.confirm", lambda _: False)
    rest.answers["GET /sources/src_1"]["name"] = "acme"
    wanted = DrillWanted("src_1", "critical", {}, patience=5)
    assert drill(Server(rest.url, "tcn_FAKE"), wanted, screen()[0], sure=False) == 1
    assert rest.asked[-1][0].endswith("&label=source%3Dacme")


def test_the_verdict_is_the_last_line(rest: Answering) -> None:
    out, text = screen()
    assert drill(Server(rest.url, "tcn_FAKE"), WANTED, out, sure=True) == 0
    assert "ok  answer of eng-oncall (slack_bot)   0.4 s  posted in C1" in text.getvalue()
    assert text.getvalue().endswith("Passed: 5 hops.\n")


def test_it_cleans_up_where_the_server_stops_answering(rest: Answering) -> None:
    rest.answers["GET /sources/src_1/polls/poll_1"] = []  # no object
    with pytest.raises(ServerError):
        hops(rest)
    assert "POST /alerts/alert_1/resolve?" in [asked for asked, _, _ in rest.asked]


class EndedServer(Server):
    """A person ends the command while it asks one thing, for the first time."""

    ended_at = ""

    def ask(
        self, method: str, path: str, query: Query | None = None, body: Json = None, version: int | None = None
    ) -> Any:
        if f"{method} {path}" == self.ended_at:
            self.ended_at = ""
            os.kill(os.getpid(), signal.SIGINT)
        return super().ask(method, path, query, body, version)


@pytest.mark.parametrize(
    ("ended_at", "known"),
    [("POST /drills", []), ("GET /alerts/alert_1", ["alert"])],
)
def test_a_drill_that_is_ended_is_taken_back_and_says_how_far_it_came(
    rest: Answering, ended_at: str, known: list[str]
) -> None:
    server = EndedServer(rest.url, "tcn_FAKE")
    out, text = screen()
    server.ended_at = ended_at
    with pytest.raises(KeyboardInterrupt):
        drill_as_json(server, WANTED, out, watch=Stopwatch(lambda: 0.0, lambda _: None))
    assert "POST /alerts/alert_1/resolve?" in [asked for asked, _, _ in rest.asked]
    said = json.loads(text.getvalue())
    assert said["passed"] is False
    assert [one["hop"] for one in said["hops"]] == [*known, "clean-up", "drill"]
    server.ended_at, (out, text) = ended_at, screen()
    with pytest.raises(KeyboardInterrupt):
        drill(server, WANTED, out, sure=True, watch=Stopwatch(lambda: 0.0, lambda _: None))
    assert text.getvalue().endswith(f"Not passed: 1 of {len(known) + 2} hops broke, first: drill\n")


def test_a_drill_whose_server_stops_answering_says_how_far_it_came(rest: Answering) -> None:
    rest.answers["GET /sources/src_1/polls/poll_1"] = []
    out, text = screen()
    with pytest.raises(ServerError):
        drill_as_json(Server(rest.url, "tcn_FAKE"), WANTED, out)
    last = json.loads(text.getvalue())["hops"][-1]
    assert (last["hop"], last["broken"]) == ("drill", True)


def test_a_drill_that_cannot_begin_writes_nothing(rest: Answering) -> None:
    rest.status = 403
    out, text = screen()
    with pytest.raises(ServerError):
        drill_as_json(Server(rest.url, "tcn_FAKE"), WANTED, out)
    assert text.getvalue() == ""


def test_a_label_is_a_name_and_a_value() -> None:
    assert read_labels(["team=eng", "note=a=b"]) == {"team": "eng", "note": "a=b"}
    for wrong in ("team", "=eng", "team="):
        with pytest.raises(StartError, match="--label"):
            read_labels([wrong])
    with pytest.raises(StartError, match="--label team: it stands there twice"):
        read_labels(["team=eng", "env=prod", "team=ops"])
