"""A short run of `benchmarks/chaos.py`: processes and database are killed, and nothing is missing, doubled or wrong."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from stress.fleet import Death
from stress.people import People
from stress.receivers import Answer, Arrival
from stress.verdict import Verdict, judge_duplicates, judge_messages

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "chaos.py"
SHORT = {
    "--days": 2, "--seconds": 8, "--kills": 6, "--crashes": 1, "--workers": 2, "--apis": 1, "--organisations": 1,
    "--lease": 8,
}  # fmt: skip


@pytest.mark.slow
def test_two_days_of_kills_and_crashes_change_nothing() -> None:
    options = [str(part) for option in SHORT.items() for part in option]
    ended = subprocess.run([sys.executable, SCRIPT, *options], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "No difference." in ended.stdout


# ------------------------------------------------------------------------------- what the benchmark itself assumes

FIRST, SECOND = (Arrival("ntf_1", at, pid=7, answer=Answer.TAKEN) for at in (100.0, 108.5))


@pytest.mark.parametrize("died", [97.0, 100.05, 107.0])
def test_a_copy_of_a_sender_that_died_is_explained_also_where_the_first_was_read_late(died: float) -> None:
    verdict = Verdict()
    judge_duplicates(verdict, [FIRST, SECOND], [Death(7, died, "at any time")], lease=8)
    assert verdict.differences == []


@pytest.mark.parametrize("death", [Death(8, 100.05, "another's"), Death(7, 108.2, "after its lease"), None])
def test_a_copy_that_no_death_explains_is_a_difference(death: Death | None) -> None:
    verdict = Verdict()
    judge_duplicates(verdict, [FIRST, SECOND], [death] if death else [], lease=8)
    assert len(verdict.differences) == 1


@pytest.mark.parametrize(("kind", "differences"), [("incomplete", 0), ("stale_source", 1)])
def test_only_a_kind_that_calls_nobody_may_reach_no_webhook(kind: str, differences: int) -> None:
    alert = {"id": "alr_1", "kind": kind, "budget": None, "summary": "nobody was told"}
    verdict = Verdict()
    judge_messages(verdict, [alert], [], [])
    assert len(verdict.differences) == differences


async def test_who_goes_home_in_the_middle_of_a_request_hears_its_answer() -> None:
    """Under load an answer takes long: one that was given up was carried out, and looked like nobody's."""
    asked, answer = asyncio.Event(), asyncio.Event()

    async def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"items": [{"id": "alr_1"}]})
        asked.set()
        await answer.wait()
        return httpx.Response(200)

    async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as client:
        people = People([1], Impatient(7), client, patience=5)
        answering = asyncio.create_task(people.acknowledge_now_and_then())
        await asked.wait()
        people.go_home()
        answer.set()
        await answering
    assert list(people.acknowledged.values()) == ["alr_1"]


class Impatient(random.Random):
    def expovariate(self, lambd: float = 1.0) -> float:
        return 0.0
