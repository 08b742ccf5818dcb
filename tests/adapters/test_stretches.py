"""Stretches of a replay in real processes: what they find, what their failures cost, and that none is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from service.adapters.stretches import COMMAND, MOST, StretchProcesses, one_for_each_core, task_of
from service.domain.backtest.stretches import Course, OneByOne, ReplayStretch, StretchResult
from service.domain.values.names import Names
from service.domain.values.scopes import Dimension, ScopeKey
from service.domain.values.utc import midnight
from tests.domain.backtest.pasts import day, past
from tests.domain.backtest.test_stretches import settings_of, silent

DAYS = 70
COURSE = Course(day(1), day(DAYS + 1), day(DAYS))
SAID = "a stretch of a backtest is made here, its child process failed"


def three() -> Sequence[ReplayStretch]:
    """Three stretches of the same past, cut where nothing is open; a dear day lies in each."""
    recorded = past(DAYS, special={40: "150.00", 52: "190.00", 64: "230.00"})
    cuts = [midnight(day(number)) for number in (1, 46, 58, DAYS + 1)]
    settings = settings_of(timedelta())
    return [ReplayStretch(settings, recorded, COURSE, cuts[n], cuts[n + 1]) for n in range(3)]


def facts(made: Sequence[StretchResult]) -> list[object]:
    return [(part.until, [list(each) for each in part.firings], part.dollars, list(part.busy)) for part in made]


def program(text: str) -> tuple[str, ...]:
    return sys.executable, "-c", text


def test_stretches_in_processes_find_what_they_find_in_this_one() -> None:
    told: list[float] = []
    made = StretchProcesses(3).make(three(), told.append)
    assert facts(made) == facts(OneByOne().make(three(), silent))
    assert [len(part.firings[0]) for part in made] == [1, 1, 1]
    assert (told == sorted(told), told[-1]) == (True, 1.0)


def test_one_stretch_needs_no_other_process() -> None:
    (only, *_), absent = three(), ("/nowhere/python",)
    assert facts(StretchProcesses(8, absent).make([only], silent)) == facts(OneByOne().make([only], silent))


@pytest.mark.parametrize(
    ("limit", "most"), [("100000 100000\n", 1), ("50000 100000\n", 1), ("250000 100000\n", 2), ("max 100000\n", MOST)]
)
def test_a_container_with_a_share_of_a_machine_has_no_more_processes_than_cores(
    limit: str, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each process holds hours, and on one core none of them saves any time."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)), raising=False)
    quota = tmp_path / "cpu.max"
    assert one_for_each_core(quota) == MOST
    quota.write_text(limit)
    assert one_for_each_core(quota) == most
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {7})
    assert one_for_each_core(quota) == 1


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("/nowhere/python",), "No such file or directory"),
        (program("import sys; sys.stdin.buffer.read(); sys.exit('no memory left')"), "ended with 1: no memory left"),
        (program("raise SystemExit(3)"), "ended with 3: without a word"),
        (program("import os; os.kill(os.getpid(), 9)"), "ended with -9"),
    ],
)
def test_a_child_that_fails_costs_time_alone(
    command: Sequence[str], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert facts(StretchProcesses(3, command).make(three(), silent)) == facts(OneByOne().make(three(), silent))
    said = [record.getMessage() for record in caplog.records if SAID in record.getMessage()]
    assert len(said) == 2
    assert all(why in words for words in said)


class Unwanted(Exception):
    """Nobody waits for the backtest any more."""


Processes = list[subprocess.Popen[bytes]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Processes:
    """All child processes that are started."""
    found: Processes = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, command: Sequence[str], **pipes: int) -> None:
            super().__init__(command, **pipes)  # type: ignore[call-overload]
            found.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    return found


def test_children_that_are_called_get_ready_before_there_is_anything_to_do(started: Processes) -> None:
    with StretchProcesses(3).called() as hands:
        assert (hands.count, [child.poll() for child in started]) == (3, [None, None])
        assert facts(hands.make(three(), silent)) == facts(OneByOne().make(three(), silent))
    assert [child.returncode for child in started] == [0, 0]


def test_children_that_nothing_came_for_end(started: Processes) -> None:
    with pytest.raises(Unwanted), StretchProcesses(3).called():
        raise Unwanted
    assert [child.returncode for child in started] == [-9, -9]


def test_who_leaves_early_does_not_touch_children_that_are_talked_to(started: Processes) -> None:
    """A task that is cancelled twice leaves its block while the thread still makes stretches."""
    with ThreadPoolExecutor(1) as thread:
        began = threading.Event()
        with StretchProcesses(3).called() as hands:
            making = thread.submit(hands.make, three(), lambda progress: began.set())
            assert began.wait(60)
        assert facts(making.result()) == facts(OneByOne().make(three(), silent))
    assert [child.returncode for child in started] == [0, 0]


def test_children_that_are_not_needed_do_not_wait_for_the_end(started: Processes) -> None:
    def note(progress: float) -> None:
        assert [child.returncode for child in started[1:]] == [-9, -9]

    with StretchProcesses(4).called() as hands:
        assert len(hands.make(three()[:2], note)) == 2
    assert [child.returncode for child in started] == [0, -9, -9]


def test_a_backtest_that_is_stopped_leaves_no_process(started: Processes) -> None:
    """The children would never answer; the stop comes while this process waits for them."""

    def note(progress: float) -> None:
        waits.append(progress)
        if len(waits) > 2 and waits[-2:] == [0.9, 0.9]:
            raise Unwanted

    waits: list[float] = []
    with pytest.raises(Unwanted):
        StretchProcesses(3, program("import signal; signal.pause()")).make(three(), note)
    assert [child.returncode for child in started] == [-9, -9]


def test_a_child_ends_with_its_parent() -> None:
    """The parent dies while the child still reads its stretch: the first step of that is the last."""
    names: Names = {ScopeKey(Dimension.WORKSPACE, f"wrkspc_{number}"): "a long name " * 20 for number in range(5_000)}
    stretch = three()[0]
    task = task_of(replace(stretch, recorded=replace(stretch.recorded, names=names)))
    parent = program("import subprocess, sys; subprocess.Popen(sys.argv[1:]).wait()")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen((*parent, *COMMAND), **pipes) as middle:  # type: ignore[call-overload]
        middle.stdin.write(task[:500_000])  # more than a pipe holds: the child reads, and knows its parent
        middle.kill()
        middle.wait()
        middle.stdin.write(task[500_000:])
        middle.stdin.close()
        assert middle.stdout.read() == b""
        assert b"nobody waits for it any more" in middle.stderr.read()
