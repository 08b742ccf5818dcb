"""What Prometheus itself says of deploy/: each alarm fires where something is wrong, and not before."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

RULES = Path(__file__).parents[1] / "deploy/prometheus-rules.yml"
PROMTOOL = shutil.which("promtool")
pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (it comes with Prometheus)")

WELL = {
    'up{job="tocsin"}': "1x60",
    "tocsin_polls_late": "0x60",
    "tocsin_poll_lag_seconds": "0+60x10 0+60x10 0+60x10 0+60x30",
    "tocsin_sources_stale": "0x60",
    "tocsin_evaluation_age_seconds": "30x60",
    "tocsin_evaluation_seconds": "2x60",
    "tocsin_delivery_lag_seconds": "0 20 0x60",
    'tocsin_delivery_seconds{quantile="0.99"}': "3x60",
    'tocsin_circuits_open{channel="slack_bot"}': "0x60",
    "tocsin_notifications_dead": "10x60",
    "tocsin_notifications_unsent_oldest_seconds": "0x60",
    'tocsin_jobs_due_oldest_seconds{kind="poll"}': "4x60",
    'tocsin_jobs_due_oldest_seconds{kind="backfill"}': "0+60x60",
    "tocsin_rule_failures_total": "7x60",
    "tocsin_budget_failures_total": "2x60",
    'tocsin_database_connections_in_use{pool="jobs", instance="a"}': "5x5 10 5x60",
    'tocsin_database_connections_limit{pool="jobs", instance="a"}': "10x60",
}
"""One figure a minute, an hour long."""

TEN_MINUTES_WELL: list[tuple[str, dict[str, str], int]] = [
    ("TocsinDown", {'up{job="tocsin"}': "1x9 0x50"}, 15),
    ("TocsinDown", {'up{job="tocsin"}': "1x9 stale"}, 15),
    ("TocsinNothingPolled", {"tocsin_polls_late": "0x9 1x50"}, 20),
    ("TocsinNothingEvaluated", {"tocsin_evaluation_age_seconds": "0x9 60+60x50"}, 20),
    ("TocsinSourceBlind", {"tocsin_poll_lag_seconds": "0x9 3700+60x50"}, 15),
    ("TocsinSourceBlind", {"tocsin_sources_stale": "0x9 1x50"}, 15),
    ("TocsinEvaluationSlow", {"tocsin_evaluation_seconds": "2x9 75x50"}, 25),
    ("TocsinDeliveryLate", {"tocsin_delivery_lag_seconds": "0x9 301+60x50"}, 15),
    ("TocsinDeliverySlow", {'tocsin_delivery_seconds{quantile="0.99"}': "3x9 90x50"}, 25),
    ("TocsinChannelRefuses", {'tocsin_circuits_open{channel="slack_bot"}': "0x9 1x50"}, 25),
    ("TocsinMessageGivenUp", {"tocsin_notifications_dead": "10x9 11x50"}, 10),
    ("TocsinMessageGivenUp", {"tocsin_notifications_unsent_oldest_seconds": "0x9 1801x50"}, 10),
    ("TocsinJobsWait", {'tocsin_jobs_due_oldest_seconds{kind="poll"}': "4x9 400x50"}, 15),
    ("TocsinCannotJudge", {"tocsin_rule_failures_total": "7x9 8x50"}, 10),
    ("TocsinCannotJudge", {"tocsin_budget_failures_total": "2x9 3x50"}, 10),
    (
        "TocsinDatabaseConnectionsUsedUp",
        {'tocsin_database_connections_in_use{pool="jobs", instance="a"}': "5x9 10x50"},
        11,
    ),
]
"""An alarm, what is wrong from the tenth minute on, and the first minute in which it fires."""


def fires(folder: Path, figures: Mapping[str, str], expected: Mapping[int, frozenset[str]]) -> None:
    """Asks Prometheus which alarms fire in the minutes of `expected`, and compares."""
    asked = [
        {
            "expr": 'count by (alertname) (ALERTS{alertstate="firing"}) > 0',
            "eval_time": f"{minute}m",
            "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(names)],
        }
        for minute, names in expected.items()
    ]
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in figures.items()],
        "promql_expr_test": asked,
    }
    path = folder / "alarms.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    promtool("test", "rules", str(path))


def promtool(*command: str) -> str:
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_the_rules_and_each_has_a_case_here() -> None:
    assert "SUCCESS" in promtool("check", "rules", str(RULES))
    named = {rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}
    assert named == {alarm for alarm, _, _ in TEN_MINUTES_WELL}


@pytest.mark.parametrize(("alarm", "wrong", "minute"), TEN_MINUTES_WELL)
def test_an_alarm_fires_where_something_is_wrong_and_not_before(
    tmp_path: Path, alarm: str, wrong: dict[str, str], minute: int
) -> None:
    fires(tmp_path, WELL | wrong, {minute - 1: frozenset(), minute: frozenset({alarm})})


def test_none_fires_where_all_is_well(tmp_path: Path) -> None:
    fires(tmp_path, WELL, {minute: frozenset() for minute in range(60)})


def test_a_message_that_is_sent_again_after_all_is_no_message_given_up(tmp_path: Path) -> None:
    fires(tmp_path, WELL | {"tocsin_notifications_dead": "10x9 9x50"}, {minute: frozenset() for minute in range(60)})


def test_panels_ask_what_prometheus_can_read(tmp_path: Path) -> None:
    panels = json.loads((RULES.parent / "grafana-dashboard.json").read_text())["panels"]
    asked = [target["expr"].replace("$__rate_interval", "5m") for panel in panels for target in panel["targets"]]
    rules = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(asked)]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(asked)} rules found" in promtool("check", "rules", str(path))
