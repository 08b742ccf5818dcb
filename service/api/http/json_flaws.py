"""Documents that two readers could understand differently, or that no reader should follow."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from math import isfinite

DEEPEST = 32
"""Levels. The deepest document of the API has eight."""
TOO_DEEP = f"nested more than {DEEPEST} levels deep"
MOST_REPORTED = 20

Place = tuple[int | str, ...]


class _Members(list[tuple[str, object]]):
    """An object's members as they were written: a dict would keep the last of each name."""


def read_sound(text: str | bytes) -> object:
    """Returns a document's value. Raises ValueError where it is no JSON, or has a flaw."""
    try:
        document: object = json.loads(text)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    found = flaws(text)
    if found:
        raise ValueError(found[0][1])
    return document


def flaws(body: str | bytes) -> list[tuple[Place, str]]:
    """Returns what is wrong with a JSON document, each with its place: doubled keys, no-numbers, too many levels.

    A body that is no JSON has no flaws here: whoever reads it says so.
    """
    try:
        document: object = json.loads(body, object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        return []
    found = _walk(document, ())
    return [flaw for flaw, _ in zip(found, range(MOST_REPORTED), strict=False)]


def _walk(value: object, path: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, float) and not isfinite(value):
        yield path, "write a finite number"
    if isinstance(value, list) and len(path) == DEEPEST:
        yield path, TOO_DEEP
        return
    if isinstance(value, _Members):
        yield from (((*path, name), f"the key {name[:40]!r} stands twice in one object") for name in _doubled(value))
        members: Iterator[tuple[int | str, object]] = iter(value)
    elif isinstance(value, list):
        members = enumerate(value)
    else:
        return
    for name, inner in members:
        yield from _walk(inner, (*path, name))


def _doubled(members: _Members) -> list[str]:
    return [name for name, count in Counter(name for name, _ in members).items() if count > 1]
