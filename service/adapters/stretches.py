"""Stretches of a backtest, all but the first in child processes: the threads of one process share a core.

A child is this module, started for one stretch. It reads the stretch from its parent, pickled, and how rarely that one
looks for garbage, and answers with what came of it; it opens no file, no connection and no database.
"""

from __future__ import annotations

import gc
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from service.domain.backtest.backtest import Progress
from service.domain.backtest.stretches import Hands, ReplayStretch, StretchResult, replay_stretch

log = logging.getLogger(__name__)

MOST = 4
"""Each process holds its stretch and the weeks before it."""
QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Linux's limit of this container: microseconds of computing in so many; "max" for none."""
COMMAND = (sys.executable, "-I", "-m", "service.adapters.stretches")
NICENESS = 10
"""Alerts go first: a child takes what polls, evaluations and the database leave of the machine."""
OWN_PART = 0.9
"""The progress of a backtest when its first stretch is done and others may not be."""
PATIENCE = 0.2
"""Seconds between two looks whether anybody still waits for the backtest."""

Talk = Future[bytes]
Child = subprocess.Popen[bytes] | OSError
"""A process, or why there is none."""


def one_for_each_core(quota: Path = QUOTA) -> int:
    """Returns the number of cores that this process may use: of a large machine a container may have one."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, _cores_granted(quota), MOST))


def _cores_granted(quota: Path) -> int:
    try:
        share, period = quota.read_text().split()
        return int(share) // int(period)
    except (OSError, ValueError):
        return MOST  # no control group limits it: there is no such file, or it says "max"


class StretchProcesses:
    """Makes as many stretches at the same time as there are processes, this one included.

    A child that cannot be started, or ends without an answer, costs time alone: its stretch is made here.
    """

    def __init__(self, count: int, command: Sequence[str] = COMMAND) -> None:
        self.count = count
        self._command = tuple(command)

    def make(self, stretches: Sequence[ReplayStretch], note: Progress) -> list[StretchResult]:
        """The children end with the call, whatever `note` raises."""
        with self._started(len(stretches) - 1) as hands:
            return hands.make(stretches, note)

    def called(self) -> AbstractContextManager[Hands]:
        """Starts the children, which import for 0.4 s."""
        return self._started(self.count - 1)

    @contextmanager
    def _started(self, children: int) -> Iterator[Hands]:
        """None outlives the block."""
        hands = _Started([_start(self._command) for _ in range(children)])
        try:
            yield hands
        finally:
            hands.dismiss()


class _Started:
    """This process and its children, which wait for their stretches."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.count = 1 + len(children)
        self._waiting = children

    def called(self) -> AbstractContextManager[Hands]:
        return nullcontext(self)

    def make(self, stretches: Sequence[ReplayStretch], note: Progress) -> list[StretchResult]:
        first, *others = stretches
        asked, self._waiting = self._waiting[: len(others)], self._waiting[len(others) :]
        self.dismiss()
        if not others:
            return [replay_stretch(first, note)]
        with ThreadPoolExecutor(len(others)) as threads:
            talks = [threads.submit(_told, child, stretch) for child, stretch in zip(asked, others, strict=True)]
            try:
                made = [replay_stretch(first, lambda progress: note(OWN_PART * progress))]
                for stretch, talk in zip(others, talks, strict=True):
                    found = _answer(talk, lambda: note(OWN_PART))
                    made.append(found or replay_stretch(stretch, lambda _: note(OWN_PART)))
            finally:
                _kill(asked)
        note(1.0)
        return made

    def dismiss(self) -> None:
        """Ends the children that wait. Those that are talked to are left to their talks."""
        _kill(self._waiting)
        for child in self._waiting:
            if not isinstance(child, OSError):
                child.communicate()


def _kill(children: Sequence[Child]) -> None:
    for child in children:
        if not isinstance(child, OSError):
            child.kill()


def _start(command: Sequence[str]) -> Child:
    try:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603
    except OSError as error:
        return error


def _told(child: Child, stretch: ReplayStretch) -> bytes:
    """Raises OSError with the child's last words, where it has failed."""
    if isinstance(child, OSError):
        raise child
    answer, said = child.communicate(task_of(stretch.narrowed()))
    if child.returncode != 0:
        words = said.decode(errors="replace").strip().splitlines()
        raise OSError(f"it ended with {child.returncode}: {words[-1] if words else 'without a word'}")
    return answer


def task_of(stretch: ReplayStretch) -> bytes:
    """Returns what a child reads: how rarely this process looks for garbage, and the stretch."""
    return pickle.dumps((gc.get_threshold(), stretch))


def _answer(talk: Talk, look: Callable[[], None]) -> StretchResult | None:
    """The child's stretch; None where it has failed. Meanwhile it calls `look` again and again."""
    while True:
        try:
            return pickle.loads(talk.result(timeout=PATIENCE))  # type: ignore[no-any-return]  # noqa: S301
        except TimeoutError:
            look()
        except OSError as error:
            log.warning("a stretch of a backtest is made here, its child process failed: %s", error)
            return None


def main() -> None:
    """Makes the stretch on standard input. Ends with its parent, for whom alone it works."""
    parent = os.getppid()

    def stay(progress: float) -> None:
        if os.getppid() != parent:
            raise SystemExit(f"nobody waits for it any more, at {progress:.0%}")

    os.nice(NICENESS)
    thresholds, stretch = pickle.load(sys.stdin.buffer)  # noqa: S301
    gc.freeze()
    gc.set_threshold(*thresholds)
    pickle.dump(replay_stretch(stretch, stay), sys.stdout.buffer)


if __name__ == "__main__":
    main()
