"""Reading the API's JSON: strict about meaning, tolerant of form.

What is missing or of the wrong type is an error, never a zero. A null object is zeros and a decimal too many is
rounded: both leave a notice. Every text has a bound.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import NoReturn

import msgspec

from service.domain.values.money import Money

Record = Mapping[str, object]

LARGEST_COUNT = 2**63 - 1  # what a BIGINT column holds
# Decimal() alone would also take "1_000", " 5 ", "NaN" and Arabic digits; an exponent of three digits
# stays far inside the decimal context's range, so that nothing is rounded or flushed to zero on the way.
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST_NUMBER = 50
_EXACT = Context(prec=60)
LONGEST_TEXT = 500
"""The most bytes of an id or a name. Three of them fit into an entry of a Postgres index (2,704 bytes)."""
LONGEST_TOKEN = 4096
"""The most bytes of a page token, which is opaque and goes back in an address."""
_LONGEST_QUOTE = 40
_TELLTALE = 200
"""Bytes at the start of a list by which its place is looked for: searching for megabytes takes long."""
_BETWEEN, _BLANK = re.compile(rb"[\s,]*"), re.compile(rb"\s*")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # Postgres refuses NUL, UTF-8 refuses lone surrogates


class NotUnderstood(Exception):
    """An answer is not what the API documents. `retryable`: a second read of the report may be whole."""

    def __init__(self, problem: str, *, retryable: bool = False) -> None:
        super().__init__(problem)
        self.retryable = retryable

    def inside(self, place: str) -> NotUnderstood:
        return NotUnderstood(f"{place}: {self}", retryable=self.retryable)


def decoded(body: bytes) -> Record:
    """The JSON object of an answer. Raises NotUnderstood."""
    return record(value_of(body), "the answer")


def value_of(body: bytes) -> object:
    """Decodes JSON; its fractions are Decimals, never floats. Raises NotUnderstood.

    A key that stands twice in an object is refused: JSON does not say which of its values holds (RFC 8259, 4).
    """
    try:
        value: object = json.loads(
            body, parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_without_doubles
        )
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise NotUnderstood("the answer is cut off or is not JSON", retryable=True) from error
    return value


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """One page of a list: what stands beside the list, and its entries, which are views of the answer's bytes."""

    answer: Record
    entries: Sequence[msgspec.Raw]


class _Outline(msgspec.Struct):
    data: list[msgspec.Raw]


def page(body: bytes) -> AnswerPage:
    """A page's entries, found in a fraction of the time that decoding them takes. Raises NotUnderstood.

    All else in the answer is decoded. Each entry is decoded by itself, when it is needed.
    """
    try:
        entries = msgspec.json.decode(body, type=_Outline).data
    except (msgspec.DecodeError, RecursionError):
        listing(decoded(body), "data")  # where this is fine, msgspec has met half a surrogate or another encoding
        raise NotUnderstood("the answer holds characters that cannot be stored") from None
    return AnswerPage(decoded(_emptied(body, entries)), entries)


def _emptied(body: bytes, entries: Sequence[msgspec.Raw]) -> bytes:
    """The answer with an empty list in the place of its data, or the answer whole where the place is not plain."""
    if not entries:
        return body
    start = end = body.find(memoryview(entries[0])[:_TELLTALE])
    for entry in map(bytes, entries):
        end = _past(_BETWEEN, body, end)
        if not body.startswith(entry, end):
            return body
        end += len(entry)
    is_whole = body[:start].rstrip().endswith(b"[") and body.startswith(b"]", _past(_BLANK, body, end))
    return body[:start] + body[end:] if is_whole else body


def _past(what: re.Pattern[bytes], body: bytes, at: int) -> int:
    found = what.match(body, at)
    return found.end() if found else at


def record(value: object, name: str) -> Record:
    if not isinstance(value, dict):
        raise NotUnderstood(f"{name} is not an object but {_kind(value)}")
    return value


def record_or_nothing(row: Record, name: str, notices: Counter[str]) -> Record | None:
    """An object that has to be there. None where it is null, with a notice."""
    value = field(row, name)
    if value is None:
        notices[f"{name} is null and counts as zero"] += 1
        return None
    return record(value, name)


def field(row: Record, name: str) -> object:
    """A field that has to be there; null is allowed."""
    try:
        return row[name]
    except KeyError:
        raise NotUnderstood(f"{name} is missing") from None


def listing(row: Record, name: str) -> list[object]:
    value = field(row, name)
    if not isinstance(value, list):
        raise NotUnderstood(f"{name} is not a list but {_kind(value)}")
    return value


def flag(row: Record, name: str) -> bool:
    value = field(row, name)
    if not isinstance(value, bool):
        raise NotUnderstood(f"{name} is not true or false but {_kind(value)}")
    return value


def text(row: Record, name: str) -> str:
    """A text that has to be there and may not be empty."""
    value = text_or_none(field(row, name), name)
    if not value:
        raise NotUnderstood(f"{name} is empty")
    return value


def text_or_none(value: object, name: str, *, longest: int = LONGEST_TEXT) -> str | None:
    """A text of at most `longest` bytes."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise NotUnderstood(f"{name} is not a text but {_kind(value)}")
    if len(value) > longest:
        raise NotUnderstood(f"{name} is longer than {longest} bytes: {quoted(value)}")
    if _UNSTORABLE.search(value):
        raise NotUnderstood(f"{name} holds characters that cannot be stored")
    if len(value.encode()) > longest:
        raise NotUnderstood(f"{name} is longer than {longest} bytes: {quoted(value)}")
    return value


def quoted(value: object) -> str:
    """The beginning of a foreign value, for an error."""
    if not isinstance(value, str):
        return _kind(value)
    return repr(value) if len(value) <= _LONGEST_QUOTE else f"{value[:_LONGEST_QUOTE]!r}..."


def count(row: Record, name: str) -> int:
    """A whole number of tokens or requests."""
    value = field(row, name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise NotUnderstood(f"{name} is not a whole number but {_kind(value)}")
    if not 0 <= value <= LARGEST_COUNT:
        raise NotUnderstood(f"{name} is out of range")
    return value


def instant(row: Record, name: str) -> datetime:
    """An RFC 3339 time, in UTC."""
    value = text(row, name)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise NotUnderstood(f"{name} is not a time: {quoted(value)}") from None
    if moment.tzinfo is None:
        raise NotUnderstood(f"{name} has no time zone: {quoted(value)}")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise NotUnderstood(f"{name} is out of range: {quoted(value)}") from None


def cents(row: Record, name: str, notices: Counter[str]) -> Money:
    """An amount in cents as US dollars. The API writes it as a text; a JSON number is taken too.

    It is exact to ten decimals of a cent. What is finer is rounded half-even, with a notice.
    """
    value = field(row, name)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise NotUnderstood(f"{name} is not a number but {_kind(value)}")
    written = str(value)
    if not is_number(written):
        raise NotUnderstood(f"{name} is not a number: {quoted(written)}")
    dollars = Decimal(written).scaleb(-2, _EXACT)
    try:
        amount = Money.rounded(dollars)
    except ValueError:
        raise NotUnderstood(f"{name} is too large: {quoted(written)}") from None
    if amount.usd != dollars:
        notices[f"{name} has more than ten decimals of a cent and was rounded"] += 1
    return amount


def is_number(written: str) -> bool:
    return len(written) <= _LONGEST_NUMBER and _NUMBER.fullmatch(written) is not None


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        twice = next(name for name, number in Counter(name for name, _ in pairs).items() if number > 1)
        raise NotUnderstood(f"the answer holds the key {quoted(twice)} twice in one object")
    return unique


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
