"""GET /v1/organizations/usage_report/messages: tokens by minute, hour or day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.simulator.protocol.auth import betas
from service.simulator.protocol.errors import invalid
from service.simulator.protocol.paging import BucketRange, bucket, first_bucket, floor, report
from service.simulator.protocol.query import Query
from service.simulator.protocol.state import Call, Json, State
from service.simulator.world.records import NOTHING, Quantities, Usage

SPEED_BETA = "fast-mode-2026-02-01"
_REPORTED = 6  # tokens and searches; container and session time is only billed
_WIDTHS = {  # width: (length, default limit, highest limit)
    "1m": (timedelta(minutes=1), 60, 1440),
    "1h": (timedelta(hours=1), 24, 168),
    "1d": (timedelta(days=1), 7, 31),
}
_DIMENSIONS = (
    "account_id", "api_key_id", "context_window", "inference_geo", "model", "service_account_id",
    "service_tier", "workspace_id",
)  # fmt: skip
_FILTERS = {  # parameter: (dimension, allowed values, any when empty)
    "account_ids[]": ("account_id", ()),
    "api_key_ids[]": ("api_key_id", ()),
    "service_account_ids[]": ("service_account_id", ()),
    "workspace_ids[]": ("workspace_id", ()),
    "models[]": ("model", ()),
    "context_window[]": ("context_window", ("0-200k", "200k-1M")),
    "inference_geos[]": ("inference_geo", ("global", "us", "not_available")),
    "service_tiers[]": (
        "service_tier",
        ("standard", "batch", "priority", "priority_on_demand", "flex", "flex_discount"),
    ),
    "speeds[]": ("speed", ("standard", "fast")),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which usage counts, what it is added up by, and which dimension keys a row shows."""

    grouped: list[str]
    filters: dict[str, list[str]]
    shown: tuple[str, ...]

    @classmethod
    def of(cls, query: Query, headers: Mapping[str, str]) -> Selection:
        """Raises ApiError 400 when speed is asked for without its beta header."""
        with_speed = SPEED_BETA in betas(headers)
        grouped = query.several("group_by[]", (*_DIMENSIONS, "speed"))
        filters = {
            dimension: values
            for name, (dimension, allowed) in _FILTERS.items()
            if (values := query.several(name, allowed))
        }
        if not with_speed and ("speed" in grouped or "speed" in filters):
            raise invalid(f"speed requires the {SPEED_BETA} beta header")
        return cls(grouped, filters, (*_DIMENSIONS, "speed") if with_speed else _DIMENSIONS)

    def rows(self, usage: Iterable[Usage]) -> list[Json]:
        totals: dict[tuple[str | None, ...], Quantities] = {}
        for each in usage:
            stream = each.stream
            if all(getattr(stream, dimension) in values for dimension, values in self.filters.items()):
                key = tuple(getattr(stream, name) if name in self.grouped else None for name in self.shown)
                totals[key] = totals.get(key, NOTHING).plus(each.quantities)
        return [_row(self.shown, key, counts) for key, counts in totals.items() if any(counts[:_REPORTED])]


def usage_report(call: Call, state: State) -> Json:
    """One page of buckets, empty ones included."""
    query = Query(call.pairs, ("starting_at", "ending_at", "bucket_width", "limit", "page"), ("group_by[]", *_FILTERS))
    selection = Selection.of(query, call.headers)
    window = _window(query, call.now, state)
    starts, next_page = window.page(query, state.tokens, state.behaviour.foreign_page_status)
    buckets = [
        bucket(start, window.width, selection.rows(_usage(start, window.width, call.now, state))) for start in starts
    ]
    return report(buckets, next_page)


def _window(query: Query, now: datetime, state: State) -> BucketRange:
    width, default_limit, highest = _WIDTHS[query.choice("bucket_width", tuple(_WIDTHS), "1d")]
    start = first_bucket(query.required_instant("starting_at"), width, state.behaviour.rounding)
    asked = query.instant("ending_at")
    end = floor(asked, width) if asked else floor(now, width) + width
    return BucketRange(start, end, width, query.integer("limit", default_limit, highest))


def _usage(start: datetime, width: timedelta, now: datetime, state: State) -> Sequence[Usage]:
    return () if start > now else state.world.usage(start, start + width, now)


def _row(shown: tuple[str, ...], key: tuple[str | None, ...], counts: Quantities) -> Json:
    return {
        "uncached_input_tokens": counts.uncached_input,
        "cache_read_input_tokens": counts.cache_read,
        "output_tokens": counts.output,
        "cache_creation": {
            "ephemeral_5m_input_tokens": counts.cache_write_5m,
            "ephemeral_1h_input_tokens": counts.cache_write_1h,
        },
        "server_tool_use": {"web_search_requests": counts.web_searches},
        **dict(zip(shown, key, strict=True)),
    }
