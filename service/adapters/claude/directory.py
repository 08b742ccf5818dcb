"""Workspaces, API keys and the organisation, in the shapes of both API versions."""

from __future__ import annotations

from service.adapters.claude.answers import NotUnderstood, Record, field, quoted, record, text, text_or_none
from service.domain.values.scopes import DEFAULT_WORKSPACE
from service.workflows.ports.sources import ApiKeyName, Organization, WorkspaceName

DEFAULT = WorkspaceName(DEFAULT_WORKSPACE, "Default")
"""Left out of the list by the API, and null in its reports."""

MOST_TAGS = 200
"""The most tags of a workspace that are read."""

NO_WORKSPACE = ""
"""The workspace of a key that is made for the whole organisation."""


def organization(answer: Record) -> Organization:
    return Organization(text(answer, "id"), _name(answer))


def workspace(item: object) -> WorkspaceName:
    row = record(item, "a workspace")
    return WorkspaceName(
        id=text(row, "id"),
        name=_name(row),
        archived=row.get("archived_at") is not None,
        tags=_tags(row),
    )


def api_key(item: object, workspaces: frozenset[str]) -> ApiKeyName:
    """A key. `workspaces` holds every id the API lists: the default one is known by its absence."""
    row = record(item, "an API key")
    return ApiKeyName(
        id=text(row, "id"),
        name=_name(row),
        workspace=_workspace_of(row, workspaces),
        status=text(row, "status"),
        hint=text_or_none(row.get("partial_key_hint"), "partial_key_hint") or "",
    )


def _workspace_of(row: Record, workspaces: frozenset[str]) -> str:
    """Version 2023-06-01: `workspace_id`, null for the default workspace. 2026-10-21: `scope`, with the
    default workspace's real id, which the list of workspaces lacks."""
    if "workspace_id" in row:
        return text_or_none(row["workspace_id"], "workspace_id") or DEFAULT_WORKSPACE
    scope = record(field(row, "scope"), "scope")
    if text(scope, "type") == "organization":
        return NO_WORKSPACE
    named = text(scope, "workspace_id")
    return named if named in workspaces else DEFAULT_WORKSPACE


def _name(row: Record) -> str:
    return text_or_none(field(row, "name"), "name") or text(row, "id")


def _tags(row: Record) -> dict[str, str] | None:
    value = row.get("tags")
    if value is None:
        return None
    tags = record(value, "tags")
    if len(tags) > MOST_TAGS:
        raise NotUnderstood(f"tags holds {len(tags)} tags, and {MOST_TAGS} are the most that are read")
    return {_tag_name(name): text_or_none(tag, f"tag {quoted(name)}") or "" for name, tag in tags.items()}


def _tag_name(name: str) -> str:
    return text_or_none(name, "the name of a tag") or ""
