"""The plan of the house: the same rooms inside every ring, none crowded, and a test beside each module."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.syntax import PACKAGE, ROOT, modules

RINGS = ("domain", "workflows", "api", "adapters/postgres")
ROOMS = {
    "access", "alerts", "backtest", "budgets", "charts", "configuration", "dashboard", "digests", "explain", "notify",
    "operation", "rules", "slack", "sources", "spend"
}  # fmt: skip
"""The names that several rings have, as folders or as modules: one for each feature."""

OWN = {
    "domain": {"detectors", "forecasts", "messages", "values"},
    "workflows": {"delivery", "ports"},
    "api": {"app", "http"},
    "adapters/postgres": {
        "addresses", "clock_anchor", "codec", "column_types", "cursors", "engine", "library_logs", "losses", "metadata",
        "migrate", "queue", "secret_digests", "sets", "tables", "turns", "unit_of_work"
    },
}  # fmt: skip
"""What one ring alone has."""

MOST_MODULES = 20

TESTS_OF_RINGS = ("domain", "workflows", "api", "adapters")
ACROSS = {
    "adapters/channels/test_exact_limits.py",
    "adapters/channels/test_pictures.py",
    "adapters/channels/test_proofs.py",
    "adapters/channels/test_rule_alerts_shown.py",
    "adapters/channels/test_summaries_shown.py",
    "adapters/claude/test_cost.py",
    "adapters/claude/test_secrecy.py",
    "adapters/claude/test_simulator.py",
    "adapters/claude/test_usage.py",
    "adapters/postgres/queue/test_dead_workers.py",
    "adapters/postgres/queue/test_workers.py",
    "adapters/postgres/spend/test_fresh_months.py",
    "adapters/postgres/spend/test_rule_facts_migration.py",
    "adapters/postgres/test_backup.py",
    "adapters/postgres/test_previous_release.py",
    "adapters/postgres/test_writers.py",
    "api/access/test_access.py",
    "api/dashboard/test_browser.py",
    "api/dashboard/test_changes.py",
    "api/http/test_egress_at_save.py",
    "api/notify/test_posting_channels.py",
    "api/operation/test_operations.py",
    "api/slack/test_socket.py",
    "api/test_examples.py",
    "api/test_schema.py",
    "domain/detectors/daily/test_cold_start.py",
    "domain/detectors/test_properties.py",
    "domain/detectors/test_repeated.py",
    "domain/rules/kinds/anomaly/test_properties.py",
    "api/slack/test_hand_on.py",
    "workflows/notify/test_rotas.py",
    "workflows/sources/test_trailing_windows.py",
    "workflows/sources/test_usage_prices.py",
}
"""The test files about no one module of their folder's room. Each opens with a line that says what it is about."""


def rooms(ring: str) -> set[str]:
    """The names of the folders and modules that are directly in a ring."""
    return {name for name in _names(PACKAGE / ring) if name != "__init__"}


def _names(folder: Path) -> Iterator[str]:
    for path in folder.iterdir():
        if path.suffix == ".py" or (path / "__init__.py").is_file():
            yield path.stem


def test_a_name_of_several_rings_is_a_room_and_every_other_is_listed() -> None:
    common = Counter(name for ring in RINGS for name in rooms(ring))
    assert {name for name, rings in common.items() if rings > 1} == ROOMS, "a room is in two rings or more"
    for ring in RINGS:
        assert rooms(ring) - ROOMS == OWN[ring], f"service/{ring}: use the name of a room, or list the ring's own"


def test_no_package_is_crowded() -> None:
    packages = Counter(
        module.path.rpartition("/")[0] for module in modules() if not module.path.endswith("__init__.py")
    )
    crowded = [package for package, number in packages.items() if number > MOST_MODULES]
    assert crowded == [], f"more than {MOST_MODULES} modules are more than one room"


def test_every_folder_of_tests_is_a_room() -> None:
    astray = [
        folder.relative_to(ROOT).as_posix()
        for ring in TESTS_OF_RINGS
        for folder in (ROOT / "tests" / ring).rglob("*")
        if (folder / "__init__.py").is_file() and not _tested(folder).is_dir()
    ]
    assert astray == [], "no such folder in service/"


def test_every_test_file_is_named_after_a_module_or_listed() -> None:
    files = [file for ring in TESTS_OF_RINGS for file in (ROOT / "tests" / ring).rglob("test_*.py")]
    across = {file.relative_to(ROOT / "tests").as_posix() for file in files if not _has_a_module(file)}
    astray = sorted(across ^ ACROSS)
    assert astray == [], "name it test_<module>.py or test_<module>_<aspect>.py in the module's folder, or list it"


def test_a_test_file_about_several_modules_says_what_it_is_about() -> None:
    assert [path for path in ACROSS if not (ROOT / "tests" / path).read_text().startswith('"""')] == []


def _tested(folder: Path) -> Path:
    """The package that a folder of tests is about."""
    return PACKAGE / folder.relative_to(ROOT / "tests")


def _has_a_module(file: Path) -> bool:
    subject = file.stem.removeprefix("test_")
    return any(subject == name or subject.startswith(f"{name}_") for name in _names(_tested(file.parent)))


def test_a_class_s_name_has_one_meaning() -> None:
    classes = defaultdict(list)
    for module in modules():
        for node, _ in module.walked:
            if isinstance(node, ast.ClassDef):
                classes[node.name].append(module.path)
    shared = {name: paths for name, paths in classes.items() if len(paths) > 1}
    assert shared == {}, "give each class a name of its own"
