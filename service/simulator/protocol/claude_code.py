"""GET /v1/organizations/usage_report/claude_code: each person's day with Claude Code, from the usage that is billed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from service.simulator.protocol.analytics_rows import Actor, product_of
from service.simulator.protocol.errors import invalid
from service.simulator.protocol.paging import floor, report, stamp
from service.simulator.protocol.query import Query
from service.simulator.protocol.state import Call, Json, State
from service.simulator.world.records import DAY, HOUR, NOTHING, Charge, Quantities, Stream, Usage

CLAUDE_CODE = "claude_code"
_TOKENS_A_SESSION = 2_000_000
_LINES_A_SESSION, _SESSIONS_A_COMMIT, _SESSIONS_A_PULL_REQUEST = 120, 2, 5
_TERMINALS = ("vscode", "iTerm.app", "tmux")
_TOOLS = ("edit_tool", "multi_edit_tool", "write_tool", "notebook_edit_tool")


def claude_code(call: Call, state: State) -> Json:
    """One page of records of one UTC day. Usage of the last hour is left out."""
    query = Query(call.pairs, ("starting_at", "limit", "page"), ())
    start = query.required_instant("starting_at")
    if start != floor(start, DAY):
        raise invalid("starting_at: Input should be a date")
    limit, token = query.integer("limit", 20, 1000), query.text("page")
    status = state.behaviour.foreign_page_status
    first = int(state.tokens.redeem(token, query.fingerprint(), status)) if token else 0
    records = list(_records(start, call.now - HOUR, state))
    end = first + limit
    following = state.tokens.issue(str(end), query.fingerprint()) if end < len(records) else None
    return report(records[first:end], following)


def _records(start: datetime, until: datetime, state: State) -> Iterable[Json]:
    used: dict[Stream, Quantities] = {}
    for each in state.world.used(start, start + DAY, until):
        if product_of(each.stream) == CLAUDE_CODE:
            used[each.stream] = used.get(each.stream, NOTHING).plus(each.quantities)
    charges = [one for one in state.world.charges(start, start + DAY, until) if product_of(one.stream) == CLAUDE_CODE]
    streams = sorted({*used, *(one.stream for one in charges)}, key=repr)
    for actor in sorted({actor for stream in streams if (actor := Actor.of(stream)) is not None}, key=repr):
        mine = [stream for stream in streams if Actor.of(stream) == actor]
        usage = [Usage(stream, used.get(stream, NOTHING)) for stream in mine]
        yield _record(actor, start, state, usage, [one for one in charges if one.stream in mine])


def _record(actor: Actor, start: datetime, state: State, usage: list[Usage], charges: list[Charge]) -> Json:
    tokens = sum(sum(each.quantities[:5]) for each in usage)
    sessions = max(1, tokens // _TOKENS_A_SESSION)
    return {
        "date": stamp(start),
        "actor": _shown(actor, state),
        "organization_id": state.world.organization.id,
        "customer_type": "api",
        "terminal_type": _TERMINALS[len(actor.id) % len(_TERMINALS)],
        "core_metrics": {
            "num_sessions": sessions,
            "lines_of_code": {"added": sessions * _LINES_A_SESSION, "removed": sessions * _LINES_A_SESSION // 3},
            "commits_by_claude_code": sessions // _SESSIONS_A_COMMIT,
            "pull_requests_by_claude_code": sessions // _SESSIONS_A_PULL_REQUEST,
        },
        "tool_actions": {tool: {"accepted": 8 * sessions, "rejected": sessions} for tool in _TOOLS},
        "model_breakdown": [_model(model, usage, charges) for model in sorted({each.stream.model for each in usage})],
    }


def _shown(actor: Actor, state: State) -> Json:
    if actor.type == "user_actor":
        return {"type": actor.type, "email_address": actor.json["email_address"]}
    names = {key.id: key.name for key in state.world.api_keys()}
    return {"type": "api_actor", "api_key_name": names.get(actor.id, actor.id)}


def _model(model: str, usage: list[Usage], charges: list[Charge]) -> Json:
    """Amounts are numbers in whole cents here."""
    counts = NOTHING
    for each in usage:
        counts = counts.plus(each.quantities) if each.stream.model == model else counts
    cents = sum((one.list_amount for one in charges if one.stream.model == model), Decimal(0))
    return {
        "model": model,
        "tokens": {
            "input": counts.uncached_input,
            "output": counts.output,
            "cache_read": counts.cache_read,
            "cache_creation": counts.cache_write_5m + counts.cache_write_1h,
        },
        "estimated_cost": {"currency": "USD", "amount": round(cents)},
    }
