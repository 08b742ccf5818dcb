"""The command as people run it: processes, signals, and what stands in the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.command import Installation, free_port, run, tocsin

pytestmark = pytest.mark.slow


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("installed"), free_port())
    with tocsin(installation.folder, installation.port, "up") as product:
        product.wait_for("SIMULATED")
        yield installation


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
        assert second.interrupt() == 0
        assert "shown this once" not in second.shown


def test_a_second_copy_on_the_same_port_is_told_what_to_change(installed: Installation) -> None:
    second = run(installed.folder, installed.port, "up")
    assert second.returncode == 1
    assert "TOCSIN_PORT" in second.stderr
    assert "Traceback" not in second.stderr


def test_poll_backfill_check_and_token_work_beside_a_running_product(installed: Installation) -> None:
    folder, port = installed.folder, installed.port
    poll = run(folder, port, "poll")
    assert poll.returncode == 0, poll
    assert "cost" in poll.stdout
    since = datetime.now(UTC) - timedelta(days=33)
    backfill = run(folder, port, "backfill", "--since", f"{since:%Y-%m-%d}")
    assert backfill.returncode == 0, backfill
    check = run(folder, port, "check")
    assert check.returncode == 0, check
    assert check.stdout
    assert all(line.startswith("ok") for line in check.stdout.splitlines())
    secret = run(folder, port, "token", "create", "grafana", "--role", "viewer").stdout.strip()
    assert installed.status("/budgets", secret) == 200
    assert installed.status("/alerts", "tcn_wrong") == 401


@pytest.mark.parametrize(
    "content", [None, "a,b\n1,2\n", "series,date,y\nshop,yesterday,1\n", "series,date,y\nshop\n", "\ufeff\x00"]
)
def test_a_file_that_cannot_be_replayed_is_a_line_and_a_wrong_option(
    tmp_path: Path, port: int, content: str | None
) -> None:
    file = tmp_path / "spend.csv"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    ended = run(tmp_path, port, "simulate", "--port", str(port), "--replay", str(file))
    assert ended.returncode == 2, ended
    assert ended.stderr.startswith(f"tocsin: --replay: {file}: ")
    assert "Traceback" not in ended.stderr


def test_a_result_as_json_is_all_of_standard_output(installed: Installation) -> None:
    def answer(*arguments: str) -> dict[str, Any]:
        ended = run(installed.folder, installed.port, *arguments, "--json")
        assert ended.returncode == 0, ended
        shown: dict[str, Any] = json.loads(ended.stdout)
        return shown

    assert {one["report"] for one in answer("poll")["reports"]} >= {"cost", "usage_hours"}
    since = f"{datetime.now(UTC) - timedelta(days=33):%Y-%m-%d}"
    backfill = answer("backfill", "--since", since)
    assert (backfill["state"], backfill["window"]["start"][:10]) == ("done", since)
    token = answer("token", "create", "ci")
    assert installed.status("/budgets", token["token"]) == 200
    assert answer("token", "revoke", token["id"])["revoked_at"]
    assert installed.status("/budgets", token["token"]) == 401
    schema = answer("migrate")
    assert schema["before"] == schema["after"]
