"""The import contract of .importlinter: it is kept, and it refuses what it is there to refuse."""

from __future__ import annotations

import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import grimp
import pytest
from importlinter import Contract
from importlinter.api import read_configuration
from importlinter.contracts.acyclic_siblings import AcyclicSiblingsContract
from importlinter.contracts.independence import IndependenceContract
from importlinter.contracts.layers import LayersContract

ROOT = Path(__file__).parents[1]
RINGS = "Imports point inwards"
ROOMS = "Rooms of the domain build on each other in one order"
ADAPTERS = "Adapters do not know each other"
CIRCLES = "No package imports one that imports it"
TYPES: dict[str, type[Contract]] = {
    "layers": LayersContract,
    "independence": IndependenceContract,
    "acyclic_siblings": AcyclicSiblingsContract,
}


def broken(graph: grimp.ImportGraph) -> set[str]:
    """The names of the contracts that the imports break."""
    configuration = read_configuration(str(ROOT / ".importlinter"))
    contracts = [
        TYPES[options["type"]](options["name"], configuration["session_options"], options)
        for options in configuration["contracts_options"]
    ]
    return {contract.name for contract in contracts if not contract.check(deepcopy(graph), verbose=False).kept}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom in the package."""
    return grimp.build_graph("service", cache_dir=None)


def test_the_command_keeps_the_contract() -> None:
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    linted = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert "0 broken" in linted.stdout


def test_the_package_breaks_no_contract(graph: grimp.ImportGraph) -> None:
    assert broken(graph) == set()


@pytest.mark.parametrize(
    ("contracts", "importer", "imported"),
    [
        ({RINGS, CIRCLES}, "service.domain.values.breach", "service.workflows.ports"),
        ({RINGS, CIRCLES}, "service.workflows.breach", "service.adapters.vault"),
        ({RINGS}, "service.workflows.breach", "service.settings"),
        ({RINGS}, "service.api.breach", "service.settings"),
        ({RINGS}, "service.api.breach", "service.adapters.vault"),
        ({RINGS}, "service.adapters.breach", "service.api.http.deps"),
        ({RINGS}, "service.adapters.breach", "service.simulator.app"),
        ({RINGS, CIRCLES}, "service.bootstrap", "service.cli"),
        ({RINGS}, "service.unplaced", None),
        ({ROOMS}, "service.domain.unplaced", None),
        ({ROOMS, CIRCLES}, "service.domain.values.breach", "service.domain.spend.rows"),
        ({ROOMS, CIRCLES}, "service.domain.alerts.breach", "service.domain.messages.message"),
        ({ROOMS}, "service.domain.rules.kinds.breach", "service.domain.budgets.budget"),
        ({ADAPTERS}, "service.adapters.claude.breach", "service.adapters.postgres.engine"),
        ({ADAPTERS}, "service.adapters.breach", "service.adapters.channels.secret"),
        ({CIRCLES}, "service.workflows.notify.breach", "service.workflows.alerts.attend"),
        ({CIRCLES}, "service.api.http.breach", "service.api.budgets.budgets"),
    ],
)
def test_the_import_contract_refuses(
    contracts: set[str], importer: str, imported: str | None, graph: grimp.ImportGraph
) -> None:
    breach = deepcopy(graph)
    breach.add_module(importer)
    if imported is not None:
        assert imported in graph.modules
        breach.add_import(importer=importer, imported=imported)
    assert broken(breach) == contracts
