"""Words for the parameters and gates of rules. The JSON Schema, the documents and the forms take them from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args, get_type_hints


@dataclass(frozen=True, slots=True)
class Parameter:
    """The mark of a field: `Annotated[int, Parameter("Days without spend", "How long something ...")]`.

    `label` names it, with its unit. `about` says in a sentence what it does. `words` are those for its values, of a
    choice.
    """

    label: str
    about: str = ""
    words: Mapping[str, str] = field(default_factory=dict)


def parameters(cls: type[object]) -> dict[str, Parameter]:
    """Returns the words for each field of a class; one without a mark is called by its name."""
    hints = get_type_hints(cls, include_extras=True)
    return {name: _mark(hint) or Parameter(name.replace("_", " ").capitalize()) for name, hint in hints.items()}


def _mark(hint: object) -> Parameter | None:
    return next((mark for mark in get_args(hint) if isinstance(mark, Parameter)), None)
