"""A short run of `benchmarks/chaos.py`: processes and database are killed, and nothing is missing, doubled or wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "chaos.py"
SHORT = {
    "--days": 2, "--seconds": 8, "--kills": 6, "--crashes": 1, "--workers": 2, "--apis": 1, "--organisations": 1,
    "--lease": 8,
}  # fmt: skip


def test_two_days_of_kills_and_crashes_change_nothing() -> None:
    options = [str(part) for option in SHORT.items() for part in option]
    ended = subprocess.run([sys.executable, SCRIPT, *options], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "No difference." in ended.stdout
