"""Frozen values for the record and its readers: plain JSON in which no secret stands."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import Field, fields, is_dataclass
from datetime import date, timedelta
from enum import Enum

from service.domain.values.durations import format_duration
from service.domain.values.resources import Sealed

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


def plainly(value: object) -> Plain:
    """Returns a value as plain JSON. A secret is shown by its hint; a field that `repr` leaves out is left out."""
    match value:
        case Enum():
            return plainly(value.value)
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {str(plainly(key)): plainly(item) for key, item in value.items()}
        case Set():
            return sorted((plainly(item) for item in value), key=str)
        case list() | tuple():
            return [plainly(item) for item in value]
    return _fields_or_text(value)


def _fields_or_text(value: object) -> Plain:
    match value:
        case Sealed():
            return {"hint": value.hint}
        case date():  # and so a datetime
            return value.isoformat()
        case timedelta():
            return format_duration(value)
    if is_dataclass(value) and type(value).__str__ is object.__str__:
        return plain_fields(value)
    return str(value)


def plain_fields(value: object) -> dict[str, Plain]:
    """Returns the fields of a dataclass by name, also of one that is a text elsewhere."""
    return {field.name: plainly(getattr(value, field.name)) for field in _shown(value)}


def differing(before: object, after: object) -> tuple[dict[str, Plain], dict[str, Plain]]:
    """Returns the fields in which two values of one dataclass differ, as they were and as they are."""
    names = [field.name for field in _shown(before) if getattr(before, field.name) != getattr(after, field.name)]
    return (
        {name: plainly(getattr(before, name)) for name in names},
        {name: plainly(getattr(after, name)) for name in names},
    )


def _shown(value: object) -> list[Field[object]]:
    assert is_dataclass(value)
    return [field for field in fields(value) if field.repr]
