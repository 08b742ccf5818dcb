"""One process of the product, whose clock differs from the others', and whose leases are shorter than in reality.

    python benchmarks/stress/process.py --ahead 0.004 --lease 30 --address 127.1.0.1 worker

Leases are real time: at 2,400 times the speed two minutes would be three days, as long as a period waits for late
bills.
"""

from __future__ import annotations

import argparse
import socket
import sys
from asyncio.selector_events import BaseSelectorEventLoop
from datetime import UTC, datetime, timedelta
from typing import Any

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


def connect_from(address: str) -> None:
    """Every connection to this machine comes from an address of the process's own, by which a receiver knows it."""
    connect = BaseSelectorEventLoop.sock_connect

    async def sock_connect(loop: BaseSelectorEventLoop, sock: socket.socket, place: Any) -> None:
        if sock.family is socket.AF_INET and place[0] == "127.0.0.1":
            sock.bind((address, 0))
        await connect(loop, sock, place)

    BaseSelectorEventLoop.sock_connect = sock_connect  # type: ignore[method-assign,assignment]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ahead", type=float, required=True, help="real seconds by which this clock is ahead")
    parser.add_argument("--lease", type=float, required=True, help="real seconds")
    parser.add_argument("--address", required=True, help="of this machine, from which the process connects")
    parser.add_argument("command", choices=("worker", "api"))
    asked = parser.parse_args()
    ahead = timedelta(seconds=asked.ahead)
    clock.wall_clock = lambda: datetime.now(UTC) + ahead
    shorten_leases(timedelta(seconds=asked.lease))
    connect_from(asked.address)
    sys.argv = ["tocsin", asked.command]
    app.main()


if __name__ == "__main__":
    main()
