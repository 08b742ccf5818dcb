"""GET /v1/organizations/analytics/cost and /usage: rows by any dimension, paged by row (a beta)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from service.simulator.protocol.analytics_rows import (
    FAN_OUT,
    FILTERS,
    GROUPS,
    Bucket,
    RowGroups,
    cost_rows,
    usage_rows,
)
from service.simulator.protocol.auth import betas
from service.simulator.protocol.behaviour import Behaviour
from service.simulator.protocol.errors import ApiError, invalid
from service.simulator.protocol.paging import floor, stamp
from service.simulator.protocol.query import Query
from service.simulator.protocol.state import Call, Json, State
from service.simulator.world.records import DAY, HOUR

BETA = "analytics-usage-cost-2026-08-24"
REFRESHED_EVERY = timedelta(hours=4)
_FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_LOOK_BACK = 365 * DAY
_MOST_GROUPS = 5
_WIDTHS = {"1m": timedelta(minutes=1), "1h": HOUR, "1d": DAY}
_SINGLES = ("starting_at", "ending_at", "time_bucket_width", "order_by", "order", "limit", "page")

_Rows = Callable[[list[Bucket], RowGroups, State, datetime], list[Json]]


def analytics_cost(call: Call, state: State) -> Json:
    """One page of cost rows: only combinations with cost, the largest first unless asked otherwise."""
    return _page(call, state, cost_rows, ("amount", "list_amount", "time"), (*GROUPS, *FAN_OUT))


def analytics_usage(call: Call, state: State) -> Json:
    """One page of usage rows, the most tokens first unless asked otherwise."""
    return _page(call, state, usage_rows, ("total_tokens", "time"), GROUPS)


def refreshed_at(now: datetime, behaviour: Behaviour) -> datetime:
    """Up to when the data are complete."""
    return floor(now - behaviour.refresh_delay, REFRESHED_EVERY)


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a page begins, and of which refreshed data it is a page."""

    refreshed: str
    row: int

    @classmethod
    def of(cls, text: str) -> _Position:
        refreshed, row = text.split("#")
        return cls(refreshed, int(row))

    def __str__(self) -> str:
        return f"{self.refreshed}#{self.row}"


def _page(call: Call, state: State, rows: _Rows, orders: tuple[str, ...], groups: tuple[str, ...]) -> Json:
    _admit(call, state.behaviour)
    query = Query(call.pairs, _SINGLES, ("group_by[]", *FILTERS))
    grouped = query.several("group_by[]", groups)
    if len(set(grouped) - set(FAN_OUT)) > _MOST_GROUPS:
        raise invalid(f"group_by[]: at most {_MOST_GROUPS} dimensions")
    order_by, order = query.choice("order_by", orders, orders[0]), query.choice("order", ("asc", "desc"), "desc")
    limit = query.integer("limit", 20, 1000)
    filters = {dimension: values for name, dimension in FILTERS.items() if (values := query.several(name))}
    grouping = RowGroups(tuple(grouped), filters, order_by, falling=order == "desc")
    refreshed = refreshed_at(call.now, state.behaviour)
    buckets = [(span, part) for span, part in _buckets(query, call.now) if part[0] < refreshed]
    first = _first_row(query, state, stamp(refreshed))
    report = f"{call.now.date()} {stamp(refreshed)} {query.fingerprint()} {rows.__name__}"
    listed = state.listed.of(report) if first else None
    if listed is None:
        listed = rows(buckets, grouping, state, refreshed)
        state.listed.keep(report, listed)
    end = _end(listed, first, limit)
    more = end < len(listed)
    token = state.tokens.issue(str(_Position(stamp(refreshed), end)), query.fingerprint()) if more else None
    return {
        "data": listed[first:end],
        "has_more": more,
        "next_page": token,
        "data_refreshed_at": stamp(refreshed),
    }


def _admit(call: Call, behaviour: Behaviour) -> None:
    """Raises ApiError as the real API does where the beta is not asked for, or not to be had."""
    if BETA not in betas(call.headers) or not behaviour.has_analytics:
        raise ApiError(404, "Not found")
    if behaviour.hipaa_ready:
        raise invalid("Usage and cost analytics are not available for HIPAA-ready organizations")


def _first_row(query: Query, state: State, refreshed: str) -> int:
    token = query.text("page")
    if token is None:
        return 0
    position = _Position.of(state.tokens.redeem(token, query.fingerprint(), state.behaviour.foreign_page_status))
    if position.refreshed != refreshed:
        raise ApiError(410, "page: the data were refreshed since; start again from the first page")
    return position.row


def _end(listed: list[Json], first: int, limit: int) -> int:
    """Past the last row of a page. Rows that differ in cost_type or token_type only count as one."""
    counted: set[object] = set()
    for number in range(first, len(listed)):
        counted.add(_counted_as(listed[number]))
        if len(counted) > limit:
            return number
    return len(listed)


def _counted_as(row: Json) -> object:
    group = row["group"]
    assert isinstance(group, dict)
    return (row["starting_at"], *(str(value) for name, value in group.items() if name not in FAN_OUT))


def _buckets(query: Query, now: datetime) -> list[Bucket]:
    """The buckets of the range; without a width one, which covers whole hours, in parts of days."""
    start, asked = query.required_instant("starting_at"), query.instant("ending_at")
    name = query.choice("time_bucket_width", tuple(_WIDTHS), "")
    if name and asked is None:
        raise invalid("ending_at: Field required when time_bucket_width is set")
    width = _WIDTHS[name] if name else HOUR
    first, end = floor(start, width), floor(asked or min(now, start + 31 * DAY), width)
    if first < max(_FIRST_DAY, floor(now, DAY) - _LOOK_BACK):
        raise invalid("starting_at: Data are available from 2026-01-01 and for 365 days")
    if end <= first:
        raise invalid("Invalid date range: ending date must be after starting date")
    if end - first > (DAY if name == "1m" else 31 * DAY):
        raise invalid("Invalid date range: too long")
    if name:
        starts = [first + number * width for number in range((end - first) // width)]
        return [((start, start + width), (start, start + width)) for start in starts]
    midnights = [floor(first, DAY) + number * DAY for number in range((end - first) // DAY + 2)]
    parts = [(max(first, midnight), min(end, midnight + DAY)) for midnight in midnights]
    return [((first, end), part) for part in parts if part[0] < part[1]]
