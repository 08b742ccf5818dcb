"""Opens the reports of a source: the Admin reports, or the analytics reports with these behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import httpx

from service.adapters.claude.actors import ActorParser
from service.adapters.claude.analytics import ANALYTICS, ClaudeAnalyticsSource
from service.adapters.claude.client import (
    ADMIN,
    BESIDE_ANALYTICS,
    STANDARD_LIMITS,
    AdminClient,
    Dialect,
    Limits,
    open_client,
)
from service.adapters.claude.compared import ComparedSource
from service.adapters.claude.credentials import AdminKey
from service.adapters.claude.source import ClaudeAdminSource
from service.domain.sources.source import ReportFamily, Source
from service.workflows.ports.platform import Vault
from service.workflows.ports.sources import CostSource


@dataclass(frozen=True, slots=True)
class ClaudeConnector:
    """Opens sources of Claude, and the simulator's, which speaks the same API.

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
        beside_analytics = source.prefer is not None and not key.looks_right
        async with self._open(source, key, BESIDE_ANALYTICS if beside_analytics else ADMIN) as client:
            actors = ActorParser(source.people, self.vault.pseudonym)
            admin = ClaudeAdminSource(client, actors)
            if source.prefer is None:
                yield admin
                return
            async with self._open(source, key, ANALYTICS) as second:
                analytics = ClaudeAnalyticsSource(second, admin, actors)
                preferred = analytics if source.prefer is ReportFamily.ANALYTICS else admin
                yield ComparedSource(preferred, source.prefer, admin, analytics)

    def _open(self, source: Source, key: AdminKey, dialect: Dialect) -> AbstractAsyncContextManager[AdminClient]:
        return open_client(
            source.base_url,
            key,
            transport=self.transport,
            contact_url=self.contact_url,
            limits=self.limits,
            dialect=dialect,
        )
