"""Where the pages about money are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query
from fastapi.responses import Response

from service.api.dashboard.layout import dashboard_page
from service.api.http.fields import LINE
from service.domain.access import Caller
from service.domain.sources.source import Source, SourceKind
from service.domain.values.resources import Resource
from service.workflows.configuration.spend import source_named
from service.workflows.ports.unit_of_work import UnitOfWork

PLACE = "Spend"
SPEND, CHARGEBACK, OWNERS, PRICES = "/pages/spend", "/pages/chargeback", "/pages/owners", "/pages/prices"
CLAUDE_CODE = "/pages/claude-code"
OWNER_FILE = f"{OWNERS}/file"
AREAS = (
    ("Spend", SPEND),
    ("Chargeback", CHARGEBACK),
    ("Owners", OWNERS),
    ("Claude Code", CLAUDE_CODE),
    ("Prices", PRICES),
)
Filter = Annotated[str | None, Query(max_length=200, pattern=LINE)]


@dataclass(frozen=True, slots=True)
class ChosenSource:
    """The source that a page is about, and `all` that there are."""

    source: Resource[Source]
    all: Sequence[Resource[Source]]

    @property
    def is_simulated(self) -> bool:
        return self.source.spec.kind is SourceKind.SIMULATOR

    def links(self, path: str) -> list[tuple[str, str, bool]]:
        """Returns each source's name and page, and whether it is the chosen one; nothing where there is no choice."""
        known = self.all if len(self.all) > 1 else ()
        return [(one.name, f"{path}?{urlencode({'source': one.id})}", one.id == self.source.id) for one in known]


async def chosen_source(uow: UnitOfWork, asked: str | None) -> ChosenSource | None:
    """Returns the source of an id or name, else the first one; None where there is none at all. Raises Invalid."""
    known = await uow.sources.readable()
    return ChosenSource(await source_named(uow, asked or known[0].id, "/source"), known) if known else None


def without_source(caller: Caller) -> Response:
    return dashboard_page("no_source.html.j2", PLACE, caller, {})
