"""Backtests, with the rule or budget that each was asked of as it was then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.codec import Json, decode, encode, shallow
from service.adapters.postgres.cursors import read_page
from service.adapters.postgres.rules.codec import decode_rule
from service.adapters.postgres.rules.tables import backtests
from service.adapters.postgres.spend.tables import day_versions
from service.domain.backtest.backtest import Backtest, BacktestState, Subject
from service.domain.budgets.budget import Budget
from service.domain.values.errors import NotFound
from service.domain.values.resources import Page, Resource

RULE, BUDGET = "rule", "budget"
_UNFINISHED = backtests.c.state.in_([one for one in BacktestState if not one.is_over])
_STATE = ("state", "started_at", "finished_at", "error", "result")


class PostgresBacktests:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, backtest: Backtest) -> None:
        values = shallow(backtest)
        kind = BUDGET if isinstance(backtest.subject.spec, Budget) else RULE
        values |= {"subject_kind": kind, "subject": encode(backtest.subject), "request": dict(backtest.request)}
        await self._connection.execute(insert(backtests).values(values))

    async def get(self, backtest_id: str) -> Backtest:
        query = select(backtests).where(backtests.c.id == backtest_id)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound(f"there is no backtest {backtest_id!r}")
        return _backtest(row)

    async def save(self, backtest: Backtest) -> bool:
        values = {name: getattr(backtest, name) for name in _STATE}
        values["progress"] = func.greatest(backtests.c.progress, backtest.progress)
        return await self._change(backtest.id, values)

    async def note_progress(self, backtest_id: str, progress: float) -> bool:
        return await self._change(backtest_id, {"progress": func.greatest(backtests.c.progress, progress)})

    async def _change(self, backtest_id: str, values: Mapping[str, object]) -> bool:
        """Changes one that is not over. Returns whether there is such a one."""
        changed = update(backtests).where(backtests.c.id == backtest_id, _UNFINISHED).values(values)
        return (await self._connection.execute(changed.returning(backtests.c.id))).one_or_none() is not None

    async def page(self, *, limit: int, cursor: str | None) -> Page[Backtest]:
        """Newest first."""
        return await read_page(
            self._connection,
            select(backtests),
            backtests,
            _backtest,
            limit=limit,
            cursor=cursor,
            newest_first=True,
        )

    async def before(self, backtest: Backtest) -> Sequence[Backtest]:
        older = select(backtests).where(_UNFINISHED, backtests.c.id < backtest.id).order_by(backtests.c.id)
        return [_backtest(row) for row in await self._connection.execute(older)]

    async def keep_newest(self, count: int) -> None:
        newest = select(backtests.c.id).order_by(backtests.c.id.desc()).limit(count)
        await self._connection.execute(delete(backtests).where(backtests.c.id.not_in(newest)))

    async def begins(self, source_id: str) -> date | None:
        oldest: date | None = await self._connection.scalar(
            select(func.min(day_versions.c.day)).where(day_versions.c.source_id == source_id)
        )
        return oldest


def _backtest(row: Row[Any]) -> Backtest:
    values = dict(row._mapping)
    kind = values.pop("subject_kind")
    values["subject"] = _subject(kind, values["subject"])
    return Backtest(**values)


def _subject(kind: str, stored: Mapping[str, Json]) -> Subject:
    if kind == BUDGET:
        return _resource(stored, lambda spec: decode(Budget, spec))
    return _resource(stored, decode_rule)


def _resource(stored: Mapping[str, Json], read: Callable[[Json], Any]) -> Resource[Any]:
    """Raises DecodeError."""
    return Resource(
        id=decode(str, stored["id"]),
        name=decode(str, stored["name"]),
        version=decode(int, stored["version"]),
        created_at=decode(datetime, stored["created_at"]),
        updated_at=decode(datetime, stored["updated_at"]),
        labels=decode(dict[str, str], stored["labels"]),
        spec=read(stored["spec"]),
    )
