"""The import contract of .importlinter: it is kept, and it refuses what it is there to refuse."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "service"
RINGS = "Imports point inwards"
ROOMS = "Rooms of the domain build on each other in one order"
ADAPTERS = "Adapters do not know each other"
CIRCLES = "No package imports one that imports it"


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_import_contract_is_kept() -> None:
    linted = lint_imports(ROOT)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert "0 broken" in linted.stdout


@pytest.mark.parametrize(
    ("contracts", "path", "text"),
    [
        ({RINGS, CIRCLES}, "service/domain/values/breach.py", "import service.workflows.ports"),
        ({RINGS, CIRCLES}, "service/workflows/breach.py", "import service.adapters.vault"),
        ({RINGS}, "service/workflows/breach.py", "import service.settings"),
        ({RINGS}, "service/api/breach.py", "import service.settings"),
        ({RINGS}, "service/api/breach.py", "import service.adapters.vault"),
        ({RINGS}, "service/adapters/breach.py", "import service.api.http.deps"),
        ({RINGS}, "service/adapters/breach.py", "import service.simulator.app"),
        ({RINGS, CIRCLES}, "service/bootstrap.py", "import service.cli"),
        ({RINGS}, "service/unplaced.py", ""),
        ({ROOMS}, "service/domain/unplaced.py", ""),
        ({ROOMS, CIRCLES}, "service/domain/values/breach.py", "import service.domain.spend.rows"),
        ({ROOMS, CIRCLES}, "service/domain/alerts/breach.py", "import service.domain.messages.message"),
        ({ROOMS}, "service/domain/rules/kinds/breach.py", "import service.domain.budgets.budget"),
        ({ADAPTERS}, "service/adapters/claude/breach.py", "import service.adapters.postgres.engine"),
        ({ADAPTERS}, "service/adapters/breach.py", "import service.adapters.channels.secret"),
        ({CIRCLES}, "service/workflows/notify/breach.py", "import service.workflows.alerts.attend"),
        ({CIRCLES}, "service/api/http/breach.py", "import service.api.budgets.budgets"),
    ],
)
def test_the_import_contract_refuses(contracts: set[str], path: str, text: str, tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "service", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    (tmp_path / path).write_text(text)
    linted = lint_imports(tmp_path)
    assert linted.returncode == 1, linted.stderr
    lines = linted.stdout.splitlines()
    assert {line.removesuffix(" BROKEN") for line in lines if line.endswith(" BROKEN")} == contracts
