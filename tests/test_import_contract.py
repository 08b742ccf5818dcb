"""The import contract of .importlinter: it is kept, and it refuses what it is there to refuse."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "service"
RINGS = "Imports point inwards"
ADAPTERS = "Adapters do not know each other"


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
    ("contract", "path", "text"),
    [
        (RINGS, "service/domain/breach.py", "import service.workflows.ports"),
        (RINGS, "service/workflows/breach.py", "import service.adapters.vault"),
        (RINGS, "service/workflows/breach.py", "import service.settings"),
        (RINGS, "service/api/breach.py", "import service.settings"),
        (RINGS, "service/api/breach.py", "import service.adapters.vault"),
        (RINGS, "service/adapters/breach.py", "import service.api.http.deps"),
        (RINGS, "service/adapters/breach.py", "import service.simulator.app"),
        (RINGS, "service/bootstrap.py", "import service.cli"),
        (RINGS, "service/unplaced.py", ""),
        (ADAPTERS, "service/adapters/claude/breach.py", "import service.adapters.postgres.engine"),
        (ADAPTERS, "service/adapters/breach.py", "import service.adapters.channels.secret"),
    ],
)
def test_the_import_contract_refuses(contract: str, path: str, text: str, tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "service", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    (tmp_path / path).write_text(text)
    linted = lint_imports(tmp_path)
    assert linted.returncode == 1, linted.stderr
    assert f"{contract} BROKEN" in linted.stdout
    assert "1 broken" in linted.stdout
