"""The command as people run it: processes, signals, and what stands in the terminal."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.slow

TOCSIN = Path(sys.executable).with_name("tocsin")
PATIENCE = 60.0


class Running:
    """A `tocsin` process whose terminal is a file."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: Path) -> None:
        self.process, self.terminal = process, terminal

    @property
    def shown(self) -> str:
        return self.terminal.read_text()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """What the terminal shows, as soon as it does."""
        deadline = time.monotonic() + PATIENCE
        while (found := re.search(pattern, self.shown)) is None:
            assert self.process.poll() is None, f"it ended: {self.shown}"
            assert time.monotonic() < deadline, f"never shown: {pattern}\n{self.shown}"
            os.sched_yield()
        return found

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


def environment(port: int, **more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TOCSIN_", "ANTHROPIC_"))}
    return {**clean, "TOCSIN_PORT": str(port), "COLUMNS": "160", **more}


@contextmanager
def tocsin(folder: Path, port: int, *arguments: str, **settings: str) -> Iterator[Running]:
    terminal = folder / f"terminal-{time.monotonic_ns()}.txt"
    with terminal.open("wb") as stream:
        process = subprocess.Popen(
            [TOCSIN, *arguments], cwd=folder, env=environment(port, **settings), stdout=stream, stderr=subprocess.STDOUT
        )
    running = Running(process, terminal)
    try:
        yield running
    finally:
        if process.poll() is None:
            running.interrupt()  # a kill would leave its database running


def run(folder: Path, port: int, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TOCSIN, *arguments],
        cwd=folder,
        env=environment(port, **settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_up_rings_in_the_terminal_stops_cleanly_and_finds_its_data_again(tmp_path: Path, port: int) -> None:
    with tocsin(tmp_path, port, "up") as first:
        token = first.wait_for(r"admin token, shown this once: (tcn_\S+)")[1]
        first.wait_for("All spend below is invented")
        first.wait_for(r"SIMULATED: .*\$[\d,.]+ of \$")
        alerts = httpx.get(
            f"http://127.0.0.1:{port}/v1/alerts", headers={"Authorization": f"Bearer {token}"}, trust_env=False
        ).json()["items"]
        assert alerts[0]["state"] == "firing"
        assert first.interrupt() == 0
    with tocsin(tmp_path, port, "up") as second:
        second.wait_for("listens on")
        again = httpx.get(
            f"http://127.0.0.1:{port}/v1/alerts", headers={"Authorization": f"Bearer {token}"}, trust_env=False
        ).json()["items"]
        assert alerts[0]["id"] in {alert["id"] for alert in again}
        assert "shown this once" not in second.shown
        assert second.interrupt() == 0


def test_a_second_copy_on_the_same_port_is_told_what_to_change(tmp_path: Path, port: int) -> None:
    with tocsin(tmp_path, port, "up") as first:
        first.wait_for("listens on")
        second = run(tmp_path, port, "up")
        assert second.returncode == 1
        assert "TOCSIN_PORT" in second.stderr
        assert "Traceback" not in second.stderr


def test_poll_backfill_check_and_token_work_beside_a_running_product(tmp_path: Path, port: int) -> None:
    with tocsin(tmp_path, port, "up") as product:
        product.wait_for("SIMULATED")
        poll = run(tmp_path, port, "poll")
        assert poll.returncode == 0
        assert "cost" in poll.stdout
        since = datetime.now(UTC) - timedelta(days=70)
        backfill = run(tmp_path, port, "backfill", "--since", f"{since:%Y-%m-%d}")
        assert backfill.returncode == 0, backfill.stdout + backfill.stderr
        check = run(tmp_path, port, "check")
        assert check.returncode == 0
        assert all(line.startswith("ok") for line in check.stdout.splitlines())
        secret = run(tmp_path, port, "token", "create", "grafana", "--role", "viewer").stdout.strip()
        headers = {"Authorization": f"Bearer {secret}"}
        assert httpx.get(f"http://127.0.0.1:{port}/v1/budgets", headers=headers, trust_env=False).status_code == 200
        token_id = httpx.get(
            f"http://127.0.0.1:{port}/v1/alerts", headers={"Authorization": "Bearer tcn_wrong"}, trust_env=False
        )
        assert token_id.status_code == 401


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"TOCSIN_PORT": "eighty"}, "TOCSIN_PORT"),
        ({"TOCSIN_CLOCK": "yesterday"}, "TOCSIN_CLOCK"),
        ({"TOCSIN_DATABASE_URL": "postgresql://127.0.0.1:1/none"}, "TOCSIN_SECRET_KEY"),
        ({"TOCSIN_SMTP_URL": "ftp://mail"}, "TOCSIN_SMTP_URL"),
        ({"TOCSIN_EGRESS_ALLOW": "10.0.0.0/8, 192.168.0.0/33"}, "TOCSIN_EGRESS_ALLOW: '192.168.0.0/33'"),
        ({"TOCSIN_PROXY": "socks5://127.0.0.1:1080"}, "TOCSIN_PROXY"),
        ({"ANTHROPIC_BASE_URL": "api.anthropic.com"}, "ANTHROPIC_BASE_URL"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(
    tmp_path: Path, port: int, settings: dict[str, str], named: str
) -> None:
    ended = run(tmp_path, port, "worker", **settings)
    assert ended.returncode != 0
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr
