"""The machine: what a table of figures has to say of it, a free port, and the memory of a process."""

from __future__ import annotations

import os
import platform
import random
import shutil
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

ANCHORS = {"prometheus": "prometheus", "promtool": "prometheus", "prometheus-alertmanager": "prometheus-alertmanager"}
"""Programs to measure beside, and the package of Debian that has each."""


def described() -> Iterator[str]:
    """Yields the machine, the day, how busy it is, and the anchors that are not there: a line each."""
    yield f"Measured on {datetime.now(UTC):%d %B %Y}: {cores()} cores, {processor()}, {memory()} GB"
    yield f"{platform.system()} {platform.release()}, CPython {platform.python_version()}"
    yield f"load of the machine before: {os.getloadavg()[0]:.1f}"
    for program in missing():
        yield f"not measured beside {program}: it is not installed (Debian's {ANCHORS[program]})"


def missing() -> list[str]:
    return [program for program in ANCHORS if shutil.which(program) is None]


def cores() -> int:
    return len(os.sched_getaffinity(0))


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def memory() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3)


def free_port() -> int:
    """A free port below those that the kernel gives away: nobody else takes it before it is listened on."""
    for port in random.sample(range(20_000, 32_000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError("no port is free")


def peak_megabytes(pid: int) -> float:
    """The most memory that a process has held so far (VmHWM, proc(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
