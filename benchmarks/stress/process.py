"""One process of the product, whose clock differs from the others' and whose leases are shorter than in reality.

    python benchmarks/stress/process.py --ahead 0.004 --lease 30 worker

Leases are real time: at 2,400 times the speed two minutes would be three days, as long as a period waits for late
bills.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime, timedelta

from service import worker
from service.adapters.postgres.queue import queue
from service.bootstrap import clock
from service.cli import app
from service.workflows.delivery import batch


def shorten_leases(lease: timedelta) -> None:
    """A message is taken from a dead sender after the lease, a job from a dead worker after a twelfth of it.

    Jobs of a source wait for each other: with kills every few seconds it would otherwise never be read.
    """
    batch.LEASE = lease
    queue.HEARTBEAT, queue.STALLED_AFTER = lease / 36, lease / 12
    sweep_defaults = queue.Queue.sweep.__kwdefaults__
    assert sweep_defaults is not None
    sweep_defaults["stalled_after"] = queue.STALLED_AFTER
    worker.SWEEP_TICK = lease / 36


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ahead", type=float, required=True, help="real seconds by which this clock is ahead")
    parser.add_argument("--lease", type=float, required=True, help="real seconds")
    parser.add_argument("command", choices=("worker", "api"))
    asked = parser.parse_args()
    ahead = timedelta(seconds=asked.ahead)
    clock.wall_clock = lambda: datetime.now(UTC) + ahead
    shorten_leases(timedelta(seconds=asked.lease))
    sys.argv = ["tocsin", asked.command]
    app.main()


if __name__ == "__main__":
    main()
