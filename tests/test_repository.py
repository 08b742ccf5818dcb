"""What may be in the repository: no registry's address, no path of one machine, no unlocked package."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = sorted(ROOT.glob("requirements*.lock"))

DOT = re.escape(".")
# In pieces, so that this file names none of them.
REGISTRY = re.compile(
    "|".join(("pypi" + DOT + "org", "pythonhosted" + DOT, "npmjs" + DOT, "yarnpkg" + DOT, "debian" + DOT + "org"))
)
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|farm)" + r"/[A-Za-z]")


def committed() -> list[Path]:
    """The files that are in the repository, or would be with the next commit."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in committed()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_file_names_a_package_registry() -> None:
    assert lines_with(REGISTRY) == []


def test_no_file_holds_a_path_of_one_machine() -> None:
    assert lines_with(MACHINE_PATH) == []


def test_the_searches_find_what_they_look_for() -> None:
    assert REGISTRY.search("https://" + "pypi" + ".org/simple")
    assert MACHINE_PATH.search("cd " + "/work" + "/main")
    assert not MACHINE_PATH.search("docs/work/plan, ./root/key")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.name))
def test_every_locked_package_has_one_version_and_a_hash(lock: Path) -> None:
    requirements = re.sub(r"\\\n\s*", "", lock.read_text()).splitlines()
    locked = re.compile(r"[\w.,\[\]-]+==\S+( ; .+?)?( --hash=sha256:[0-9a-f]{64})+")
    assert requirements
    assert [line[:60] for line in requirements if not locked.fullmatch(line)] == []


def test_no_lock_is_missing() -> None:
    kinds = ["-build", "-dev", "-focus", "-uv", ""]
    assert [lock.name for lock in LOCKS] == [f"requirements{kind}.lock" for kind in kinds]


def test_data_keys_and_environments_are_never_committed() -> None:
    private = [".tocsin/pg/PG_VERSION", ".env", ".venv/bin/python", "uv.lock", "service/__pycache__/a.pyc"]
    command = ["git", "check-ignore", "--no-index", *private]
    ignored = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    assert ignored == private
