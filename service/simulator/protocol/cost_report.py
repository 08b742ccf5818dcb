"""GET /v1/organizations/cost_report: daily cost by workspace and description, in cents."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from service.simulator.protocol.behaviour import Behaviour, OpenEnd, Today
from service.simulator.protocol.paging import BucketRange, bucket, first_bucket, floor, report
from service.simulator.protocol.query import Query
from service.simulator.protocol.state import Call, Json, State
from service.simulator.world.records import DAY, CostLine

_GROUPS = ("workspace_id", "description")
_DESCRIBED = (
    "description", "cost_type", "model", "token_type", "service_tier", "context_window", "inference_geo"
)  # fmt: skip


def cost_report(call: Call, state: State) -> Json:
    """One page of daily buckets, empty days included."""
    query = Query(call.pairs, ("starting_at", "ending_at", "bucket_width", "limit", "page"), ("group_by[]",))
    query.choice("bucket_width", ("1d",), "1d")
    grouped = query.several("group_by[]", _GROUPS)
    window = _window(query, call.now, state.behaviour)
    starts, next_page = window.page(query, state.tokens, state.behaviour.foreign_page_status)
    days = [bucket(start, DAY, _results(start, grouped, call.now, state)) for start in starts]
    return report(days, next_page)


def _window(query: Query, now: datetime, behaviour: Behaviour) -> BucketRange:
    start = first_bucket(query.required_instant("starting_at"), DAY, behaviour.rounding)
    asked = query.instant("ending_at")
    today = floor(now, DAY)
    open_end = today + DAY if behaviour.open_end is OpenEnd.NEXT_MIDNIGHT else today
    end = floor(asked, DAY) if asked else open_end
    if behaviour.today is Today.REFUSED and start >= today:
        end = start
    return BucketRange(start, end, DAY, query.integer("limit", 7, 31))


def _results(start: datetime, grouped: list[str], now: datetime, state: State) -> list[Json]:
    if start > now or (state.behaviour.today is Today.EMPTY and start == floor(now, DAY)):
        return []
    return rows(state.world.cost(start.date(), now), grouped)


def rows(lines: Iterable[CostLine], grouped: list[str]) -> list[Json]:
    """The lines added up by what is grouped by; a dimension that is not grouped by is null."""
    totals: dict[tuple[str | None, ...], Decimal] = {}
    for line in lines:
        workspace = line.workspace_id if "workspace_id" in grouped else None
        described = (getattr(line, name) if "description" in grouped else None for name in _DESCRIBED)
        key = (workspace, *described)
        totals[key] = totals.get(key, Decimal(0)) + line.amount
    return [_row(key, amount) for key, amount in totals.items() if amount]


def _row(key: tuple[str | None, ...], amount: Decimal) -> Json:
    dimensions = dict(zip(("workspace_id", *_DESCRIBED), key, strict=True))
    return {"amount": plain(amount), "currency": "USD", **dimensions}


def plain(amount: Decimal) -> str:
    """Decimal text without an exponent or trailing zeros."""
    return format(amount.normalize(), "f")
