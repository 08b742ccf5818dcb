"""The memory of scopes that a rule objects to, and the defects met while judging them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import and_, case, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.codec import shallow
from service.adapters.postgres.rules.tables import rule_episodes, rule_failures
from service.adapters.postgres.sets import as_rows, insert_rows
from service.adapters.postgres.tables import resources
from service.domain.rules.memory import Episode, EpisodeKey
from service.domain.values.scopes import ScopeKey
from service.workflows.ports.rules import RuleFailure

_KEY = tuple(rule_episodes.primary_key.columns)


class PostgresEpisodes:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, rule_ids: Iterable[str]) -> dict[EpisodeKey, Episode]:
        query = select(rule_episodes).where(rule_episodes.c.rule_id.in_(list(rule_ids)))
        return {
            EpisodeKey(row.rule_id, row.scope): Episode(row.began_at, row.held_since, row.last_held)
            for row in await self._connection.execute(query)
        }

    async def replace(self, before: Mapping[EpisodeKey, Episode], after: Mapping[EpisodeKey, Episode]) -> None:
        gone = [shallow(key) for key in before.keys() - after.keys()]
        if gone:
            given = as_rows(_KEY, gone)
            same = and_(*(column == given.c[column.name] for column in _KEY))
            await self._connection.execute(delete(rule_episodes).where(same))
        held = [shallow(key) | shallow(episode) for key, episode in after.items() if before.get(key) != episode]
        if held:
            statement = insert_rows(rule_episodes, held)
            new = {name: statement.excluded[name] for name in ("began_at", "held_since", "last_held")}
            await self._connection.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=new))

    async def forget_orphans(self) -> None:
        gone = rule_episodes.c.rule_id.not_in(select(resources.c.id))
        await self._connection.execute(delete(rule_episodes).where(gone))


class PostgresRuleFailures:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def note(
        self, rule_id: str, scope: ScopeKey, error: str, at: datetime, *, judged_before: datetime | None = None
    ) -> None:
        new = insert(rule_failures).values(rule_id=rule_id, scope=scope, count=1, last_at=at, error=error, since=at)
        stored = rule_failures.c
        begun = func.coalesce(stored.since, stored.last_at)  # the previous release notes no beginning
        since = at if judged_before is None else case((stored.last_at >= judged_before, begun), else_=at)
        again = {"count": stored["count"] + 1, "last_at": at, "error": error, "since": since}
        await self._connection.execute(new.on_conflict_do_update(index_elements=["rule_id", "scope"], set_=again))

    async def all(self) -> list[RuleFailure]:
        shown = [column for column in rule_failures.c if column.name != "since"]
        rows = await self._connection.execute(select(*shown).order_by(*rule_failures.primary_key.columns))
        return [RuleFailure(**row._mapping) for row in rows]
