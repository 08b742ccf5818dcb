"""Organisation, workspaces and API keys; an API key can be switched off and on again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from service.simulator.protocol.auth import NEW_VERSION, version
from service.simulator.protocol.errors import ApiError, invalid
from service.simulator.protocol.paging import stamp
from service.simulator.protocol.query import Query
from service.simulator.protocol.state import Call, Json, State
from service.simulator.world.records import DEFAULT_WORKSPACE_ID, ApiKey, Workspace

Item = TypeVar("Item", Workspace, ApiKey)

_CURSORS = ("limit", "after_id", "before_id")
_KEY_STATES = ("active", "inactive", "archived", "expired")
_CREATOR = "user_01Founder"
_WRITABLE_STATES = ("active", "inactive", "archived")


def organization(call: Call, state: State) -> Json:
    Query(call.pairs, ())
    found = state.world.organization
    return {"id": found.id, "name": found.name, "type": "organization"}


def workspaces(call: Call, state: State) -> Json:
    query = Query(call.pairs, (*_CURSORS, "include_archived", "include_default"), ("ids[]",))
    archived, default = query.flag("include_archived"), query.flag("include_default")
    wanted = query.several("ids[]")
    chosen = [
        each
        for each in state.world.workspaces()
        if (archived or not _is_archived(each, call))
        and (default or not each.is_default)
        and (not wanted or each.id in wanted)
    ]
    return _page(query, chosen, _workspace)


def workspace(call: Call, state: State) -> Json:
    """One workspace, the default one too. Raises ApiError 404."""
    Query(call.pairs, ())
    for each in state.world.workspaces():
        if each.id == call.path["id"]:
            return _workspace(each)
    raise ApiError(404, f"Workspace {call.path['id']} not found")


def api_keys(call: Call, state: State) -> Json:
    query = Query(call.pairs, (*_CURSORS, "status", "workspace_id", "created_by_user_id"))
    status = query.choice("status", _KEY_STATES, "")
    workspace_id = query.text("workspace_id")
    creator = query.text("created_by_user_id")
    chosen = [
        key
        for key in state.world.api_keys()
        if status in {"", key.status}
        and workspace_id in {None, key.workspace_id, key.workspace_id or DEFAULT_WORKSPACE_ID}
        and creator in {None, _CREATOR}
    ]
    shape = _key_shape(call)
    return _page(query, chosen, shape)


def api_key(call: Call, state: State) -> Json:
    Query(call.pairs, ())
    return _key_shape(call)(_find_key(call, state))


def update_api_key(call: Call, state: State) -> Json:
    """Rename a key or set its status; one that is not active uses no more tokens from now on.

    Raises ApiError 404, and 400 for a field or status that cannot be written.
    """
    Query(call.pairs, ())
    key = _find_key(call, state)
    if unknown := set(call.body) - {"name", "status"}:
        raise invalid(f"{min(unknown)}: Extra inputs are not permitted")
    name, status = call.body.get("name", key.name), call.body.get("status", key.status)
    if not isinstance(name, str) or not name:
        raise invalid("name: Input should be a non-empty string")
    if not isinstance(status, str) or ("status" in call.body and status not in _WRITABLE_STATES):
        raise invalid(f"status: Input should be one of {', '.join(_WRITABLE_STATES)}")
    changed = replace(key, name=name, status=status)
    state.world.change_key(changed, call.now)
    return _key_shape(call)(changed)


def _find_key(call: Call, state: State) -> ApiKey:
    for key in state.world.api_keys():
        if key.id == call.path["id"]:
            return key
    raise ApiError(404, f"API key {call.path['id']} not found")


def _is_archived(each: Workspace, call: Call) -> bool:
    return each.archived_at is not None and each.archived_at <= call.now


def _page(query: Query, items: Sequence[Item], shape: Callable[[Item], Json]) -> Json:
    """Items in their order, cut by the id cursors."""
    limit = query.integer("limit", 20, 1000)
    after, before = query.text("after_id"), query.text("before_id")
    ids = [item.id for item in items]
    if any(cursor is not None and cursor not in ids for cursor in (after, before)):
        raise invalid("after_id or before_id: no such item")
    first = ids.index(after) + 1 if after else 0
    last = ids.index(before) if before else len(ids)
    chosen = items[first:last]
    cut = chosen[-limit:] if before and not after else chosen[:limit]
    return {
        "data": [shape(item) for item in cut],
        "has_more": len(chosen) > limit,
        "first_id": cut[0].id if cut else None,
        "last_id": cut[-1].id if cut else None,
    }


def _workspace(each: Workspace) -> Json:
    return {
        "id": each.id,
        "type": "workspace",
        "name": each.name,
        "created_at": stamp(each.created_at),
        "archived_at": stamp(each.archived_at) if each.archived_at else None,
        "display_color": "#6C5BB9",
        "data_residency": {
            "workspace_geo": "us",
            "default_inference_geo": "global",
            "allowed_inference_geos": "unrestricted",
        },
        "tags": each.tags,
        "compartment_id": None,
        "external_key_id": None,
        "user_profile_id": None,
    }


def _key_shape(call: Call) -> Callable[[ApiKey], Json]:
    return _new_key if version(call.headers) == NEW_VERSION else _old_key


def _key(key: ApiKey) -> Json:
    return {
        "id": key.id,
        "type": "api_key",
        "name": key.name,
        "status": key.status,
        "created_at": stamp(key.created_at),
        "created_by": {"id": _CREATOR, "type": "user"},
        "expires_at": None,
        "partial_key_hint": "sk-ant-api03-...SIM",
    }


def _old_key(key: ApiKey) -> Json:
    """The shape of version 2023-06-01: a null workspace is the default one."""
    return {**_key(key), "workspace_id": key.workspace_id, "principal": {"id": _CREATOR, "type": "user"}}


def _new_key(key: ApiKey) -> Json:
    """The shape of version 2026-10-21: a scope with the default workspace's real id."""
    scope = {"type": "workspace", "workspace_id": key.workspace_id or DEFAULT_WORKSPACE_ID}
    return {**_key(key), "scope": scope, "principal": {"type": "user_actor", "user_id": _CREATOR}}
