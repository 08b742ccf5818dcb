"""Regular expressions that take time in proportion to the text, whatever a person wrote.

Python's own backtrack, and `(a+)+$` can occupy a worker for years. Here an expression becomes its Glushkov automaton:
one state for each character it names. A set of states, the bits of one integer, goes over the text once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

LONGEST_PATTERN = 200
MOST_STATES = 1000
MOST_REPEATS = 100

_ATOM = re.compile(
    r"\\[dDwWsS]|\\[^A-Za-z0-9\n]|\[\^?\]?(?:\\.|[^\]\\])*\]|[^\\\[\](){}|*+?^$]",
    re.DOTALL,
)
"""One character, or a class of them. `^` and `$` are not needed: an expression always means the whole text."""
_AMBIGUOUS = re.compile(r"(?<!\\)\[|--|&&|~~|\|\|")
"""What a class may come to mean in a later Python."""
_COUNT = re.compile(r"\{([0-9]{1,3})(?:(,)([0-9]{1,3})?)?\}")


class BadPattern(ValueError):
    """The expression cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class _Part:
    """States that a part of the expression can begin and end with, and whether it can be empty."""

    empty: bool = True
    first: int = 0
    last: int = 0


_Atom = re.Pattern[str]
_Node = tuple["_Concat", ...]
"""Alternatives."""
_Concat = tuple["_Repeat", ...]


@dataclass(frozen=True, slots=True)
class _Repeat:
    body: _Atom | _Node
    least: int = 1
    most: int | None = 1


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled expression. `atoms[n]` is what state n reads, `follow[n]` the states that may come after it."""

    atoms: tuple[_Atom, ...]
    follow: tuple[int, ...]
    whole: _Part

    def matches(self, text: str) -> bool:
        """Whether the whole text is what the expression describes."""
        if not text:
            return self.whole.empty
        reachable, states = self.whole.first, 0
        for character in text:
            states = sum(1 << n for n in _bits(reachable) if self.atoms[n].fullmatch(character))
            reachable = 0
            for state in _bits(states):
                reachable |= self.follow[state]
        return bool(states & self.whole.last)


@lru_cache(maxsize=1024)
def compile_pattern(text: str) -> Pattern:
    """Characters, `.`, classes, `\\d \\w \\s`, groups, `|`, `* + ?`, `{m,n}`; `(?i)` before all. Raises BadPattern."""
    if len(text) > LONGEST_PATTERN:
        raise BadPattern(f"an expression has {LONGEST_PATTERN} characters at most")
    body, flags = (text[4:], re.IGNORECASE) if text.startswith("(?i)") else (text, re.RegexFlag(0))
    reader = _Reader(body, flags)
    node = reader.alternatives(0)
    if reader.place < len(body):
        raise BadPattern(f"unexpected {body[reader.place]!r}")
    automaton = _Automaton()
    whole = automaton.build(node)
    return Pattern(tuple(automaton.atoms), tuple(automaton.follow), whole)


def _bits(states: int) -> Iterator[int]:
    while states:
        lowest = states & -states
        yield lowest.bit_length() - 1
        states ^= lowest


class _Reader:
    """Reads an expression from left to right."""

    def __init__(self, text: str, flags: re.RegexFlag) -> None:
        self.text = text
        self.flags = flags | re.DOTALL
        self.place = 0

    def alternatives(self, depth: int) -> _Node:
        found = [self._concat(depth)]
        while self._takes("|"):
            found.append(self._concat(depth))
        return tuple(found)

    def _concat(self, depth: int) -> _Concat:
        parts: list[_Repeat] = []
        while self.place < len(self.text) and self.text[self.place] not in "|)":
            body = self._group(depth) if self._takes("(") else self._atom()
            parts.append(self._repeat(body))
        return tuple(parts)

    def _group(self, depth: int) -> _Node:
        if not self._takes("?:") and self.text.startswith("?", self.place):
            raise BadPattern("groups are (...) or (?:...); look-ahead, names and flags inside are not supported")
        node = self.alternatives(depth + 1)
        if not self._takes(")"):
            raise BadPattern("a ( without its )")
        return node

    def _atom(self) -> _Atom:
        match = _ATOM.match(self.text, self.place)
        if match is None:
            rest = self.text[self.place : self.place + 2]
            raise BadPattern(f"{rest!r} is not supported here; an expression means the whole value, without ^ and $")
        self.place = match.end()
        if match[0].startswith("[") and _AMBIGUOUS.search(match[0], 1):
            raise BadPattern(f"{match[0]!r}: put a backslash before [ and before doubled signs within a class")
        try:
            return re.compile(match[0], self.flags)
        except re.error as error:
            raise BadPattern(f"{match[0]!r}: {error.msg}") from error

    def _repeat(self, body: _Atom | _Node) -> _Repeat:
        for sign, least, most in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self._takes(sign):
                return self._once(_Repeat(body, least, most))
        if not self.text.startswith("{", self.place):
            return _Repeat(body)
        count = _COUNT.match(self.text, self.place)
        if count is None:
            raise BadPattern("a count is written {2}, {2,} or {2,5}; write \\{ for the character")
        self.place = count.end()
        least = int(count[1])
        most = least if count[2] is None else int(count[3]) if count[3] else None
        if max(least, most or 0) > MOST_REPEATS or (most is not None and most < least):
            raise BadPattern(f"{count[0]} is not a count up to {MOST_REPEATS}")
        return self._once(_Repeat(body, least, most))

    def _once(self, repeat: _Repeat) -> _Repeat:
        if self.text[self.place : self.place + 1] in ("*", "+", "?", "{"):
            raise BadPattern("one count after another")
        return repeat

    def _takes(self, text: str) -> bool:
        if not self.text.startswith(text, self.place):
            return False
        self.place += len(text)
        return True


@dataclass(frozen=True, slots=True)
class _Automaton:
    atoms: list[_Atom] = field(default_factory=list)
    follow: list[int] = field(default_factory=list)

    def build(self, node: _Node) -> _Part:
        parts = [self._join([self._repeated(one) for one in concat]) for concat in node]
        return _Part(any(one.empty for one in parts), _or(one.first for one in parts), _or(one.last for one in parts))

    def _repeated(self, repeat: _Repeat) -> _Part:
        copies = [self._body(repeat.body) for _ in range(repeat.least)]
        if repeat.most is None:
            loop = self._body(repeat.body)
            self._link(loop.last, loop.first)
            copies.append(_Part(True, loop.first, loop.last))
        else:
            optional = [self._body(repeat.body) for _ in range(repeat.most - repeat.least)]
            copies += [_Part(True, one.first, one.last) for one in optional]
        return self._join(copies)

    def _body(self, body: _Atom | _Node) -> _Part:
        if isinstance(body, tuple):
            return self.build(body)
        if len(self.atoms) == MOST_STATES:
            raise BadPattern(f"its counts make it longer than {MOST_STATES} characters")
        self.atoms.append(body)
        self.follow.append(0)
        state = 1 << (len(self.atoms) - 1)
        return _Part(False, state, state)

    def _join(self, parts: list[_Part]) -> _Part:
        """One after the other."""
        joined = _Part()
        for part in parts:
            self._link(joined.last, part.first)
            joined = _Part(
                empty=joined.empty and part.empty,
                first=joined.first | (part.first if joined.empty else 0),
                last=part.last | (joined.last if part.empty else 0),
            )
        return joined

    def _link(self, before: int, after: int) -> None:
        for state in _bits(before):
            self.follow[state] |= after


def _or(sets: Iterator[int]) -> int:
    union = 0
    for one in sets:
        union |= one
    return union
