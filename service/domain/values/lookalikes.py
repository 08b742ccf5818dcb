"""Names that people could take for other names: characters nobody sees, letters that look like others, one address.

The letters are the ones of Unicode's confusables (UTS 39) that stand for a Latin letter in Cyrillic and Greek, the
scripts whose words pass for Latin ones as a whole. Full-width and styled letters are folded by NFKC.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from service.domain.values.errors import Conflict, Invalid
from service.domain.values.mail_addresses import person_of

_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")
_SELECTORS = frozenset(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
_ALIKE = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјорсухһԁԛԝѵΑΒΕΖΗΙΚΜΝΟΡΤΥΧοανιυρ",
    "ABESIJKMHOPCTYXaesijopcyxhdqwvABEZHIKMNOPTYXoaviup",
)


def require_visible(name: str, pointer: str = "/name") -> None:
    """Raises Invalid for a text with bidirectional controls, zero-width or other unseen characters."""
    for character in name:
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} or character in _UNSEEN:
            shown = f"U+{ord(character):04X}"
            raise Invalid(f"must hold no character that nobody sees or that reorders others: {shown}", pointer)


def skeleton(name: str) -> str:
    """Returns the same text for names that look the same, and for mail addresses of one person."""
    folded = unicodedata.normalize("NFKC", person_of(name)).translate(_ALIKE)
    shown = (one for one in folded if one not in _SELECTORS and unicodedata.category(one) != "Cf")
    return " ".join("".join(shown).split())


def lookalike(name: str, others: Iterable[str]) -> str | None:
    """Returns the first of the others that looks like a name and is not the same."""
    looks = skeleton(name)
    return next((other for other in others if other != name and skeleton(other) == looks), None)


class TakenNames:
    """Names that exist already, by what they look like: many are compared with each other one by one."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_look: dict[str, list[str]] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        self._by_look.setdefault(skeleton(name), []).append(name)

    def require_unlike(self, name: str) -> None:
        """Raises Conflict for a name that looks like another one and is not the same."""
        other = next((other for other in self._by_look.get(skeleton(name), ()) if other != name), None)
        if other is not None:
            raise Conflict(f"the name looks like {other!r}, which exists already: choose another one")
