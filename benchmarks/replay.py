"""How much processor time the replay of 400 days and 200 series takes, without a database.

    python benchmarks/replay.py                 # every rule and budget
    python benchmarks/replay.py "by hour"       # those whose name holds the words

The past is that of `benchmarks/backtest.py`, made in memory. Each line is one rule or budget with its whole sweep.
"""

from __future__ import annotations

import sys
import time

from backtesting.in_memory import remembered
from backtesting.numbers import CELLS, DAYS, FIRST
from backtesting.subjects import subjects

from service.bootstrap.collector import spare_what_lives
from service.domain.backtest.backtest import Result, Subject
from service.domain.backtest.budgets import replay_budget
from service.domain.backtest.history import Recorded
from service.domain.backtest.rules import replay_rule
from service.domain.budgets.budget import Budget
from service.domain.values.utc import DAY


def replayed(subject: Subject, recorded: Recorded) -> Result:
    last = FIRST + (DAYS - 1) * DAY
    if isinstance(subject.spec, Budget):
        return replay_budget(subject, recorded, FIRST, last, lambda progress: None)
    return replay_rule(subject, recorded, FIRST, last, lambda progress: None)


def main(asked: str) -> None:
    recorded = remembered()
    spare_what_lives()  # as a worker does
    print(f"Replays of {DAYS} days and {len(CELLS)} series, in seconds of processor time")
    for name, subject in subjects().items():
        if asked in name:
            began = time.process_time()
            result = replayed(subject, recorded)
            print(f"  {name:<43} {time.process_time() - began:5.1f}  {result.tally.alerts} alerts", flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
