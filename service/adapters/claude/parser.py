"""Buckets of the cost and usage reports as the domain's rows.

Follows the reference of API version 2023-06-01: https://platform.claude.com/docs/en/api/admin
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Generic, TypeVar

from service.adapters.claude.answers import (
    LARGEST_COUNT,
    NotUnderstood,
    Record,
    cents,
    count,
    field,
    instant,
    is_number,
    listing,
    quoted,
    record,
    record_or_nothing,
    text,
    text_or_none,
)
from service.domain.sources.pricing import Measure
from service.domain.spend.rows import Bucket, CostRow, Dimensions, UsageRow, Width
from service.domain.values.periods import Window
from service.domain.values.scopes import DEFAULT_WORKSPACE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURRENCY = "USD"
FLAT_MEASURES = (Measure.UNCACHED_INPUT, Measure.OUTPUT, Measure.CACHE_READ)
CACHE_WRITES = {
    Measure.CACHE_WRITE_5M: "ephemeral_5m_input_tokens",
    Measure.CACHE_WRITE_1H: "ephemeral_1h_input_tokens",
}
TOOL_USES = {Measure.WEB_SEARCH: Measure.WEB_SEARCH.value}
_MOST_UNKNOWN = 50
_DIMENSIONS = (
    "workspace_id", "model", "description", "cost_type", "token_type", "service_tier", "context_window",
    "inference_geo", "api_key_id",
)  # fmt: skip
"""The fields of a row that are dimensions, in the order of `Dimensions`."""
_COUNTS = ("uncached_input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation", "server_tool_use")
_KNOWN = frozenset({*_DIMENSIONS, *_COUNTS, "amount", "currency", "type"})

Row = TypeVar("Row", CostRow, UsageRow)


@dataclass(frozen=True, slots=True)
class Grid:
    """The buckets that were asked for: `window` lies on boundaries of `width`."""

    window: Window
    width: Width

    @classmethod
    def around(cls, window: Window, width: Width) -> Grid:
        """The whole buckets that a window touches.

        Reports are asked for on bucket boundaries only: what a start in between means is not documented.
        """
        step = width.length
        past_end = (window.end - _EPOCH) % step
        end = window.end + (step - past_end) if past_end else window.end
        return cls(Window(window.start - (window.start - _EPOCH) % step, end), width)

    def check(self, bucket: Window) -> None:
        """Raises NotUnderstood for a bucket that nobody asked for."""
        step = self.width.length
        if bucket.end - bucket.start != step or (bucket.start - _EPOCH) % step:
            raise NotUnderstood(f"is not one {self.width.value} on its boundary, it ends {bucket.end.isoformat()}")
        if bucket.start < self.window.start or bucket.end > self.window.end:
            raise NotUnderstood("lies outside the time that was asked for")


@dataclass(frozen=True, slots=True)
class ParsedBucket(Generic[Row]):
    """A bucket, and how often each departure from the documented form was met in it."""

    bucket: Bucket[Row]
    notices: Counter[str]


def cost_bucket(item: object, grid: Grid) -> ParsedBucket[CostRow]:
    """A day of the cost report. Raises NotUnderstood."""
    return _bucket(item, grid, cost_row, added_cost)


def usage_bucket(item: object, grid: Grid) -> ParsedBucket[UsageRow]:
    """An hour or minute of the usage report. Raises NotUnderstood."""
    return _bucket(item, grid, usage_row, added_usage)


def cost_row(row: Record, notices: Counter[str]) -> CostRow:
    """A row grouped by workspace and description: its amount in cents becomes dollars here, once."""
    currency = field(row, "currency")
    if currency != _CURRENCY:
        raise NotUnderstood(f"currency is {quoted(currency)}, and only US dollars are understood")
    return CostRow(_dimensions(row), cents(row, "amount", notices))


def usage_row(row: Record, notices: Counter[str]) -> UsageRow:
    """A row grouped by key, model, workspace, tier, context window and geography."""
    for name in ("api_key_id", "model"):
        field(row, name)
    quantities = {measure: count(row, measure.value) for measure in FLAT_MEASURES}
    quantities |= counts(record_or_nothing(row, "cache_creation", notices), CACHE_WRITES)
    quantities |= counts(record_or_nothing(row, "server_tool_use", notices), TOOL_USES)
    return UsageRow(_dimensions(row), quantities)


def counts(nested: Record | None, names: Mapping[Measure, str]) -> dict[Measure, int]:
    """Measures of a nested object by their names there; zeros where there is none."""
    return {measure: 0 if nested is None else count(nested, name) for measure, name in names.items()}


_Parse = Callable[[Record, Counter[str]], Row]
_Add = Callable[[Row, Row], Row]


def _bucket(item: object, grid: Grid, parse: _Parse[Row], add: _Add[Row]) -> ParsedBucket[Row]:
    answer = record(item, "a bucket")
    window = Window(instant(answer, "starting_at"), instant(answer, "ending_at"))
    notices: Counter[str] = Counter()
    try:
        grid.check(window)
        parsed = [_row(result, number, parse, notices) for number, result in enumerate(listing(answer, "results"), 1)]
        return ParsedBucket(Bucket(window, merged(parsed, add)), notices)
    except NotUnderstood as error:
        raise error.inside(f"the bucket of {window.start.isoformat()}") from None


def _row(result: object, number: int, parse: _Parse[Row], notices: Counter[str]) -> Row:
    try:
        return parse(record(result, "it"), notices)
    except NotUnderstood as error:
        raise error.inside(f"row {number}") from None


def merged(parsed: Sequence[Row], add: _Add[Row]) -> tuple[Row, ...]:
    """The rows, those of equal dimensions added up: the reports do not promise that there is one of each."""
    rows: dict[Dimensions, Row] = {}
    for row in parsed:
        earlier = rows.get(row.dimensions)
        rows[row.dimensions] = row if earlier is None else add(earlier, row)
    return tuple(rows.values())


def added_cost(one: CostRow, other: CostRow) -> CostRow:
    """Raises NotUnderstood."""
    try:
        return CostRow(one.dimensions, one.amount + other.amount)
    except ValueError:
        raise NotUnderstood("rows of equal dimensions add up to an amount that is too large") from None


def added_usage(one: UsageRow, other: UsageRow) -> UsageRow:
    """Raises NotUnderstood."""
    added = {measure: number + other.quantities[measure] for measure, number in one.quantities.items()}
    if max(added.values()) > LARGEST_COUNT:
        raise NotUnderstood("rows of equal dimensions add up to a count that is out of range")
    return UsageRow(one.dimensions, added)


def _dimensions(row: Record) -> Dimensions:
    """Absent and null are the same, but for the workspace: were that field renamed, all spend would
    silently become the default workspace's."""
    field(row, "workspace_id")
    named = [row.get(name) for name in _DIMENSIONS]
    try:
        plain = _interned(*named)
    except TypeError:  # a list or an object, which cannot be remembered
        plain = _of_texts(*named)
    return plain if _KNOWN.issuperset(row) else replace(plain, extra=_extra(row))


def _of_texts(*named: object) -> Dimensions:
    texts = (text_or_none(value, name) or "" for name, value in zip(_DIMENSIONS, named, strict=True))
    workspace, model, description, cost_type, token_type, tier, context_window, geo, api_key = texts
    return Dimensions(
        *(workspace or DEFAULT_WORKSPACE, model, description, cost_type, token_type, tier, context_window, geo, api_key)
    )


_interned = lru_cache(maxsize=20_000)(_of_texts)
"""The same series come in every bucket: their texts are checked once, and are one object."""


def _extra(row: Record) -> tuple[tuple[str, str], ...]:
    """Dimensions newer than this version. A text that is a number is a measurement (such as a list price)."""
    unknown = sorted(row.keys() - _KNOWN)
    if len(unknown) > _MOST_UNKNOWN:
        raise NotUnderstood(f"it has {len(unknown)} fields that are not documented")
    for name in unknown:
        text_or_none(name, "the name of a field")
    return tuple(
        (name, text(row, name))
        for name in unknown
        if isinstance(value := row[name], str) and value and not is_number(value)
    )
