"""The Claude Usage and Cost Admin API as a source of cost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TypeVar

import httpx

from service.adapters.claude import directory
from service.adapters.claude.actors import NOBODY, ActorParser
from service.adapters.claude.answers import value_of
from service.adapters.claude.buckets import Buckets, whole_report
from service.adapters.claude.claude_code import read_claude_code
from service.adapters.claude.client import AdminClient, Query, Report
from service.adapters.claude.compared import DayTotals
from service.adapters.claude.failures import AnswerTooLong, RequestFailed
from service.adapters.claude.paging import BY_ID, BY_TOKEN, Paged, read_all
from service.adapters.claude.parser import Grid, cost_bucket, usage_bucket
from service.domain.spend.rows import CostRow, UsageRow, Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.workflows.ports.sources import (
    NOTHING_STORED,
    ApiKeyName,
    Directory,
    Organization,
    ReadClaudeCode,
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

    def __init__(self, client: AdminClient, actors: ActorParser = NOBODY) -> None:
        self._client = client
        self._actors = actors

    async def organization(self) -> Organization:
        async with self._client.report("organisation") as report:
            return directory.organization(await report.get(_ORGANIZATION))

    async def cost(self, window: Window, stored: StoredBuckets = NOTHING_STORED) -> ReadReport[CostRow]:
        """Cost by UTC day, oldest first. The days that `window` touches are read whole."""
        grid = Grid.around(window, Width.DAY)
        async with self._client.report("cost report") as report:
            return await _read_buckets(report, _COST, grid, _COST_GROUPS, Buckets(grid, cost_bucket, stored))

    async def cost_totals(self, window: Window) -> Mapping[date, Money]:
        """The same days without groups."""
        totals = await self.totals(window)
        return {start.date(): amount for start, amount in totals.by_day.items()}

    async def claude_code(self, day: date) -> ReadClaudeCode:
        """People's use of Claude Code on one UTC day."""
        return await read_claude_code(self._client, self._actors, day)

    async def usage(self, window: Window, width: Width, stored: StoredBuckets = NOTHING_STORED) -> ReadReport[UsageRow]:
        """Usage by hour or minute, oldest first. The buckets that `window` touches are read whole."""
        grid = Grid.around(window, width)
        async with self._client.report(f"usage report by {width.value}") as report:
            return await _read_buckets(report, _USAGE, grid, _USAGE_GROUPS, Buckets(grid, usage_bucket, stored))

    async def totals(self, window: Window) -> DayTotals:
        """The whole bill of each UTC day that `window` touches."""
        grid = Grid.around(window, Width.DAY)
        async with self._client.report("cost report by day") as report:
            read = await _read_buckets(report, _COST, grid, (), Buckets(grid, cost_bucket, NOTHING_STORED))
        return DayTotals({one.window.start: Money.total(row.amount for row in one.rows) for one in read.buckets})

    async def default_workspaces(self) -> frozenset[str]:
        """The id of the default workspace, which the Admin reports show as null; nothing where it is not to be had."""
        try:
            async with self._client.report("workspaces") as report:
                named = await read_all(report, _workspaces())
                every = await read_all(report, _workspaces(("include_default", "true")))
        except RequestFailed as error:
            if error.status != httpx.codes.BAD_REQUEST and not error.is_not_allowed:
                raise
            return frozenset()
        return frozenset(one.id for one in every) - {one.id for one in named}

    async def directory(self) -> Directory:
        """Workspaces, archived ones and the default one included, and every API key."""
        async with self._client.report("directory") as report:
            workspaces = await read_all(report, _workspaces())
            api_keys = await read_all(report, _api_keys(workspaces))
        return Directory((directory.DEFAULT, *workspaces), api_keys)


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


def _workspaces(*more: tuple[str, str]) -> Paged[WorkspaceName]:
    """Archived ones too: they still own cost."""
    query: Query = (("include_archived", "true"), *more, ("limit", _MOST_ITEMS))
    return Paged(
        _WORKSPACES, query, BY_ID, lambda entry: directory.workspace(value_of(entry)), lambda workspace: workspace.id
    )


def _api_keys(workspaces: tuple[WorkspaceName, ...]) -> Paged[ApiKeyName]:
    listed = frozenset(workspace.id for workspace in workspaces)
    query = (("limit", _MOST_ITEMS),)
    return Paged(_API_KEYS, query, BY_ID, lambda entry: directory.api_key(value_of(entry), listed), lambda key: key.id)
