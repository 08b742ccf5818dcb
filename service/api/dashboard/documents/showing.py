"""A document as a form: each value in its control, and beside it what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from service.api.dashboard.documents.controls import Control, ControlKind, Document, Parts, Rows
from service.api.dashboard.documents.pairs import flaw_of_pairs
from service.api.dashboard.documents.schedules import CHOICES
from service.api.dashboard.documents.texts import KEPT, as_text, kept_text, value_at

Flaws = Mapping[str, str]
"""Says what is wrong, by JSON pointer; "" is the whole."""
NO_FLAWS: Flaws = {}


@dataclass(frozen=True, slots=True)
class ShownControl:
    """A control with its value as text; `id` is what its label points to, `kept` the end of a stored secret."""

    pointer: str
    id: str
    label: str
    entry: str
    hint: str
    choices: Sequence[tuple[str, str]]
    is_required: bool
    value: str
    kept: str
    flaw: str
    only: str


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An object of a list. One that `is_new` is not stored, and is not sent while it is empty. `kept` is the field by
    which it says what it was, as its name and its value.
    """

    title: str
    removed: str
    kept: tuple[str, str]
    is_new: bool
    controls: Sequence[ShownControl]


@dataclass(frozen=True, slots=True)
class ShownRows:
    label: str
    flaw: str
    items: Sequence[ShownItem]


@dataclass(frozen=True, slots=True)
class ShownForm:
    """`flaws` are those that belong to no control."""

    parts: Sequence[ShownControl | ShownRows]
    flaws: Sequence[str]

    @property
    def is_wrong(self) -> bool:
        return bool(self.flaws) or any(_is_wrong(part) for part in self.parts)


def _is_wrong(part: ShownControl | ShownRows) -> bool:
    inner = [one for item in part.items for one in item.controls] if isinstance(part, ShownRows) else []
    return bool(part.flaw) or any(one.flaw for one in inner)


def show_form(parts: Parts, document: Document, flaws: Flaws) -> ShownForm:
    left = dict(flaws)
    shown = [
        _rows(part, document, left) if isinstance(part, Rows) else _control(part, part.pointer, document, left)
        for part in parts
    ]
    return ShownForm(shown, [f"{pointer}: {flaw}" if pointer else flaw for pointer, flaw in left.items()])


def _rows(rows: Rows, document: Document, left: dict[str, str]) -> ShownRows:
    stored = document.get(rows.pointer[1:])
    items = [item for item in stored if isinstance(item, dict)] if isinstance(stored, list) else []
    padded: list[dict[str, JsonValue]] = [*items, *({} for _ in range(rows.spare))]
    shown = [_item(rows, number, item, left, number >= len(items)) for number, item in enumerate(padded)]
    return ShownRows(rows.label, _taken(left, rows.pointer), shown)  # what is said of items is taken by now


def _item(rows: Rows, number: int, item: Document, left: dict[str, str], is_new: bool) -> ShownItem:
    place = f"{rows.pointer}/{number}"
    columns = rows.columns(item)
    controls = [_control(one, f"{place}{one.pointer}", item, left) for one in columns]
    title = ": ".join(part for part in (f"{rows.noun} {number + 1}", rows.title(item)) if part)
    return ShownItem(title, f"{place}/removed", (f"{place}{KEPT}", kept_text(columns, item)), is_new, controls)


def _control(control: Control, pointer: str, document: Document, left: dict[str, str]) -> ShownControl:
    value = value_at(document, control.pointer)
    kept = value.get("hint", "") if isinstance(value, dict) and control.entry is ControlKind.SECRET else ""
    return ShownControl(
        pointer=pointer,
        id=f"at{pointer.replace('/', '-')}",
        label=control.label,
        entry=control.entry.value,
        hint=control.hint,
        choices=_choices(control, value),
        is_required=control.is_required and not kept,
        value="" if kept else as_text(control.entry, value),
        kept=str(kept),
        flaw=_said_of(control, value, _taken(left, pointer)),
        only=control.only,
    )


def _said_of(control: Control, value: JsonValue, flaw: str) -> str:
    """Returns what is wrong with a value in the words of its control, where REST knows less: it has seen no lines."""
    is_unread = control.entry is ControlKind.PAIRS and isinstance(value, str)
    return flaw_of_pairs(str(value)) if is_unread else flaw


def _choices(control: Control, value: JsonValue) -> Sequence[tuple[str, str]]:
    """Returns what there is to choose, and what is stored beside it: a browser would choose the first instead."""
    if control.entry is ControlKind.SCHEDULE:
        return CHOICES
    if control.entry is not ControlKind.CHOICE or value is None:
        return control.choices
    text = as_text(control.entry, value)
    is_known = any(text == known for known, _ in control.choices)
    return control.choices if is_known else (*control.choices, (text, text))


def differences(parts: Parts, stored: Document, document: Document) -> Flaws:
    """Returns what is stored now, by the pointer of each value that a form has otherwise; of secrets nothing."""
    found = {}
    for part in parts:
        if isinstance(part, Rows):
            is_other = stored.get(part.pointer[1:]) != document.get(part.pointer[1:])
            found.update({part.pointer: "what is stored now differs"} if is_other else {})
        elif part.entry is not ControlKind.SECRET:
            now, said = (as_text(part.entry, value_at(one, part.pointer)) for one in (stored, document))
            found.update({part.pointer: f"stored now: {now or 'nothing'}"} if now != said else {})
    return found


def _taken(left: dict[str, str], pointer: str) -> str:
    """Takes out of `left` what is said of a value or of something inside it."""
    found = [one for one in left if one == pointer or one.startswith(f"{pointer}/")]
    return "; ".join(left.pop(one) for one in found)
