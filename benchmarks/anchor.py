"""The anchor of judging: what Prometheus takes for a mean and three standard deviations of the same number of series.

    python benchmarks/anchor.py        # two minutes; a Prometheus of its own on this machine, gone afterwards

Eight days of hours of each series are loaded as blocks. One query compares the newest hour of every series with mean
and deviation of its seven days before. Seconds are the median of three; memory is the most that the server has held.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from machine import ANCHORS, free_port, peak_megabytes
from report import exponent, median_of, report

SIZES = (100, 1_000, 10_000)
HOURS = 8 * 24
END = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
QUERY = "spend > bool (avg_over_time(spend[7d] offset 1h) + 3 * stddev_over_time(spend[7d] offset 1h))"
PATIENCE = 60.0


def write_series(path: Path, size: int) -> None:
    """Steady spend with some noise, in the OpenMetrics text format."""
    drawn = random.Random(size)
    with path.open("w") as file:
        file.write("# TYPE spend gauge\n")
        for number in range(size):
            for hour in range(HOURS, 0, -1):
                at = (END - timedelta(hours=hour - 1)).timestamp()
                file.write(f'spend{{key="apikey_{number}"}} {10 * drawn.lognormvariate(0, 0.15):.4f} {at:.0f}\n')
        file.write("# EOF\n")


def load(folder: Path, size: int) -> float:
    """Makes blocks of the series; the seconds that takes."""
    text = folder / "series.txt"
    write_series(text, size)
    began = time.perf_counter()
    blocks = ("create-blocks-from", f"--max-block-duration={HOURS}h", "--quiet")
    command = ["promtool", "tsdb", *blocks, "openmetrics", str(text), str(folder / "data")]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


@contextmanager
def prometheus(folder: Path) -> Iterator[tuple[str, int]]:
    """A server over the blocks in the folder; its address and its process."""
    (folder / "prometheus.yml").write_text("scrape_configs: []\n")
    port = free_port()
    command = [
        *("prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"),
        *(f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=10y", "--log.level=error"),
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address)
            yield address, process.pid
        finally:
            process.terminate()


def _wait_for(address: str) -> None:
    given_up = time.monotonic() + PATIENCE
    while time.monotonic() < given_up:
        with suppress(httpx.TransportError):
            if httpx.get(f"{address}/-/ready", trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise TimeoutError(f"Prometheus is not ready after {PATIENCE:.0f} s")


async def ask(address: str, size: int) -> float:
    """The seconds of one query over all series."""
    began = time.perf_counter()
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        answer = await client.get(f"{address}/api/v1/query", params={"query": QUERY, "time": f"{END.timestamp():.0f}"})
    took = time.perf_counter() - began
    assert len(answer.json()["data"]["result"]) == size, answer.text[:300]
    return took


def missing() -> list[str]:
    """The programs that are not installed."""
    absent = [program for program in ("promtool", "prometheus") if shutil.which(program) is None]
    if absent:
        print(f"Not measured: {', '.join(absent)} is not installed (Debian's {ANCHORS[absent[0]]})")
    return absent


async def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with this
    if missing():
        return 0
    seconds = {size: await measure(size) for size in SIZES}
    report("Prometheus: growth exponent", exponent(seconds), "")
    return 0


async def measure(size: int) -> float:
    what = f"Prometheus: mean + 3 sd of {size:,} series, 8 days of hours"
    with tempfile.TemporaryDirectory(prefix="tocsin-prometheus-") as name:
        folder = Path(name)
        report(f"{what}: loading them as blocks", load(folder, size), "s")
        with prometheus(folder) as (address, pid):
            seconds = await median_of(lambda: ask(address, size))
            report(what, seconds, "s")
            report(f"{what}: memory", peak_megabytes(pid), "MB")
    return seconds


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
