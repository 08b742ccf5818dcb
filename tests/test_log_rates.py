"""The log under a flood: lines of one kind end, others do not, and what was left out is counted."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from service.cli.log_rates import LAST, LEFT_OUT, MOST_KINDS, MOST_WARNINGS, WINDOW_SECONDS, LineRates

FLOOD = 500
PROCESS = f"""
import logging
import structlog
from service.cli.logs import configure_logging

configure_logging("json")
log, library = structlog.get_logger("ours"), logging.getLogger("asyncio")
for number in range({FLOOD}):
    log.warning("storage_unavailable", reason=f"reason {{number}}")
    library.error(f"socket.accept() out of system resource {{number}}")
    log.info("alert_moved", alert_id=f"alert_{{number}}")
    try:
        raise RuntimeError(number)
    except RuntimeError:
        log.exception("request_failed")
log.warning("another")
library.error("another of a library's")
"""
"""A process of its own, as its log is configured for all of it."""


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-c", PROCESS], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize("kind", ["storage_unavailable", "request_failed", "socket.accept()"])
def test_lines_of_one_kind_end_whatever_they_say_and_the_last_one_says_so(
    lines: list[dict[str, Any]], kind: str
) -> None:
    flood = [line for line in lines if line["event"].startswith(kind)]
    assert len(flood) == MOST_WARNINGS
    assert [LAST in line for line in flood] == [False] * (MOST_WARNINGS - 1) + [True]


@pytest.mark.parametrize("kind", ["another", "another of a library's"])
def test_lines_of_another_kind_go_on(lines: list[dict[str, Any]], kind: str) -> None:
    assert [line["event"] for line in lines].count(kind) == 1


def test_what_happens_to_alerts_is_written_hundreds_of_times_a_minute_too(lines: list[dict[str, Any]]) -> None:
    assert [line["event"] for line in lines].count("alert_moved") == FLOOD


def test_after_a_window_lines_come_again_and_say_how_many_were_left_out() -> None:
    now = 0.0
    rates = LineRates(lambda: now)
    admitted = [rates.admit("kind", 3) for _ in range(10)]
    assert [said is not None for said in admitted] == [True] * 3 + [False] * 7
    now = WINDOW_SECONDS
    assert rates.admit("kind", 3) == {LEFT_OUT: 7}
    now = 2 * WINDOW_SECONDS
    assert rates.admit("kind", 3) == {}


def test_kinds_without_end_take_no_memory_without_end() -> None:
    rates = LineRates(lambda: 0.0)
    for number in range(3 * MOST_KINDS):
        assert rates.admit(f"kind {number}", 1) == {}
    assert len(rates._windows) <= MOST_KINDS
