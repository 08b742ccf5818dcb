"""The budgets' scopes that a defect kept from being assessed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import BigInteger, Column, Integer, Table, Text, case, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.column_types import Instant, ScopeText
from service.adapters.postgres.metadata import metadata
from service.adapters.postgres.sets import insert_rows
from service.adapters.postgres.tables import source_states
from service.domain.budgets.places import BudgetScope
from service.domain.sources.source import SourceState
from service.domain.values.scopes import ORGANISATION
from service.workflows.ports.alerts import BudgetFailure

budget_failures = Table(
    "budget_failures",
    metadata,
    Column("budget_id", Text, primary_key=True),
    Column("scope", ScopeText, primary_key=True, comment="org is the whole budget"),
    Column("source_id", Text, nullable=False),
    Column("evaluation", BigInteger, nullable=False, comment="The number of the source's last evaluation that failed"),
    Column("count", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("error", Text, nullable=False),
    comment="Scopes of budgets that could not be assessed for a defect",
)

_KEY = ("budget_id", "scope")
_SHOWN = [column for column in budget_failures.c if column.name not in ("source_id", "evaluation")]
FAILING = (budget_failures.c.source_id == source_states.c.source_id) & (
    budget_failures.c.evaluation == source_states.c.evaluation
)
"""The failures of the newest evaluation: what is well again is no longer noted, and nothing has to take it back."""


class PostgresBudgetFailures:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def note(self, state: SourceState, failed: Mapping[BudgetScope, str], at: datetime) -> None:
        found = {"source_id": state.source_id, "evaluation": state.evaluation, "count": 1, "since": at, "last_at": at}
        new = insert_rows(
            budget_failures,
            [
                {"budget_id": one.budget_id, "scope": one.scope, "error": error, **found}
                for one, error in failed.items()
            ],
        )
        stored = budget_failures.c
        goes_on = stored.evaluation >= new.excluded.evaluation - 1
        again = {
            **{name: new.excluded[name] for name in ("source_id", "evaluation", "last_at", "error")},
            "count": stored["count"] + 1,
            "since": case((goes_on, stored.since), else_=new.excluded.since),
        }
        await self._connection.execute(new.on_conflict_do_update(index_elements=_KEY, set_=again))

    async def all(self) -> list[BudgetFailure]:
        rows = await self._connection.execute(select(*_SHOWN).order_by(*budget_failures.primary_key.columns))
        return [BudgetFailure(**row._mapping) for row in rows]

    async def failing(self, budget_id: str, *, most: int) -> list[BudgetFailure]:
        scope = budget_failures.c.scope
        query = (
            select(*_SHOWN)
            .join(source_states, FAILING)
            .where(budget_failures.c.budget_id == budget_id)
            .order_by(scope != ORGANISATION, scope)
            .limit(most)
        )
        return [BudgetFailure(**row._mapping) for row in await self._connection.execute(query)]
