"""The Claude Code report of the Admin API: one UTC day of people's use, page by page.

Its amounts are numbers in cents, estimated by the vendor. Follows the vendor's reference of the endpoint, August 2026.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from service.adapters.claude.actors import ActorParser
from service.adapters.claude.answers import (
    NotUnderstood,
    Record,
    cents,
    count,
    field,
    listing,
    quoted,
    record,
    text,
    value_of,
)
from service.adapters.claude.client import AdminClient, Query
from service.adapters.claude.paging import BY_TOKEN, Paged, read_all
from service.domain.spend.claude_code import ClaudeCodeDay, ClaudeCodeRecord, ModelUse, ToolUse
from service.domain.values.names import Names
from service.domain.values.scopes import Dimension, ScopeKey
from service.workflows.ports.sources import ReadClaudeCode

_PATH = "/v1/organizations/usage_report/claude_code"
_MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class _Row:
    record: ClaudeCodeRecord
    named: Names
    digest: str


async def read_claude_code(client: AdminClient, actors: ActorParser, day: date) -> ReadClaudeCode:
    """Raises SourceError."""
    query: Query = [("starting_at", day.isoformat()), ("limit", _MOST_ROWS)]
    async with client.report("Claude Code report") as report:
        rows = await read_all(
            report, Paged(_PATH, query, BY_TOKEN, lambda entry: _row(entry, actors), lambda row: row.digest)
        )
    named = {key: name for row in rows for key, name in row.named.items()}
    return ReadClaudeCode(ClaudeCodeDay(day, tuple(row.record for row in rows)), named)


def _row(entry: bytes, actors: ActorParser) -> _Row:
    row, notices = record(value_of(entry), "a record"), Counter[str]()
    actor = actors.parse(row.get("actor"), notices)
    metrics = record(field(row, "core_metrics"), "core_metrics")
    lines = record(field(metrics, "lines_of_code"), "lines_of_code")
    read = ClaudeCodeRecord(
        actor=actor.id if actor else "",
        customer=text(row, "customer_type"),
        terminal=text(row, "terminal_type"),
        sessions=count(metrics, "num_sessions"),
        lines_added=count(lines, "added"),
        lines_removed=count(lines, "removed"),
        commits=count(metrics, "commits_by_claude_code"),
        pull_requests=count(metrics, "pull_requests_by_claude_code"),
        tools=tuple(_tools(record(field(row, "tool_actions"), "tool_actions"))),
        models=tuple(_model(record(one, "a model"), notices) for one in listing(row, "model_breakdown")),
    )
    named = {ScopeKey(Dimension.ACTOR, actor.id): actor.name} if actor else {}
    return _Row(read, named, hashlib.sha256(entry).hexdigest())


def _tools(actions: Record) -> Iterable[ToolUse]:
    for tool in sorted(actions):
        taken = record(actions[tool], tool)
        yield ToolUse(tool, count(taken, "accepted"), count(taken, "rejected"))


def _model(row: Record, notices: Counter[str]) -> ModelUse:
    tokens, cost = record(field(row, "tokens"), "tokens"), record(field(row, "estimated_cost"), "estimated_cost")
    if field(cost, "currency") != "USD":
        raise NotUnderstood(f"currency is {quoted(cost['currency'])}, and only US dollars are understood")
    return ModelUse(
        model=text(row, "model"),
        input_tokens=count(tokens, "input"),
        output_tokens=count(tokens, "output"),
        cache_read_tokens=count(tokens, "cache_read"),
        cache_write_tokens=count(tokens, "cache_creation"),
        cost=cents(cost, "amount", notices),
    )
