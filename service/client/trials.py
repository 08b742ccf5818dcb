"""Backtests: what a rule or a budget would have said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from service.api.backtest.backtests import BacktestIn
from service.api.backtest.documents import BacktestOut, BacktestResultOut
from service.client.documents import read, written
from service.client.server import Server


class BacktestsClient:
    """All methods raise ServerError."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def start(self, document: BacktestIn) -> BacktestOut:
        return read(BacktestOut, self._server.ask("POST", "/backtests", body=written(document)))

    def start_stored(
        self, *, rule: str = "", budget: str = "", since: date | None = None, until: date | None = None
    ) -> BacktestOut:
        """Starts one of a rule or a budget that is stored, one of them, by id or name."""
        given = {"rule": rule, "budget": budget, "since": since and f"{since}", "until": until and f"{until}"}
        body = {name: value for name, value in given.items() if value}
        return read(BacktestOut, self._server.ask("POST", "/backtests", body={**body}))

    def get(self, id: str) -> BacktestResultOut:
        """How far it is, and what it has found once its state is `done`."""
        return read(BacktestResultOut, self._server.ask("GET", f"/backtests/{id}"))

    def cancel(self, id: str) -> BacktestOut:
        """Ends one that waits or runs."""
        return read(BacktestOut, self._server.ask("POST", f"/backtests/{id}/cancel"))

    def list(self) -> Iterator[BacktestOut]:
        return (read(BacktestOut, one) for one in self._server.pages("/backtests"))
