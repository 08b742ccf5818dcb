"""Frozen domain values as JSON and back, exactly, by their type annotations.

Money and decimals are plain decimal strings, instants ISO 8601 in UTC, durations whole microseconds, enums
their values. A field that the stored value lacks takes its default and one that it has too many is ignored, so
that two releases can share a database while one replaces the other.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints, overload

from service.domain.alerts.evidence import ALERT_KINDS, Evidence
from service.domain.values.money import Money

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Decoder = Callable[[Any], Any]
Encoder = Callable[[Any], Json]
T = TypeVar("T")

_MICROSECOND = timedelta(microseconds=1)


class DecodeError(ValueError):
    """A stored value does not have the shape of the type it is read as."""


def shallow(record: object) -> dict[str, Any]:
    """Returns a dataclass's fields by name: the values of a row whose columns mirror it."""
    return {name: getattr(record, name) for name in _field_names(cast("Hashable", type(record)))}


def encode(value: object) -> Json:
    """Returns the JSON of a domain value. Raises TypeError for an unknown type."""
    return _encoder(cast("Hashable", type(value)))(value)


@overload
def decode(hint: type[T], stored: Json) -> T: ...
@overload
def decode(hint: object, stored: Json) -> object: ...
def decode(hint: object, stored: Json) -> object:
    """Returns the value of an annotation (a class, a union, a tuple or mapping type). Raises DecodeError."""
    return _decoder(hint)(stored)


@cache
def _encoder(kind: Any) -> Encoder:
    """How the values of one class become JSON, looked up once: an alert has a hundred values."""
    if issubclass(kind, Enum):
        return lambda member: encode(member.value)
    if issubclass(kind, NoneType | bool | int | float | str):
        return lambda value: value
    if issubclass(kind, Mapping):
        return lambda mapping: {str(encode(key)): encode(item) for key, item in mapping.items()}
    if issubclass(kind, tuple):
        return lambda items: [encode(item) for item in items]
    for scalar, write in _WRITTEN.items():
        if issubclass(kind, scalar):
            return write
    if is_dataclass(kind):
        names = _field_names(cast("Hashable", kind))
        return lambda record: {name: encode(getattr(record, name)) for name in names}
    raise TypeError(f"no JSON for {kind.__name__}")


@cache
def _field_names(cls: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cls))


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        raise TypeError("an instant without a time zone")
    return at.astimezone(UTC).isoformat()


@cache
def _decoder(hint: Any) -> Decoder:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if hint in _OPEN_UNIONS:
        return _listed(_OPEN_UNIONS[hint])
    if origin in _GENERICS:
        return _GENERICS[origin](arguments)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if is_dataclass(hint):
        return _record(hint)
    raise TypeError(f"no decoder for {hint}")


def _exactly(kind: type) -> Decoder:
    def read(stored: Any) -> Any:
        if type(stored) is not kind:
            raise DecodeError(f"{kind.__name__} expected, {type(stored).__name__} found")
        return stored

    return read


def _from_text(build: Callable[[str], Any]) -> Decoder:
    def read(stored: Any) -> Any:
        try:
            return build(_text(stored))
        except InvalidOperation as error:
            raise DecodeError(f"not a decimal number: {stored!r}") from error

    return read


def _float(stored: Any) -> float:
    if type(stored) not in (int, float):
        raise DecodeError(f"float expected, {type(stored).__name__} found")
    return float(stored)


def _union(members: tuple[Any, ...]) -> Decoder:
    """Returns the value of the first member that can be read; None only from null."""

    def read(stored: Any) -> Any:
        if stored is None and type(None) in members:
            return None
        for member in members:
            try:
                return _decoder(member)(stored)
            except ValueError:
                continue
        raise DecodeError(f"none of {members} can be read from {stored!r}")

    return read


def _listed(types: Mapping[str, type]) -> Decoder:
    """The first listed type that can be read; the list may have grown since."""

    def read(stored: Any) -> Any:
        return _union(tuple(types.values()))(stored)

    return read


def _literal(allowed: tuple[Any, ...]) -> Decoder:
    def read(stored: Any) -> Any:
        if stored not in allowed:
            raise DecodeError(f"one of {allowed} expected, {stored!r} found")
        return stored

    return read


def _tuple(items: tuple[Any, ...]) -> Decoder:
    def read(stored: Any) -> Any:
        values = _list(stored)
        hints = items[:1] * len(values) if items[1:] == (Ellipsis,) else items
        if len(hints) != len(values):
            raise DecodeError(f"{len(hints)} items expected, {len(values)} found")
        return tuple(_decoder(hint)(value) for hint, value in zip(hints, values, strict=True))

    return read


def _mapping(items: tuple[Any, ...]) -> Decoder:
    key_hint, value_hint = items

    def read(stored: Any) -> Any:
        key, value = _decoder(key_hint), _decoder(value_hint)
        return {key(name): value(item) for name, item in _object(stored).items()}

    return read


def _record(cls: Any) -> Decoder:
    hints, names = get_type_hints(cls), {field.name for field in fields(cls)}
    required = {field.name for field in fields(cls) if field.default is MISSING and field.default_factory is MISSING}

    def read(stored: Any) -> Any:
        values = _object(stored)
        if missing := required - values.keys():
            raise DecodeError(f"{cls.__name__} without {', '.join(sorted(missing))}")
        return cls(**{name: _decoder(hints[name])(value) for name, value in values.items() if name in names})

    return read


_WRITTEN: Mapping[type, Encoder] = {
    Money: lambda money: format(money.usd, "f"),
    Decimal: lambda number: format(number, "f"),
    datetime: _instant,
    date: lambda day: day.isoformat(),  # after datetime, which is a date, too
    timedelta: lambda duration: duration // _MICROSECOND,
}
_text, _list, _object = _exactly(str), _exactly(list), _exactly(dict)
_whole = _exactly(int)
_SCALARS: dict[Any, Decoder] = {
    type(None): _exactly(type(None)),
    str: _text,
    bool: _exactly(bool),
    int: _whole,
    float: _float,
    Decimal: _from_text(Decimal),
    Money: _from_text(Money.of),
    datetime: _from_text(datetime.fromisoformat),
    date: _from_text(date.fromisoformat),
    timedelta: lambda stored: timedelta(microseconds=_whole(stored)),
}
_GENERICS: dict[Any, Callable[[tuple[Any, ...]], Decoder]] = {
    Union: _union,
    UnionType: _union,
    Literal: _literal,
    tuple: _tuple,
    Mapping: _mapping,
    dict: _mapping,
}
_OPEN_UNIONS: Mapping[Any, Mapping[str, type]] = {Evidence: ALERT_KINDS}
"""Bases that stand for whichever listed subclass can be read; new kinds are listed in the domain."""
