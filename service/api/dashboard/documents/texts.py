"""Values of a document as the texts that a form holds."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import JsonValue

from service.api.dashboard.documents.controls import Control, ControlKind, Document
from service.api.dashboard.documents.intervals import interval_text
from service.api.dashboard.documents.schedules import schedule_text

KEPT = "/kept"
"""The name of the field, inside an item of a list, that holds what the item was as the form was opened."""


def value_at(document: Document, pointer: str) -> JsonValue:
    found: JsonValue = dict(document)
    for step in pointer[1:].split("/"):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def as_text(entry: ControlKind, value: JsonValue) -> str:
    """Returns a value as its control holds it."""
    match value:
        case None | False:
            return ""
        case True:
            return "true"
        case list():
            return "\n".join(_line(entry, one) if isinstance(one, dict) else str(one) for one in value)
        case dict():
            return "\n".join(f"{name}={one}" for name, one in value.items())
        case str() if entry is ControlKind.SCHEDULE:
            return schedule_text(value)
        case _:
            text = str(value)
            return text[:16].replace("T", " ") if entry is ControlKind.INSTANT and text.endswith("Z") else text


def _line(entry: ControlKind, value: Document) -> str:
    return interval_text(value) if entry is ControlKind.INTERVALS else _matcher(value)


def _matcher(matcher: Document) -> str:
    return f"{matcher.get('label', '')}{matcher.get('op', '')}{matcher.get('value', '')}"


def kept_text(columns: Sequence[Control], item: Document) -> str:
    """Returns an object of a list as JSON, without secrets that were typed: of a stored one it has the stub."""
    typed = {
        one.pointer[1:]
        for one in columns
        if one.entry is ControlKind.SECRET and not isinstance(value_at(item, one.pointer), dict)
    }
    return json.dumps({name: value for name, value in item.items() if name not in typed}) if item else ""
