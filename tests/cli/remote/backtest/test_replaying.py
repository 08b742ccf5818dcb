"""A backtest is followed to its end, and what would have fired is shown with its tally."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from service.api.backtest.documents import BacktestResultOut
from service.bootstrap.errors import StartError
from service.cli.remote.backtest.cancelling import cancel, wanted_alone
from service.cli.remote.backtest.replaying import BacktestWanted, backtest, standing
from service.client import Server
from tests.cli.remote.rest import Answering, answering, screen
from tests.cli.remote.test_ranking import breakdown, figure

QUEUED: dict[str, Any] = {
    "id": "bt_1",
    "state": "running",
    "progress": 0.5,
    "source_id": "src_1",
    "subject": {"kind": "change", "id": "rule_1", "name": "jumps", "version": 1},
    "request": {},
    "since": "2026-11-01",
    "until": "2026-11-03",
    "created_at": "2026-11-16T12:00:00Z",
    "created_by": "token:ann",
    "started_at": None,
    "finished_at": None,
    "error": None,
    "ahead": None,
    "steps": None,
    "tally": None,
    "firings": None,
    "by_scope": None,
    "assumed_share": None,
    "sweep": None,
    "assumptions": None,
}
FIRING = {
    "at": "2026-11-03T00:00:00Z",
    "day": "2026-11-02",
    "scope": "org",
    "name": "Acme",
    "severity": "warning",
    "raised": False,
    "actual": "80.00",
    "expected": "10.00",
    "excess": "70.00",
    "unit": "US dollars a day",
    "cause": "",
    "late": False,
    "impact": "70.00",
    "resolved_at": None,
    "threshold": None,
    "severity_reason": "",
}
TALLY = {"alerts": 1, "firings": 1, "late": 0, "alerts_per_month": 10.0, "dollars": "70.00"}
DONE = QUEUED | {
    "state": "done",
    "progress": 1.0,
    "finished_at": "2026-11-16T12:00:05Z",
    "steps": 3,
    "tally": TALLY,
    "firings": [FIRING],
    "by_scope": [],
    "assumed_share": 0.25,
    "sweep": [],
    "assumptions": [],
}
DAY = {"end": "2026-11-02T00:00:00Z", "state": "complete", "groups": None}
SERIES = breakdown() | {
    "items": [
        figure(dollars) | DAY | {"start": f"2026-11-0{day}T00:00:00Z"}
        for day, dollars in enumerate(("10.00", "80.00", "10.00"), 1)
    ]
}
WANTED = BacktestWanted("jumps", "", date(2026, 11, 1), None)


def replay(rest: Answering, png: Path | None = None) -> str:
    out, text = screen()

    def end_it(_: float) -> None:
        rest.answers["GET /backtests/bt_1"] = DONE

    backtest(Server(rest.url, "tcn_FAKE"), WANTED, png, out, pause=end_it)
    return text.getvalue()


def test_the_plot_the_firings_and_the_tally_are_shown(tmp_path: Path) -> None:
    answers = {"POST /backtests": QUEUED, "GET /backtests/bt_1": QUEUED, "GET /spend": SERIES}
    with answering(deepcopy(answers)) as rest:
        shown = replay(rest, tmp_path / "plot.png")
    assert rest.asked[0][2] == {"rule": "jumps", "since": "2026-11-01"}
    assert "2026-11  ▁█▁\n          ▲\n" in shown
    assert "2026-11-02  warning   Acme" in shown
    assert "jumps, 2026-11-01 to 2026-11-03: 1 alert, 1 firing, 10.0 alerts a month, $70.00 above" in shown
    assert "25% of the dollars were read late" in shown
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("ahead", "said"),
    [(None, "backtest"), (0, "waits for a worker"), (1, "waits behind 1 other"), (3, "waits behind 3 others")],
)
def test_one_that_waits_says_behind_what(ahead: int | None, said: str) -> None:
    assert standing(BacktestResultOut.model_validate(QUEUED | {"ahead": ahead})) == said


def test_one_is_cancelled_by_its_id() -> None:
    (out, text), failed = screen(), QUEUED | {"state": "failed", "error": "cancelled by ann"}
    with answering({"POST /backtests/bt_1/cancel": failed}) as rest:
        cancel(Server(rest.url, "tcn_FAKE"), wanted_alone("bt_1", "", ""), out)
    assert text.getvalue() == "The backtest of jumps is cancelled.\n"
    with pytest.raises(StartError, match="leave --rule and --budget out"):
        wanted_alone("bt_1", "jumps", "")


def test_one_that_fails_says_why() -> None:
    failed = QUEUED | {"state": "failed", "finished_at": "2026-11-16T12:00:05Z", "error": "the source is gone"}
    with (
        answering({"POST /backtests": QUEUED, "GET /backtests/bt_1": failed}) as rest,
        pytest.raises(StartError, match="the backtest failed: the source is gone"),
    ):
        backtest(Server(rest.url, "tcn_FAKE"), WANTED, None, screen()[0])


def test_one_thing_is_replayed_at_a_time() -> None:
    for given in (("", ""), ("a rule", "a budget")):
        with pytest.raises(StartError, match="one of them"):
            BacktestWanted(*given, None, None)
