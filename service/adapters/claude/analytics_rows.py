"""Rows of the analytics reports as the domain's: one combination of dimensions in one bucket each.

Follows the types of the vendor's Python SDK 2.14.0, API version 2026-10-21. Amounts are texts in cents after discounts
and before credits.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic

from service.adapters.claude.actors import ActorParser
from service.adapters.claude.answers import (
    NotUnderstood,
    Record,
    cents,
    count,
    field,
    instant,
    quoted,
    record,
    record_or_nothing,
    text_or_none,
    value_of,
)
from service.adapters.claude.parser import CACHE_WRITES, FLAT_MEASURES, TOOL_USES, Grid, Row, counts
from service.domain.spend.rows import CostRow, Dimensions, UsageRow
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from service.domain.values.scopes import DEFAULT_WORKSPACE, Dimension, ScopeKey

_CURRENCY = "USD"
_DIMENSIONS = (
    "workspace_id", "model", "cost_type", "token_type", "service_tier", "context_window", "inference_geo", "api_key_id",
)  # fmt: skip
"""The dimensions that have a place of their own; any other with a text is kept beside them (the product is one)."""
_ACTOR = "actor"
_PERSONAL = frozenset({"claude_tag_user_id", "user_profile_id"})
"""They say whose usage it is, and are not asked for: never kept."""


@dataclass(frozen=True, slots=True)
class AnalyticsRow(Generic[Row]):
    """A row in its bucket. `group` holds all of its dimensions as they came, a person's id in the place of the person.

    No two rows of a bucket share them, but for those of nobody in a report that names actors: several people may have
    been deleted. `named`: the names of its members, as far as the report says them. `digest` is that of its bytes.
    """

    window: Window
    group: tuple[tuple[str, str], ...]
    row: Row
    notices: Counter[str]
    digest: bytes
    named: tuple[tuple[ScopeKey, str], ...] = ()
    is_of_nobody: bool = False

    @property
    def identity(self) -> Hashable:
        return object() if self.is_of_nobody else (self.window.start, self.group)


@dataclass(frozen=True, slots=True)
class RowParser:
    """Parses rows. `defaults` are the ids of default workspaces, which the Admin reports show as null.

    `actors`: None where the report is not asked for any.
    """

    grid: Grid
    defaults: frozenset[str]
    actors: ActorParser | None = None

    def cost(self, entry: bytes) -> AnalyticsRow[CostRow]:
        """Raises NotUnderstood."""
        answer, window, notices = self._opened(entry)
        cost = record(field(answer, "cost"), "cost")
        currency = field(cost, "currency")
        if currency != _CURRENCY:
            raise NotUnderstood(f"currency is {quoted(currency)}, and only US dollars are understood")
        group, named = self._group(answer, notices)
        row = CostRow(self._dimensions(group), cents(cost, "amount", notices))
        is_of_nobody = self.actors is not None and group[_ACTOR] is None
        return AnalyticsRow(window, _canonical(group), row, notices, _digest(entry), named, is_of_nobody)

    def usage(self, entry: bytes) -> AnalyticsRow[UsageRow]:
        """Raises NotUnderstood."""
        answer, window, notices = self._opened(entry)
        used = record(field(answer, "usage"), "usage")
        quantities = {measure: count(used, measure.value) for measure in FLAT_MEASURES}
        quantities |= counts(record_or_nothing(used, "cache_creation", notices), CACHE_WRITES)
        quantities |= counts(record_or_nothing(used, "server_tool_use", notices), TOOL_USES)
        group, _ = self._group(answer, notices)
        row = UsageRow(self._dimensions(group), quantities)
        return AnalyticsRow(window, _canonical(group), row, notices, _digest(entry))

    def _opened(self, entry: bytes) -> tuple[Record, Window, Counter[str]]:
        answer = record(value_of(entry), "a row")
        window = Window(instant(answer, "starting_at"), instant(answer, "ending_at"))
        self.grid.check(window)
        return answer, window, Counter()

    def _group(self, answer: Record, notices: Counter[str]) -> tuple[Record, tuple[tuple[ScopeKey, str], ...]]:
        """The dimensions with the actor's id in the place of the actor, and the names of actor and product."""
        group = {
            name: value for name, value in record(field(answer, "group"), "group").items() if name not in _PERSONAL
        }
        actor = self.actors.parse(group.get(_ACTOR), notices) if self.actors else None
        product = group.get("product")
        named = [(ScopeKey(Dimension.ACTOR, actor.id), actor.name)] if actor else []
        if isinstance(product, str) and product:
            named.append((ScopeKey(Dimension.PRODUCT, product), product))
        return {**group, _ACTOR: actor.id if actor else None}, tuple(named)

    def _dimensions(self, group: Record) -> Dimensions:
        """The null workspace is an Enterprise organisation's only one, or a usage of none: both are the default one.

        Were the field renamed, all spend would silently become the default workspace's: it has to be there.
        """
        field(group, "workspace_id")
        named = {name: text_or_none(group.get(name), name) or "" for name in _DIMENSIONS}
        workspace = named["workspace_id"]
        return Dimensions(
            workspace=DEFAULT_WORKSPACE if not workspace or workspace in self.defaults else workspace,
            model=named["model"],
            cost_type=named["cost_type"],
            token_type=named["token_type"],
            service_tier=named["service_tier"],
            context_window=named["context_window"],
            inference_geo=named["inference_geo"],
            api_key=named["api_key_id"],
            extra=tuple(pair for pair in _texts(group) if pair[0] not in _DIMENSIONS),
        )


def _texts(group: Record) -> Iterable[tuple[str, str]]:
    for name in sorted(group):
        value = group[name]
        if isinstance(value, str) and value:
            yield name, text_or_none(value, name) or ""


def _digest(entry: bytes) -> bytes:
    return hashlib.sha256(entry).digest()


def _canonical(group: Record) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(group[name])) for name in sorted(group) if group[name] is not None)


def totals_by_start(rows: Iterable[AnalyticsRow[CostRow]]) -> dict[datetime, Money]:
    """The sum of the rows of each bucket."""
    totals: dict[datetime, Money] = {}
    for one in rows:
        start = one.window.start
        totals[start] = totals.get(start, ZERO) + one.row.amount
    return totals
