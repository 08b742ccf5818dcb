"""Rules held against their own past, and when that is done again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.rules.tables import calibrations
from service.adapters.postgres.tables import resources
from service.domain.backtest.calibration import Calibration
from service.workflows.ports.rules import CalibrationTurn


class PostgresCalibrations:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def turns(self) -> dict[str, CalibrationTurn]:
        columns = calibrations.c
        rows = await self._connection.execute(select(columns.rule_id, columns.rule_version, columns.due_at))
        return {row.rule_id: CalibrationTurn(row.rule_version, row.due_at) for row in rows}

    async def take(self, rule_id: str, seen: CalibrationTurn | None, turn: CalibrationTurn) -> bool:
        values = {"rule_version": turn.rule_version, "due_at": turn.due_at}
        if seen is None:
            new = insert(calibrations).values(rule_id=rule_id, **values).on_conflict_do_nothing()
            return await self._connection.scalar(new.returning(calibrations.c.rule_id)) is not None
        mine = (calibrations.c.rule_id == rule_id) & (calibrations.c.due_at == seen.due_at)
        same = mine & (calibrations.c.rule_version == seen.rule_version)
        moved = update(calibrations).where(same).values(values).returning(calibrations.c.rule_id)
        return await self._connection.scalar(moved) is not None

    async def save(self, rule_id: str, calibration: Calibration, due_at: datetime) -> None:
        found = update(calibrations).where(calibrations.c.rule_id == rule_id)
        await self._connection.execute(found.values(calibration=calibration, due_at=due_at))

    async def of(self, rule_ids: Iterable[str]) -> dict[str, Calibration]:
        columns = calibrations.c
        query = select(columns.rule_id, columns.calibration).where(
            columns.rule_id.in_(list(rule_ids)), columns.calibration.is_not(None)
        )
        return {row.rule_id: row.calibration for row in await self._connection.execute(query)}

    async def forget_orphans(self) -> None:
        gone = calibrations.c.rule_id.not_in(select(resources.c.id))
        await self._connection.execute(delete(calibrations).where(gone))
