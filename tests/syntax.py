"""The package's modules as syntax trees, for the tests that read them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar, cast

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "service"

Node = TypeVar("Node", bound=ast.AST)
Functions = tuple[str, ...]
"""The names of the functions and classes around a piece of code, the outermost first."""


@dataclass(frozen=True)
class Module:
    path: str
    """From the repository's root, such as "service/api/http/deps.py"."""
    text: str

    @property
    def ring(self) -> str:
        """The ring's name, such as "domain"; for what is beside the rings the module's own, such as "worker"."""
        return self.path.split("/")[1].removesuffix(".py")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def walked(self) -> list[tuple[ast.AST, Functions]]:
        return list(_walk(self.tree))

    @cached_property
    def by_kind(self) -> dict[type[ast.AST], list[tuple[ast.AST, Functions]]]:
        found: dict[type[ast.AST], list[tuple[ast.AST, Functions]]] = defaultdict(list)
        for node, around in self.walked:
            found[type(node)].append((node, around))
        return found

    def nodes(self, kind: type[Node]) -> list[tuple[Node, Functions]]:
        """The nodes of a kind, in their order. Nearly all nodes are of other kinds than a rule asks for."""
        return cast("list[tuple[Node, Functions]]", self.by_kind.get(kind, []))


def _walk(tree: ast.AST) -> Iterator[tuple[ast.AST, Functions]]:
    waiting: list[tuple[ast.AST, Functions]] = [(tree, ())]
    while waiting:
        node, around = waiting.pop()
        yield node, around
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            around = (*around, node.name)
        waiting += [(child, around) for child in ast.iter_child_nodes(node)][::-1]


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package, by path."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return tuple(Module(path.relative_to(ROOT).as_posix(), path.read_text()) for path in paths)


def line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)


def name_of(node: ast.AST | None) -> str:
    """The last part of a dotted name; empty for anything else."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
