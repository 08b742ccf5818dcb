"""Spend over time and broken down, and where budgets stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from service.api.budgets.statuses import BudgetLineOut
from service.api.spend.breakdown import BreakdownOut, DivideBy
from service.api.spend.spend import Granularity, SeriesOut
from service.client.documents import Given, query, read
from service.client.server import Server

MOST = 500
"""Items of an answer."""


@dataclass(frozen=True, slots=True)
class SpendOf:
    """The spend that is asked about: a time, and filters by id or name, of which any value of each may hold."""

    since: date | datetime | None = None
    until: date | datetime | None = None
    source: str = ""
    workspace: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    api_key: tuple[str, ...] = ()

    @property
    def given(self) -> dict[str, Given]:
        members: dict[str, Given] = {"workspace": self.workspace, "model": self.model, "api_key": self.api_key}
        return {"since": self.since, "until": self.until, "source": self.source, **members}


class SpendClient:
    """All methods raise ServerError."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def series(self, of: SpendOf, *, granularity: Granularity = Granularity.DAY) -> SeriesOut:
        """Returns the first 500 buckets, in order."""
        asked = query({**of.given, "granularity": granularity.value, "limit": MOST})
        return read(SeriesOut, self._server.ask("GET", "/spend", asked))

    def breakdown(self, of: SpendOf, by: DivideBy, *, granularity: Granularity = Granularity.DAY) -> BreakdownOut:
        """Returns the 500 largest members of a dimension, in whole days or hours."""
        asked = query({**of.given, "group_by": by.value, "granularity": granularity.value, "limit": MOST})
        return read(BreakdownOut, self._server.ask("GET", "/spend/breakdown", asked))

    def budgets(self) -> Iterator[BudgetLineOut]:
        """Yields where budgets stand in their open periods, the fullest first."""
        return (read(BudgetLineOut, one) for one in self._server.pages("/budget-statuses"))
