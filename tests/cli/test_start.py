"""A command loads what its work needs and no more: a library takes longer to load than most commands to run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
from service.cli.app import main
main()
"""

SERVING = {"fastapi", "starlette", "uvicorn", "prometheus_client"}
WORKING = {"apscheduler.schedulers", "procrastinate", "numpy", "genai_prices", "service.worker"}
SENDING = {"aiohttp", "aiosmtplib", "jinja2", "slack_sdk", "vl_convert"}
READING = {"httpx", "msgspec", "stamina"}
STORING = {"alembic", "psycopg", "sqlalchemy"}
SETTINGS = {"cryptography", "pydantic_settings", "structlog"}
TRACING = {"opentelemetry.sdk", "opentelemetry.exporter"}
EVERYTHING = SERVING | WORKING | SENDING | READING | STORING | SETTINGS | TRACING | {"re2"}


def loaded(database_url: str, *arguments: str) -> set[str]:
    """The modules that a command has loaded at its end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TOCSIN_", "ANTHROPIC_"))}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**clean, "TOCSIN_DATABASE_URL": database_url, "TOCSIN_SECRET_KEY": "FAKE-secret-key"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ended.stderr.splitlines()[-1].split())


NEEDLESS = {
    "--help": EVERYTHING,
    "--version": EVERYTHING,
    "token --help": EVERYTHING,
    "token list": EVERYTHING - SETTINGS - {"psycopg", "sqlalchemy"},
    "token create grafana": EVERYTHING - SETTINGS - {"psycopg", "sqlalchemy"},
    "migrate": EVERYTHING - SETTINGS - {"psycopg", "sqlalchemy"} | {"sqlalchemy.ext.asyncio"},
    "check": TRACING | SERVING | SENDING - {"jinja2"} | WORKING - {"numpy", "procrastinate"} | {"alembic"},
}


@pytest.mark.parametrize("command", NEEDLESS)
def test_a_command_loads_nothing_that_its_work_does_not_need(database_url: str, command: str) -> None:
    assert loaded(database_url, *command.split()) & NEEDLESS[command] == set()


@pytest.mark.parametrize(
    ("module", "needless"),
    [
        ("service.cli.working", TRACING | SERVING | {"aiohttp", "aiosmtplib", "slack_sdk", "vl_convert", "alembic"}),
        ("service.cli.running", TRACING | {"apscheduler.schedulers", "aiohttp", "aiosmtplib", "slack_sdk", "alembic"}),
    ],
    ids=["worker", "api"],
)
def test_a_process_that_goes_on_loads_nothing_of_the_other_kind(module: str, needless: set[str]) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert set(shown.split()) & needless == set()
