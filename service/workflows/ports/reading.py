"""What a source of cost looks like from inside."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from service.domain.sources.source import Source
from service.domain.spend.rows import (
    Bucket,
    CostRow,
    UsageRow,
    Width,
)
from service.domain.values.periods import Window


class SourceError(Exception):
    """A report could not be read. `retryable` says whether asking again can help. The text is for people."""

    def __init__(self, detail: str, *, retryable: bool) -> None:
        super().__init__(detail)
        self.retryable = retryable


@dataclass(frozen=True, slots=True)
class Organization:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class WorkspaceName:
    """A workspace as the directory knows it; the default workspace has the id "default"."""

    id: str
    name: str
    archived: bool = False
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ApiKeyName:
    id: str
    name: str
    workspace: str
    status: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    workspaces: tuple[WorkspaceName, ...]
    api_keys: tuple[ApiKeyName, ...]


class CostSource(Protocol):
    """One organisation's reports. Each call reads a whole report, all pages, or raises SourceError."""

    async def organization(self) -> Organization: ...

    async def cost(self, window: Window) -> tuple[Bucket[CostRow], ...]:
        """Cost by UTC day. `window` starts and ends at midnight UTC; days the answer lacks are unknown."""
        ...

    async def usage(self, window: Window, width: Width) -> tuple[Bucket[UsageRow], ...]:
        """Usage by hour or minute."""
        ...

    async def directory(self) -> Directory: ...


class SourceConnector(Protocol):
    def connect(self, source: Source) -> AbstractAsyncContextManager[CostSource]: ...
