"""The workflow of deploy/github-actions.yml: its own steps, in the shell they run in, against a running product."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.journeys.command import environment, free_port, tocsin

pytestmark = pytest.mark.slow

WORKFLOW = Path(__file__).parents[2] / "deploy/github-actions.yml"
GH = """#!/bin/sh
# Comments of its own are edited; at first there is none.
for last; do :; done
if [ "$last" = --edit-last ] && ! [ -e commented ]; then echo "no comments found for current user" >&2; exit 1; fi
echo "$@" >> commented
"""


@dataclass(frozen=True)
class Checkout:
    """A checkout of the repository that holds tocsin.yaml, and the secrets of the job."""

    folder: Path
    variables: dict[str, str]

    @property
    def file(self) -> Path:
        return self.folder / "tocsin.yaml"

    def tocsin(self, *arguments: str) -> str:
        command = [str(Path(sys.executable).with_name("tocsin")), *arguments]
        done = subprocess.run(command, cwd=self.folder, env=self.variables, capture_output=True, text=True, check=True)
        return done.stdout

    def step(self, event: str) -> subprocess.CompletedProcess[str]:
        """Runs the step of an event as GitHub does: by `bash -e`."""
        steps = yaml.safe_load(WORKFLOW.read_text())["jobs"]["tocsin"]["steps"]
        script = next(step["run"] for step in steps if step.get("if") == f"github.event_name == '{event}'")
        return subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    installed, folder, programs = (tmp_path_factory.mktemp(name) for name in ("installed", "checkout", "programs"))
    (programs / "gh").write_text(GH)
    (programs / "gh").chmod(0o755)
    path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    port = free_port()
    with tocsin(installed, port, "up") as product:
        token = product.wait_for(r"admin token, shown this once: (tcn_\S+)")[1]
        product.wait_for("SIMULATED")
        secrets = {"TOCSIN_URL": f"http://127.0.0.1:{port}", "TOCSIN_TOKEN": token, "NUMBER": "7", "PATH": path}
        yield Checkout(folder, environment(port, secrets))


@pytest.fixture
def exported(checkout: Checkout) -> Callable[[str, str], None]:
    """Writes the file as the server is, with one change."""

    def write(old: str, new: str) -> None:
        text = checkout.tocsin("export")
        assert old in text
        checkout.file.write_text(text.replace(old, new, 1))

    return write


def test_a_pull_request_a_push_and_a_night_with_drift(checkout: Checkout, exported: Callable[[str, str], None]) -> None:
    exported("amount: '1000.00'", "amount: '16000.00'")
    for _ in range(2):
        asked = checkout.step("pull_request")
        assert asked.returncode == 0, asked.stderr
    comments = (checkout.folder / "commented").read_text().splitlines()
    assert comments == ["pr comment 7 --body-file comment.md", "pr comment 7 --body-file comment.md --edit-last"]
    comment = (checkout.folder / "comment.md").read_text()
    assert "| amount | 1000.00 | 16000.00 |" in comment
    assert "would have fired" in comment

    assert checkout.step("schedule").returncode == 3, "the change is not there yet"
    pushed = checkout.step("push")
    assert pushed.returncode == 0, pushed.stderr
    assert "amount: '16000.00'" in checkout.tocsin("export")
    assert checkout.step("schedule").returncode == 0


def test_a_broken_file_fails_the_pull_request_and_changes_nothing(checkout: Checkout) -> None:
    before = checkout.tocsin("export")
    checkout.file.write_text("budgets:\n- name: monthly\n  amount: much\n")
    asked, pushed = checkout.step("pull_request"), checkout.step("push")
    assert 0 not in {asked.returncode, pushed.returncode}
    assert "tocsin.yaml:3:" in asked.stdout + asked.stderr
    assert checkout.tocsin("export") == before
