"""Variables that look like settings and are none: mistakes are named, what Kubernetes adds is no mistake."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from service.cli.environment import review_environment
from service.settings import Settings, setting_names

PROGRAM = [sys.executable, "-c", "from service.cli.app import main; main()", "check"]
NO_DATABASE = {"TOCSIN_DATABASE_URL": "postgresql://127.0.0.1:1/none", "TOCSIN_SECRET_KEY": "FAKE-secret-key"}
KUBERNETES = {
    "TOCSIN_SERVICE_HOST": "10.96.12.7",
    "TOCSIN_SERVICE_PORT": "8400",
    "TOCSIN_SERVICE_PORT_HTTP": "8400",
    "TOCSIN_PORT": "tcp://10.96.12.7:8400",
    "TOCSIN_PORT_8400_TCP": "tcp://10.96.12.7:8400",
    "TOCSIN_PORT_8400_TCP_PROTO": "tcp",
    "TOCSIN_PORT_8400_TCP_PORT": "8400",
    "TOCSIN_PORT_8400_TCP_ADDR": "10.96.12.7",
    "TOCSIN_API_SERVICE_HOST": "10.96.12.8",
    "TOCSIN_API_PORT": "udp://10.96.12.8:53",
    "TOCSIN_API_PORT_53_UDP_ADDR": "10.96.12.8",
}


def run_check(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TOCSIN_", "ANTHROPIC_"))}
    environment = {**clean, **NO_DATABASE, **variables}
    return subprocess.run(PROGRAM, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TOCSIN_SMPT_URL", "TOCSIN_SMTP_URL"),
        ("TOCSIN_HEARTBEAT_URLS", "TOCSIN_HEARTBEAT_URL"),
        ("TOCSIN_ADMIN_TOKN", "TOCSIN_ADMIN_TOKEN"),
        ("TOCSIN_LOG-FORMAT", "TOCSIN_LOG_FORMAT"),
        ("TOSCIN_PROXY", "TOCSIN_PROXY"),
        ("ANTHROPIC_ADMIN_KEYS", "ANTHROPIC_ADMIN_KEY"),
        ("tocsin_smpt_url", "TOCSIN_SMTP_URL"),
    ],
)
def test_one_letter_or_one_swap_away_is_misspelt(name: str, meant: str) -> None:
    (stray,) = review_environment({name: "FAKE-value"}).strays
    assert (stray.misspelt, stray.nearest) == (True, meant)
    assert "FAKE" not in str(stray)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("TOCSIN_HEARTBEAT", "TOCSIN_HEARTBEAT_URL"), ("TOCSIN_SLACK_TOKEN", "TOCSIN_SLACK_APP_TOKEN")],
)
def test_any_other_unknown_variable_is_named_with_the_nearest_setting(name: str, nearest: str) -> None:
    (stray,) = review_environment({name: "x"}).strays
    assert (stray.misspelt, stray.nearest) == (False, nearest)


@pytest.mark.parametrize("name", ["PATH", "ANTHROPIC_API_KEY", "TOCSIN_PUBLISH", *sorted(setting_names())])
def test_settings_and_variables_of_others_are_no_strays(name: str) -> None:
    reviewed = review_environment({name: "1", name.lower(): "1"})
    assert (reviewed.strays, reviewed.kubernetes) == ((), ())


def test_a_misspelt_variable_that_is_set_to_nothing_counts_as_not_set() -> None:
    assert review_environment({"TOCSIN_SMPT_URL": ""}).strays == ()


@pytest.mark.parametrize("name", sorted(KUBERNETES))
def test_what_kubernetes_adds_is_recognised(name: str) -> None:
    reviewed = review_environment({name: KUBERNETES[name]})
    assert (reviewed.strays, reviewed.kubernetes) == ((), (name,))


def test_an_address_of_a_service_is_not_taken_for_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_PORT", KUBERNETES["TOCSIN_PORT"])
    assert Settings().port == 8400
    monkeypatch.setenv("TOCSIN_PORT", "9000")
    assert Settings().port == 9000


def test_the_command_refuses_a_misspelt_setting_and_starts_nothing() -> None:
    ended = run_check({"TOCSIN_SMPT_URL": "smtp://mail:FAKE@mail"})
    assert ended.returncode == 2
    assert ended.stdout == "no  settings: TOCSIN_SMPT_URL: no such setting; the nearest is TOCSIN_SMTP_URL\n"
    assert "FAKE" not in ended.stderr


def test_the_command_names_the_unknown_and_what_kubernetes_added_once_each() -> None:
    ended = run_check({**KUBERNETES, "TOCSIN_HEARTBEAT": "FAKE-check"})
    assert ended.returncode == 1  # the database is away
    unknown, added = [line for line in ended.stderr.splitlines() if "_ignored" in line]
    assert "unknown_setting_ignored" in unknown
    assert "variable=TOCSIN_HEARTBEAT" in unknown
    assert "nearest=TOCSIN_HEARTBEAT_URL" in unknown
    assert "kubernetes_variables_ignored" in added
    assert "TOCSIN_PORT, " in added
    assert "port=8400" in added
    assert "FAKE" not in ended.stderr
