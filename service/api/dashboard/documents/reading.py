"""A form's fields to the document that REST would be sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import cast

from pydantic import JsonValue

from service.api.dashboard.documents.controls import Control, ControlKind, Document, Parts, Rows

REMOVED = "/removed"
"""The name of the tick, inside an item of a list, that leaves the item out."""
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", re.ASCII)
_MINUTE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2})", re.ASCII)
_MATCHER = re.compile(r"([^=!~]+?)\s*(=~|!~|!=|=)\s*(.*)")
_MOST_ITEMS = 200

Fields = Mapping[str, str]


def read_document(parts: Parts, form: Fields, stored: Document) -> dict[str, JsonValue]:
    """Returns the stored document with what the form says of it; for a new one, that of its defaults."""
    document = deepcopy(dict(stored))
    for part in parts:
        if isinstance(part, Rows):
            document[part.pointer[1:]] = cast("JsonValue", _items(part, form, document.get(part.pointer[1:])))
        else:
            put(document, part, form.get(part.pointer, ""))
    return document


def _items(rows: Rows, form: Fields, stored: JsonValue) -> list[dict[str, JsonValue]]:
    known = stored if isinstance(stored, list) else []
    found = []
    for number in _numbers(rows, form):
        given = {name.removeprefix(f"{rows.pointer}/{number}"): value for name, value in _of(rows, number, form)}
        old = known[number] if number < len(known) else {}
        item = deepcopy(old) if isinstance(old, dict) else {}
        said = {name[1:]: value for name, value in given.items() if value}
        columns = rows.columns({**item, **said})
        is_blank = not any(given.get(one.pointer, "").strip() for one in columns if _may_be_empty(one))
        if REMOVED in given or (is_blank and not item):
            continue
        for column in columns:
            put(item, column, given.get(column.pointer, ""))
        found.append(item)
    return found


def _may_be_empty(control: Control) -> bool:
    """Whether a value says that somebody filled something in: a choice without an empty one has it from the start."""
    return control.entry is not ControlKind.CHOICE or any(not value for value, _ in control.choices)


def _numbers(rows: Rows, form: Fields) -> list[int]:
    place = re.compile(rf"{re.escape(rows.pointer)}/([0-9]{{1,3}})/", re.ASCII)
    found = {int(match[1]) for match in map(place.match, form) if match}
    return sorted(found)[:_MOST_ITEMS]


def _of(rows: Rows, number: int, form: Fields) -> list[tuple[str, str]]:
    return [(name, value) for name, value in form.items() if name.startswith(f"{rows.pointer}/{number}/")]


def put(document: dict[str, JsonValue], control: Control, text: str) -> None:
    """Writes a value where it belongs, or leaves it out. An empty secret leaves the stored one's stub."""
    *path, name = control.pointer[1:].split("/")
    place: dict[str, JsonValue] = document
    for step in path:
        inner = place.setdefault(step, {})
        assert isinstance(inner, dict), "only objects are on the way to a control"
        place = inner
    value = _value(control, text)
    if value is not None:
        place[name] = value
    elif control.entry is not ControlKind.SECRET:
        place.pop(name, None)


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


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name.strip(), value.strip()


def _matcher(line: str) -> dict[str, str]:
    """Returns a matcher; one without an operator keeps the whole line as its label, which REST refuses."""
    read = _MATCHER.fullmatch(line)
    return {"label": read[1], "op": read[2], "value": read[3]} if read else {"label": line, "op": "", "value": ""}


_READERS: Mapping[ControlKind, Callable[[str], JsonValue]] = {
    ControlKind.TICK: bool,
    ControlKind.LINES: lambda text: [*_lines(text)] or None,
    ControlKind.PAIRS: lambda text: {name: value for name, value in map(_pair, _lines(text))},
    ControlKind.MATCHERS: lambda text: [{**_matcher(line)} for line in _lines(text)],
    ControlKind.NUMBER: _number,
    ControlKind.INSTANT: _instant,
}
