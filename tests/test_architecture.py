"""The rules that the design sets for the whole package, checked on its syntax trees.

Every rule is proven twice: it finds nothing in the package, and it does find the breach written beside it.
"""

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from service.domain.alerts.evidence import ALERT_KINDS
from tests.syntax import Functions, Module, line, modules, name_of

LONGEST_FILE = 400
LONG_FILES: set[str] = set()
"""Only Protocols and their values: one page that says all that the workflows need."""

GUARDS = {
    ("service/worker.py", "_guarded"),
    ("service/workflows/rules/ruling.py", "_attempt"),
    ("service/workflows/budgets/defects.py", "attempt"),
    ("service/workflows/digests/deliver.py", "_due_run"),
    ("service/workflows/charts/kept.py", "_unless_it_fails"),
    ("service/workflows/charts/picture.py", "run_unless_it_fails"),
    ("service/workflows/notify/sending.py", "defects_fail"),
    ("service/workflows/sources/defects.py", "defects_refuse"),
}
"""The places that may catch everything: a job or tick that fails is logged and comes again; a series that a detector
cannot judge is logged and counted, and the others are judged without it; so is a budget's scope that cannot be
assessed, and a digest whose times cannot be told; an alert fires without what its picture would
show, and a message goes out without its picture; a defect in reading a report is that report's error; one in a sender
is a failed attempt, and is counted.
"""

EVIDENCE = {evidence.__name__ for evidence in ALERT_KINDS.values()}
LISTS_OF_KINDS = {
    "service/domain/alerts/evidence/__init__.py",
    "service/domain/messages/kinds/__init__.py",
    "service/domain/charts/alert.py",
    "service/workflows/charts/chart.py",
    "service/workflows/explain/explain.py",
}
"""The lists of alert kinds and of their words; the two kinds that have charts; the two that rules bring about."""

RULE_KINDS = "service/domain/rules/kinds"
KNOW_RULE_KINDS = {
    "service/domain/rules/registry.py",
    "service/workflows/alerts/evaluate.py",
    "service/workflows/operation/first_start.py",
}
"""The registry; what assesses stale sources, with a rule or without; the rules that a first start makes."""

DOMAIN = "service/domain/"
LIBRARIES = {
    "service/domain/detectors/": "numpy",
    "service/domain/forecasts/": "numpy",
    "service/domain/notify/routing/matchers.py": "re2",
    "service/domain/values/public_holidays.py": "holidays",
}
"""The parts of the domain that may use a library, and which."""
OUTSIDE = {"http", "io", "os", "pathlib", "shutil", "socket", "sqlite3", "ssl", "sys", "tempfile", "urllib"}
RESTLESS = {"asyncio", "logging", "random", "subprocess", "threading", "time"}
CLOCKS = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime", "strftime", "asctime"},
}

# -------------------------------------------------------------------------------- what breaks a rule, by line


