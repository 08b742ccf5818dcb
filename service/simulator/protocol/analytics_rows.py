"""Rows of the analytics reports: what is grouped by, what each group cost or used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from service.simulator.protocol.cost_report import plain
from service.simulator.protocol.paging import stamp
from service.simulator.protocol.state import Json, State
from service.simulator.world.records import DEFAULT_WORKSPACE_ID, NOTHING, Charge, Quantities, Stream

GROUPS = (
    "actor", "actor_type", "agent_id", "api_key_id", "claude_tag_category", "claude_tag_user_id", "context_window",
    "deployment_id", "environment_id", "inference_geo", "model", "organization_id", "product", "rbac_group_id",
    "service_tier", "session_id", "slack_channel_id", "speed", "user_profile_id", "workspace_id",
)  # fmt: skip
FAN_OUT = ("cost_type", "token_type")
"""Dimensions that do not count: not among the most groups, nor for the rows of a page."""
FILTERS = {
    "actor_ids[]": "actor_id",
    "actor_types[]": "actor_type",
    "api_key_ids[]": "api_key_id",
    "models[]": "model",
    "organization_ids[]": "organization_id",
    "products[]": "product",
    "service_tiers[]": "service_tier",
    "workspace_ids[]": "workspace_id",
}
_REPORTED, _TOKENS = 6, 5  # tokens and searches; container and session time is only billed
_PRODUCTS = {"code_execution": None, "session_usage": "managed_agents_api"}
_OF_TOKENS_ONLY = ("model", "service_tier", "context_window", "inference_geo", "speed")

Span = tuple[datetime, datetime]
Bucket = tuple[Span, Span]
"""A bucket of the report, and the part of it inside one UTC day that is asked of the world."""
Values = Mapping[str, object]
Group = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class RowGroups:
    """The dimensions that rows are grouped by, which usage counts, and in which order they come."""

    grouped: tuple[str, ...]
    filters: Mapping[str, list[str]]
    order_by: str
    falling: bool

    def group_of(self, values: Values) -> Group | None:
        """The values that it is grouped by; None where a filter leaves the usage out."""
        for name, wanted in self.filters.items():
            if (values.get(name) or "") not in wanted:
                return None
        return tuple(values.get(name) for name in self.grouped)

    def shown(self, group: Group, names: tuple[str, ...]) -> Json:
        """Every dimension, null where it is not grouped by."""
        named = dict(zip(self.grouped, group, strict=True))
        values = {name: named.get(name) for name in names}
        return {name: value.json if isinstance(value, Actor) else value for name, value in values.items()}


@dataclass(slots=True)
class _Cost:
    amount: Decimal = Decimal(0)
    list_amount: Decimal = Decimal(0)


def cost_rows(buckets: list[Bucket], grouping: RowGroups, state: State, until: datetime) -> list[Json]:
    """The cost of every group in every bucket, as far as it happened before `until`."""
    totals: dict[tuple[Span, Group], _Cost] = {}
    for span, part in buckets:
        for charge in state.world.charges(*part, until):
            group = grouping.group_of(_charged(charge, state))
            if group is not None:
                total = totals.setdefault((span, group), _Cost())
                total.amount += charge.amount
                total.list_amount += charge.list_amount
    rows = [
        {**_spanned(span), "group": grouping.shown(group, (*GROUPS, *FAN_OUT)), "cost": _cost(total)}
        for (span, group), total in totals.items()
        if total.amount or total.list_amount
    ]
    measure = "list_amount" if grouping.order_by == "list_amount" else "amount"
    return _ordered(rows, grouping, ("cost", measure))


def usage_rows(buckets: list[Bucket], grouping: RowGroups, state: State, until: datetime) -> list[Json]:
    """The usage of every group in every bucket, as far as it happened before `until`."""
    totals: dict[tuple[Span, Group], Quantities] = {}
    for span, part in buckets:
        for each in state.world.used(*part, until):
            group = grouping.group_of(_used(each.stream, state))
            if group is not None:
                totals[span, group] = totals.get((span, group), NOTHING).plus(each.quantities)
    rows = [
        {**_spanned(span), "group": grouping.shown(group, GROUPS), "usage": _usage(counts)}
        for (span, group), counts in totals.items()
        if any(counts[:_REPORTED])
    ]
    return _ordered(rows, grouping, ("usage", "total_tokens"))


@dataclass(frozen=True, slots=True)
class Actor:
    """The identity that usage is attributed to: a person before a service account before the key."""

    type: str
    id: str

    @classmethod
    def of(cls, stream: Stream) -> Actor | None:
        if person := stream.person or stream.account_id:
            return cls("user_actor", person)
        if stream.service_account_id:
            return cls("service_account_actor", stream.service_account_id)
        return cls("api_actor", stream.api_key_id) if stream.api_key_id else None

    @property
    def json(self) -> Json:
        if self.type == "service_account_actor":
            return {"type": self.type, "service_account_id": self.id}
        if self.type == "api_actor":
            return {"type": self.type, "api_key_id": self.id}
        name = self.id.removeprefix("user_01")
        mail = f"{name.lower()}@simulated.example"
        return {"type": self.type, "user_id": self.id, "email_address": mail, "name": name, "deleted": False}


def product_of(stream: Stream) -> str:
    """The surface that a stream's requests come from."""
    if stream.product:
        return stream.product
    if stream.service_tier == "batch":
        return "message_batches_api"
    return "messages_api" if stream.api_key_id else "claude_console"


