"""Labels and tags as the lines of a form: team=eng."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pydantic import JsonValue


def read_pairs(text: str) -> JsonValue:
    """Returns values by name; the text itself where a name stands there twice, which REST refuses."""
    pairs = _pairs(text)
    values: dict[str, JsonValue] = {name: value for name, value in pairs}
    return values if len(values) == len(pairs) else text


def flaw_of_pairs(text: str) -> str:
    """Returns what is wrong with such a text."""
    counted = Counter(name for name, _ in _pairs(text))
    return "; ".join(f"{name} stands here twice: give it one value" for name, count in counted.items() if count > 1)


def _pairs(text: str) -> Sequence[tuple[str, str]]:
    parted = [line.partition("=") for line in text.splitlines() if line.strip()]
    return [(name.strip(), value.strip()) for name, _, value in parted]