def transactions_elsewhere(module: Module) -> Iterator[int]:
    in_workflows = module.path.startswith("service/workflows/")
    for node, around in module.nodes(ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "uow":
            in_run = in_workflows and any(name.lstrip("_").startswith("run_") for name in around)
            if not in_run and module.path != "service/api/http/deps.py":
                yield line(node)


def clocks_read(module: Module) -> Iterator[int]:
    if module.path == "service/bootstrap/clock.py":
        return
    for node, _ in module.nodes(ast.Attribute):
        if node.attr in CLOCKS.get(name_of(node.value), ()):
            yield line(node)
    for taken, _ in module.nodes(ast.ImportFrom):
        if taken.module == "time":
            yield from (line(taken) for alias in taken.names if alias.name in CLOCKS["time"])


def rows_in_a_values_clause(module: Module) -> Iterator[int]:
    rows = ast.List | ast.Tuple | ast.ListComp | ast.GeneratorExp
    for node, _ in module.nodes(ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "values":
            yield from (line(node) for argument in node.args if isinstance(argument, rows))


def swallowed_errors(module: Module) -> Iterator[int]:
    for handler, around in module.nodes(ast.ExceptHandler):
        if not _in_a_guard(module, around) and _is_broad(handler.type) and not _raises_again(handler):
            yield line(handler)
    for node, around in module.nodes(ast.Call):
        if name_of(node.func) == "suppress" and not _in_a_guard(module, around):
            yield from (line(node) for argument in node.args if _is_broad(argument))


def _in_a_guard(module: Module, around: Functions) -> bool:
    return any((module.path, name) in GUARDS for name in around)


def _is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(_is_broad(part) for part in caught.elts)
    return caught is None or name_of(caught) in ("Exception", "BaseException")


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def mutable_domain_values(module: Module) -> Iterator[int]:
    if module.path.startswith(DOMAIN):
        for node, _ in module.nodes(ast.ClassDef):
            yield from (line(node) for mark in node.decorator_list if _is_thawed_dataclass(mark))


def _is_thawed_dataclass(mark: ast.expr) -> bool:
    if not isinstance(mark, ast.Call):
        return name_of(mark) == "dataclass"
    frozen = any(
        word.arg == "frozen" and isinstance(word.value, ast.Constant) and word.value.value is True
        for word in mark.keywords
    )
    return name_of(mark.func) == "dataclass" and not frozen


def foreign_imports_of_the_domain(module: Module) -> Iterator[int]:
    if not module.path.startswith(DOMAIN):
        return
    allowed = {library for path, library in LIBRARIES.items() if module.path.startswith(path)}
    for number, name in _imported(module):
        if not _is_pure(name) and name.partition(".")[0] not in allowed:
            yield number


def _imported(module: Module) -> Iterator[tuple[int, str]]:
    for node, _ in module.nodes(ast.Import):
        yield from ((line(node), alias.name) for alias in node.names)
    for taken, _ in module.nodes(ast.ImportFrom):
        yield from ((line(taken), f"{taken.module}.{alias.name}") for alias in taken.names)


def _is_pure(imported: str) -> bool:
    root = imported.partition(".")[0]
    if root == "service":
        return imported.startswith("service.domain.")
    return root in sys.stdlib_module_names and root not in OUTSIDE | RESTLESS and imported != "typing.Any"


def waiting_in_the_domain(module: Module) -> Iterator[int]:
    if module.path.startswith(DOMAIN):
        for waiting in (ast.AsyncFunctionDef, ast.Await, ast.AsyncWith, ast.AsyncFor):
            yield from (line(node) for node, _ in module.nodes(waiting))


def alert_kinds_told_apart(module: Module) -> Iterator[int]:
    names = [node for node, _ in module.nodes(ast.Name) if node.id in EVIDENCE]
    if len({name.id for name in names}) > 1 and module.path not in LISTS_OF_KINDS:
        yield line(names[0])


def rule_kinds_named(module: Module) -> Iterator[int]:
    if module.path.startswith(RULE_KINDS) or module.path in KNOW_RULE_KINDS:
        return
    package = RULE_KINDS.replace("/", ".")
    for taken, _ in module.nodes(ast.ImportFrom):
        if (taken.module or "").startswith(package):
            yield line(taken)
    for node, _ in module.nodes(ast.Import):
        if any(alias.name.startswith(package) for alias in node.names):
            yield line(node)


def lines_too_many(module: Module) -> Iterator[int]:
    lines = module.text.count("\n")
    if lines > LONGEST_FILE and module.path not in LONG_FILES:
        yield lines


@dataclass(frozen=True)
class Rule:
    sentence: str
    broken_in: Callable[[Module], Iterator[int]]
    breaches: tuple[Module, ...]
    """Each breaks the rule once."""


RULES = [
    Rule(
        "a transaction is opened by a run_ function of the workflows or by the API's dependencies alone",
        transactions_elsewhere,
        (
            Module("service/workflows/a.py", "async def read(ports):\n async with ports.uow() as uow: ..."),
            Module("service/worker.py", "async def run_it(ports):\n async with ports.uow() as uow: ..."),
            Module("service/api/budgets/budgets.py", "async def run_it(a):\n await a.enter_async_context(b.uow())"),
        ),
    ),
    Rule(
        "one module reads the wall clock",
        clocks_read,
        (
            Module("service/worker.py", "datetime.now(UTC)"),
            Module("service/domain/a.py", "datetime.datetime.utcnow()"),
            Module("service/api/a.py", "field(default_factory=date.today)"),
            Module("service/adapters/a.py", "time.time()"),
            Module("service/adapters/a.py", "from time import time, monotonic"),
        ),
    ),
    Rule(
        "many rows are executed or copied, and never spelt out in one statement",
        rows_in_a_values_clause,
        (
            Module("service/adapters/a.py", "insert(t).values([{'a': 1}])"),
            Module("service/adapters/a.py", "insert(t).values([shallow(row) for row in rows])"),
        ),
    ),
    Rule(
        "the guards alone catch everything; others name what they catch, or raise it again",
        swallowed_errors,
        (
            Module("service/worker.py", "try: ...\nexcept Exception:\n log.error()"),
            Module("service/api/a.py", "try: ...\nexcept: ..."),
            Module("service/api/a.py", "try: ...\nexcept (ValueError, BaseException) as e:\n raise Other from e"),
            Module("service/cli/a.py", "with contextlib.suppress(Exception): ..."),
        ),
    ),
    Rule(
        "every value of the domain is frozen",
        mutable_domain_values,
        (
            Module("service/domain/a.py", "@dataclass\nclass A: ..."),
            Module("service/domain/a.py", "@dataclass(slots=True)\nclass A: ..."),
            Module("service/domain/a.py", "@dataclasses.dataclass(frozen=False)\nclass A: ..."),
        ),
    ),
    Rule(
        "the domain imports itself, pure parts of the standard library, numpy and re2 at home, and knows no Any",
        foreign_imports_of_the_domain,
        (
            Module("service/domain/a.py", "import pydantic"),
            Module("service/domain/a.py", "import numpy as np"),
            Module("service/domain/detectors/a.py", "import scipy"),
            Module("service/domain/notify/routing/routes.py", "import re2"),
            Module("service/domain/a.py", "from sqlalchemy.ext import asyncio"),
            Module("service/domain/a.py", "import logging"),
            Module("service/domain/a.py", "from typing import Any, Literal"),
            Module("service/domain/a.py", "from service.settings import Settings"),
            Module("service/domain/a.py", "from service import settings"),
        ),
    ),
    Rule(
        "the domain waits for nothing",
        waiting_in_the_domain,
        (Module("service/domain/a.py", "async def a() -> None: ..."),),
    ),
    Rule(
        "a module knows one kind of alert: what differs by kind is asked of the evidence or its words",
        alert_kinds_told_apart,
        (
            Module("service/domain/a.py", "isinstance(a, BudgetEvidence)\nisinstance(a, RuleEvidence)"),
            Module("service/workflows/a.py", "match a:\n case BudgetEvidence() | StaleEvidence(): ..."),
        ),
    ),
    Rule(
        "a kind of rule is known by its registry alone: what differs by kind is asked of its RuleKind",
        rule_kinds_named,
        (
            Module("service/domain/backtest/a.py", "from service.domain.rules.kinds.anomaly.rule import Anomaly"),
            Module("service/api/a.py", "from service.domain.rules.kinds import change"),
            Module("service/workflows/a.py", "import service.domain.rules.kinds.change as change"),
        ),
    ),
    Rule(
        f"no file is longer than {LONGEST_FILE} lines",
        lines_too_many,
        (Module("service/api/a.py", "a = 1\n" * (LONGEST_FILE + 1)),),
    ),
]
SENTENCES = [rule.sentence for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=SENTENCES)
def test_the_package_keeps_the_rule(rule: Rule) -> None:
    broken = [f"{module.path}:{number}" for module in modules() for number in rule.broken_in(module)]
    assert not broken, f"{rule.sentence}: {', '.join(broken)}"


@pytest.mark.parametrize("rule", RULES, ids=SENTENCES)
def test_a_breach_of_the_rule_is_found(rule: Rule) -> None:
    for breach in rule.breaches:
        assert len(list(rule.broken_in(breach))) == 1, breach


def test_exceptions_from_the_rules_are_still_needed() -> None:
    found = {module.path: module for module in modules()}
    for path in LONG_FILES:
        assert found[path].text.count("\n") > LONGEST_FILE, path
    for path in LISTS_OF_KINDS:
        known = {node.id for node, _ in found[path].nodes(ast.Name)} & EVIDENCE
        assert len(known) > 1, path
    for path, guard in GUARDS:
        caught = [n for n, around in found[path].nodes(ast.ExceptHandler) if guard in around]
        assert any(_is_broad(handler.type) for handler in caught), guard
