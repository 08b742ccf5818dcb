"""What a start costs: seconds of CPU of each command, beside Python's own start and the libraries that storing needs.

    python benchmarks/start.py         # a minute or two; its own PostgreSQL in a temporary folder, gone afterwards

A line is the median of five processes, user and system time together, without the database's. `up`, `api` and `worker`
are counted until they say that they are there (Linux alone tells). Seconds differ between machines, ratios less.
"""

from __future__ import annotations

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from report import report

from service.adapters.embedded_postgres.server import EmbeddedPostgres

RUNS = 5
PYTHON = "python -c pass"
TOCSIN = str(Path(sys.executable).with_name("tocsin"))
COMMANDS: Mapping[str, Sequence[str]] = {
    PYTHON: (sys.executable, "-c", "pass"),
    "import sqlalchemy.ext.asyncio, psycopg": (sys.executable, "-c", "import sqlalchemy.ext.asyncio, psycopg"),
    "tocsin --help": (TOCSIN, "--help"),
    "tocsin token": (TOCSIN, "token", "list"),
    "tocsin migrate, up to date": (TOCSIN, "migrate"),
    "tocsin check": (TOCSIN, "check"),
}
TARGETS = {"tocsin --help": "< 0.4", "tocsin token": "< 1"}
READY = {"api": b"listens on", "worker": b"polling", "up": b"listens on"}


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder,
        EmbeddedPostgres(Path(folder) / "pg") as server,
    ):
        environment = settings(server.url())
        spent(COMMANDS["tocsin migrate, up to date"], environment)  # from now on it is
        reference = show(PYTHON, lambda: spent(COMMANDS[PYTHON], environment), None)
        for name, command in COMMANDS.items():
            if name != PYTHON:
                show(name, lambda c=command: spent(c, environment), reference)  # type: ignore[misc]
        for part in READY:
            show(f"tocsin {part}, until it is there", lambda p=part: until_ready(p, environment), reference)  # type: ignore[misc]


def settings(database_url: str) -> dict[str, str]:
    """The environment of the commands: a database and a key, nothing else of Tocsin's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TOCSIN_", "ANTHROPIC_"))}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    own = {"TOCSIN_DATABASE_URL": database_url, "TOCSIN_SECRET_KEY": "FAKE-key-of-a-benchmark", "TOCSIN_PORT": port}
    return clean | own


def show(name: str, measure: Callable[[], float], reference: float | None) -> float:
    seconds = statistics.median(measure() for _ in range(RUNS))
    ratio = f"{seconds / reference:.0f} x {PYTHON}" if reference else ""
    report(name, seconds, "s of CPU", anchor=ratio, target=TARGETS.get(name, ""))
    return seconds


def spent(command: Sequence[str], environment: Mapping[str, str]) -> float:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def until_ready(part: str, environment: Mapping[str, str]) -> float:
    with subprocess.Popen(
        (TOCSIN, part), env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        seen = any(READY[part] in line for line in process.stdout)
        seconds = cpu_of(process.pid) if seen else 0.0
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
    if not seen:
        raise SystemExit(f"tocsin {part} ended with {process.returncode}")
    return seconds


def cpu_of(pid: int) -> float:
    """The seconds of user and system time that a running process has used, from /proc (see proc_pid_stat(5))."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
