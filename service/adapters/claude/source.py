"""The Claude Usage and Cost Admin API as a source of cost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import httpx

from service.adapters.claude import directory
from service.adapters.claude.answers import value_of
from service.adapters.claude.buckets import Buckets, whole_report
from service.adapters.claude.client import STANDARD_LIMITS, AdminClient, Limits, Query, Report, open_client
from service.adapters.claude.credentials import AdminKey
from service.adapters.claude.failures import AnswerTooLong
from service.adapters.claude.paging import BY_ID, BY_TOKEN, Paged, read_all
from service.adapters.claude.parser import Grid, cost_bucket, usage_bucket
from service.domain.sources.source import Source
from service.domain.spend.rows import CostRow, UsageRow, Width
from service.domain.values.periods import Window
from service.workflows.ports.platform import Vault
from service.workflows.ports.sources import (
    NOTHING_STORED,
    ApiKeyName,
    CostSource,
    Directory,
    Organization,
    ReadReport,
    StoredBuckets,
    WorkspaceName,
)

_ORGANIZATION = "/v1/organizations/me"
_COST = "/v1/organizations/cost_report"
_USAGE = "/v1/organizations/usage_report/messages"
_WORKSPACES = "/v1/organizations/workspaces"
_API_KEYS = "/v1/organizations/api_keys"

# The most buckets a page may hold. Without `limit` the API returns seven days and calls it a page.
_MOST_BUCKETS = {Width.DAY: 31, Width.HOUR: 168, Width.MINUTE: 1440}
_SHRINK = 8
_MOST_ITEMS = 1000
_COST_GROUPS = ("workspace_id", "description")
_RFC_3339 = "%Y-%m-%dT%H:%M:%SZ"
_USAGE_GROUPS = ("api_key_id", "context_window", "inference_geo", "model", "service_tier", "workspace_id")

Row = TypeVar("Row", CostRow, UsageRow)


class ClaudeAdminSource:
    """One organisation's reports, read from the Admin API. A CostSource."""

    def __init__(self, client: AdminClient) -> None:
        self._client = client

    async def organization(self) -> Organization:
        async with self._client.report("organisation") as report:
            return directory.organization(await report.get(_ORGANIZATION))

    async def cost(self, window: Window, stored: StoredBuckets = NOTHING_STORED) -> ReadReport[CostRow]:
        """Cost by UTC day, oldest first. The days that `window` touches are read whole."""
        grid = Grid.around(window, Width.DAY)
        async with self._client.report("cost report") as report:
            return await _read_buckets(report, _COST, grid, _COST_GROUPS, Buckets(grid, cost_bucket, stored))

    async def usage(self, window: Window, width: Width, stored: StoredBuckets = NOTHING_STORED) -> ReadReport[UsageRow]:
        """Usage by hour or minute, oldest first. The buckets that `window` touches are read whole."""
        grid = Grid.around(window, width)
        async with self._client.report(f"usage report by {width.value}") as report:
            return await _read_buckets(report, _USAGE, grid, _USAGE_GROUPS, Buckets(grid, usage_bucket, stored))

    async def directory(self) -> Directory:
        """Workspaces, archived ones and the default one included, and every API key."""
        async with self._client.report("directory") as report:
            workspaces = await read_all(report, _workspaces())
            api_keys = await read_all(report, _api_keys(workspaces))
        return Directory((directory.DEFAULT, *workspaces), api_keys)


@dataclass(frozen=True, slots=True)
class ClaudeConnector:
    """Opens sources of kind `claude_admin`, and the simulator's, which speaks the same API.

    `transport` is shared by all sources and stays open; a proxy is its business, too.
    """

    vault: Vault
    transport: httpx.AsyncBaseTransport
    contact_url: str = ""
    limits: Limits = STANDARD_LIMITS

    @asynccontextmanager
    async def connect(self, source: Source) -> AsyncIterator[CostSource]:
        """The source, for as long as the block lasts. Raises SourceError for an unusable key or address."""
        key = AdminKey(self.vault.open(source.admin_key))
        async with open_client(
            source.base_url,
            key,
            transport=self.transport,
            contact_url=self.contact_url,
            limits=self.limits,
        ) as client:
            yield ClaudeAdminSource(client)


async def _read_buckets(
    report: Report, path: str, grid: Grid, groups: tuple[str, ...], buckets: Buckets[Row]
) -> ReadReport[Row]:
    """The report in pages as large as can be. One too long to hold is read again, in smaller pages.

    It starts again then, since a page token holds for its own `limit` only.
    """
    limit = _MOST_BUCKETS[grid.width]
    while True:
        query = _bucket_query(grid, groups, limit)
        paged = Paged(path, query, BY_TOKEN, buckets.read, identity=lambda one: one.window.start)
        try:
            return whole_report(await read_all(report, paged))
        except AnswerTooLong:
            if limit == 1:
                raise
            limit = max(1, limit // _SHRINK)


def _bucket_query(grid: Grid, groups: tuple[str, ...], limit: int) -> Query:
    return [
        ("starting_at", f"{grid.window.start:{_RFC_3339}}"),
        ("ending_at", f"{grid.window.end:{_RFC_3339}}"),
        ("bucket_width", grid.width.value),
        *(("group_by[]", group) for group in groups),
        ("limit", limit),
    ]


def _workspaces() -> Paged[WorkspaceName]:
    """Archived ones too: they still own cost."""
    query = (("include_archived", "true"), ("limit", _MOST_ITEMS))
    return Paged(
        _WORKSPACES, query, BY_ID, lambda entry: directory.workspace(value_of(entry)), lambda workspace: workspace.id
    )


def _api_keys(workspaces: tuple[WorkspaceName, ...]) -> Paged[ApiKeyName]:
    listed = frozenset(workspace.id for workspace in workspaces)
    query = (("limit", _MOST_ITEMS),)
    return Paged(_API_KEYS, query, BY_ID, lambda entry: directory.api_key(value_of(entry), listed), lambda key: key.id)
