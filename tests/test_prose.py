"""How the package speaks: its docstrings open plainly, and it uses the field's words for its ideas.

Each rule is proven twice: it finds nothing in the package, and it does find the breach written beside it.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.syntax import ROOT, Module, line, modules

OPENERS = ("Of", "As", "Without", "By", "What")
"""None opens a docstring: it begins with a verb or with what is returned."""

WORDS = {
    "anew": "again",
    "in the stead of": "instead of",
    "graver": "more severe",
    "gravest": "most severe",
    "dearer": "more expensive",
    "in vain": "without success",
    "mend": "fix",
    "mends": "fixes",
    "mended": "fixed",
    "mending": "fixing",
}
"""Words that are not the field's, and what is said instead."""

DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "service").rglob("*.j2")]
BANNED = re.compile("|".join(rf"\b{word}\b".replace(" ", r"\s+") for word in WORDS), re.IGNORECASE)
BEHIND_A_HASH = re.compile("#.*")
NAMES = {"id", "attr", "arg", "name", "asname"}
"""The fields of syntax trees that hold a name."""
PARTS_OF_NAMES = re.compile(r"_|(?<=[a-z0-9])(?=[A-Z])")


def docstrings(module: Module) -> Iterator[ast.Constant]:
    """The texts that stand alone: below a module, a class, a function, or a name."""
    for node, _ in module.nodes(ast.Expr):
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value


def crooked_openings(module: Module) -> Iterator[int]:
    for docstring in docstrings(module):
        words = str(docstring.value).split(maxsplit=1)
        if words and words[0].strip(":,") in OPENERS:
            yield line(docstring)


def banned_words(module: Module) -> Iterator[tuple[int, str]]:
    for number, text in _said(module):
        yield from ((number, found.lower()) for found in _banned_in(text))


def _said(module: Module) -> Iterator[tuple[int, str]]:
    """Names, comments, docstrings and the texts that people receive, by line."""
    yield 1, _spelt_out(module.path)
    for constant, _ in module.nodes(ast.Constant):
        if isinstance(constant.value, str):
            yield line(constant), constant.value
    for kind, nodes in module.by_kind.items():
        fields = NAMES.intersection(kind._fields)
        names = ((node, getattr(node, field)) for node, _ in nodes for field in fields)
        yield from ((line(node), _spelt_out(name)) for node, name in names if isinstance(name, str))
    yield from _comments(module)


def _comments(module: Module) -> Iterator[tuple[int, str]]:
    """The comments of a module in which a banned word stands behind a "#"; telling them from texts takes long."""
    if not BANNED.search("\n".join(BEHIND_A_HASH.findall(module.text))):
        return
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


@cache
def _banned_in(text: str) -> tuple[str, ...]:
    return tuple(BANNED.findall(text))


@cache
def _spelt_out(name: str) -> str:
    return PARTS_OF_NAMES.sub(" ", name)


def test_docstrings_open_with_a_verb_or_with_what_is_returned() -> None:
    found = [f"{module.path}:{number}" for module in modules() for number in crooked_openings(module)]
    assert found == [], f"no docstring opens with {', '.join(OPENERS)}"


def test_the_package_uses_the_field_s_words() -> None:
    found = [
        f'{module.path}:{number}: "{WORDS[" ".join(word.split())]}" instead of "{word}"'
        for module in modules()
        for number, word in banned_words(module)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        '"""Of a budget."""',
        'class A:\n    """What is left."""',
        'def a() -> None:\n    """\n    Without a limit.\n    """',
        'A = 1\n"""By name: what it costs."""',
    ],
)
def test_a_crooked_opening_is_found(text: str) -> None:
    assert len(list(crooked_openings(Module("service/domain/a.py", text)))) == 1


@pytest.mark.parametrize(
    "text",
    [
        '"""Rings anew."""',
        "a = 1  # It waits in\tvain.",
        'def a() -> None:\n    """A budget in the\n    stead of another."""',
        "def graver_first() -> None: ...",
        "class DearerModel: ...",
        "def a(mended: bool) -> None: ...",
        "import a as dearer",
        'A = "it rings anew"',
        'A = f"{a} is graver since"',
    ],
)
def test_a_banned_word_is_found(text: str) -> None:
    assert len(list(banned_words(Module("service/domain/a.py", text)))) == 1


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_documents_use_the_field_s_words(document: Path) -> None:
    assert BANNED.findall(document.read_text()) == []


@pytest.mark.parametrize("text", ["amended = commended = 1", "# recommended, newer"])
def test_other_words_are_left_alone(text: str) -> None:
    assert list(banned_words(Module("service/domain/a.py", text))) == []
