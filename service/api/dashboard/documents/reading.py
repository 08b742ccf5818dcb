"""A form's fields to the document that REST would be sent."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import cast

from pydantic import JsonValue

from service.api.dashboard.documents.controls import Control, ControlKind, Document, Parts, Rows
from service.api.dashboard.documents.intervals import read_interval
from service.api.dashboard.documents.pairs import read_pairs
from service.api.dashboard.documents.schedules import chosen, read_schedule
from service.api.dashboard.documents.texts import KEPT, as_text, value_at

REMOVED = "/removed"
"""The name of the tick, inside an item of a list, that leaves the item out."""
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", re.ASCII)
_MINUTE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2})", re.ASCII)
_MATCHER = re.compile(r"([^=!~]+?)\s*(=~|!~|!=|=)\s*(.*)")

Fields = Mapping[str, str]


def read_document(parts: Parts, form: Fields, stored: Document) -> dict[str, JsonValue]:
    """Returns the stored document with what the form says of it; for a new one, that of its defaults."""
    document = deepcopy(dict(stored))
    for part in parts:
        if isinstance(part, Rows):
            document[part.pointer[1:]] = cast("JsonValue", _items(part, form))
        else:
            is_schedule = part.entry is ControlKind.SCHEDULE
            put(document, part, chosen(form, part.pointer) if is_schedule else form.get(part.pointer, ""))
    return document


def _items(rows: Rows, form: Fields) -> list[dict[str, JsonValue]]:
    """Returns the objects of a list: each says itself what it was, for its number may be another's by now."""
    found = []
    for _, given in sorted(_given(rows, form).items()):
        item = _kept(given.pop(KEPT, ""))
        said = {name[1:]: value for name, value in given.items() if value}
        columns = rows.columns({**item, **said})
        is_blank = not any(given.get(one.pointer, "").strip() for one in columns if _may_be_empty(one))
        if REMOVED in given or (is_blank and not item):
            continue
        for column in columns:
            put(item, column, given.get(column.pointer, ""))
        found.append(item)
    return found


def _kept(text: str) -> dict[str, JsonValue]:
    try:
        kept = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _may_be_empty(control: Control) -> bool:
    """Whether a value says that somebody filled something in: a choice without an empty one has it from the start."""
    return control.entry is not ControlKind.CHOICE or any(not value for value, _ in control.choices)


def _given(rows: Rows, form: Fields) -> dict[int, dict[str, str]]:
    """Returns the fields of each object by its number, under their pointers inside it."""
    place = re.compile(rf"{re.escape(rows.pointer)}/([0-9]{{1,4}})(/.+)", re.ASCII)
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for match, value in ((place.fullmatch(name), value) for name, value in form.items()):
        if match:
            found[int(match[1])][match[2]] = value
    return found


def put(document: dict[str, JsonValue], control: Control, text: str) -> None:
    """Writes a value where it belongs, or leaves it out. An empty secret leaves the stored one's stub, and a text that
    is still the stored value's leaves that value: a control may show less of it, such as no seconds.
    """
    if _is_as_it_was(document, control, text):
        return
    path, value = control.pointer[1:].split("/"), _value(control, text)
    if value is not None:
        _write(document, path, value)
    elif control.entry is not ControlKind.SECRET:
        _leave_out(document, path)


def _write(place: dict[str, JsonValue], path: Sequence[str], value: JsonValue) -> None:
    name, *inside = path
    if not inside:
        place[name] = value
        return
    inner = place.get(name)
    inner = place[name] = inner if isinstance(inner, dict) else {}
    _write(inner, inside, value)


def _leave_out(place: dict[str, JsonValue], path: Sequence[str]) -> None:
    """Takes a value out, and an object of which nothing is left."""
    name, *inside = path
    inner = place.get(name)
    if inside and isinstance(inner, dict):
        _leave_out(inner, inside)
        if all(value is None for value in inner.values()):
            del place[name]
    elif not inside:
        place.pop(name, None)


def _is_as_it_was(document: Document, control: Control, text: str) -> bool:
    stored = value_at(document, control.pointer)
    if stored is None or control.entry is ControlKind.SECRET:
        return False
    return text.replace("\r\n", "\n") == as_text(control.entry, stored)


def _value(control: Control, text: str) -> JsonValue:
    """Returns what a text stands for, and the text itself where it stands for nothing: REST says what is wrong."""
    text = text.replace("\r\n", "\n")
    text = text if control.entry is ControlKind.TEXT else text.strip()
    read = _READERS.get(control.entry)
    return read(text) if read else text or None


def _number(text: str) -> JsonValue:
    if not _NUMBER.fullmatch(text):
        return text or None
    return float(text) if "." in text else int(text)


def _instant(text: str) -> JsonValue:
    minute = _MINUTE.fullmatch(text.removesuffix("UTC").strip())
    return f"{minute[1]}T{minute[2]}:00Z" if minute else text or None


def _lines(text: str) -> Sequence[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _matcher(line: str) -> dict[str, str]:
    """Returns a matcher; one without an operator keeps the whole line as its label, which REST refuses."""
    read = _MATCHER.fullmatch(line)
    return {"label": read[1], "op": read[2], "value": read[3]} if read else {"label": line, "op": "", "value": ""}


_READERS: Mapping[ControlKind, Callable[[str], JsonValue]] = {
    ControlKind.TICK: bool,
    ControlKind.LINES: lambda text: [*_lines(text)] or None,
    ControlKind.PAIRS: read_pairs,
    ControlKind.MATCHERS: lambda text: [{**_matcher(line)} for line in _lines(text)],
    ControlKind.INTERVALS: lambda text: [read_interval(line) for line in _lines(text)],
    ControlKind.SCHEDULE: read_schedule,
    ControlKind.NUMBER: _number,
    ControlKind.INSTANT: _instant,
}