def _used(stream: Stream, state: State) -> dict[str, object]:
    """The default workspace has its real id here, and a region that is not available is null."""
    geo, actor = stream.inference_geo, Actor.of(stream)
    return {
        "actor": actor,
        "actor_id": actor.id if actor else None,
        "actor_type": actor.type if actor else None,
        "api_key_id": stream.api_key_id,
        "context_window": stream.context_window,
        "inference_geo": None if geo == "not_available" else geo,
        "model": stream.model,
        "organization_id": state.behaviour.children.get(stream.workspace_id or "", state.world.organization.id),
        "product": product_of(stream),
        "service_tier": stream.service_tier,
        "speed": stream.speed,
        "workspace_id": stream.workspace_id or DEFAULT_WORKSPACE_ID,
    }


def _charged(charge: Charge, state: State) -> dict[str, object]:
    """A charge that is not for tokens has no model; container time has no product either."""
    values = _used(charge.stream, state) | {"cost_type": charge.cost_type, "token_type": charge.token_type}
    if charge.token_type is None:
        values |= dict.fromkeys(_OF_TOKENS_ONLY)
    if charge.cost_type in _PRODUCTS:
        values["product"] = _PRODUCTS[charge.cost_type]
    return values


def _spanned(span: Span) -> Json:
    return {"starting_at": stamp(span[0]), "ending_at": stamp(span[1])}


def _cost(total: _Cost) -> Json:
    amounts = {"amount": plain(total.amount), "list_amount": plain(total.list_amount)}
    return {**amounts, "currency": "USD", "requests": None}


def _usage(counts: Quantities) -> Json:
    return {
        "uncached_input_tokens": counts.uncached_input,
        "cache_read_input_tokens": counts.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": counts.cache_write_5m,
            "ephemeral_1h_input_tokens": counts.cache_write_1h,
        },
        "output_tokens": counts.output,
        "total_tokens": sum(counts[:_TOKENS]),
        "server_tool_use": {"web_search_requests": counts.web_searches},
        "requests": None,
    }


def _ordered(rows: Iterable[Json], grouping: RowGroups, measure: tuple[str, str]) -> list[Json]:
    def place(row: Json) -> tuple[object, str]:
        part = row[measure[0]]
        assert isinstance(part, dict)
        by = row["starting_at"] if grouping.order_by == "time" else Decimal(str(part[measure[1]]))
        return by, str(row["group"])

    return sorted(rows, key=place, reverse=grouping.falling)
