"""The memory of scopes that a rule objects to, and the defects met while judging them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.codec import shallow
from service.adapters.postgres.rules.tables import rule_episodes, rule_failures
from service.adapters.postgres.tables import resources
from service.domain.rules.memory import Episode, EpisodeKey
from service.domain.values.scopes import ScopeKey
from service.workflows.ports.rules import RuleFailure


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
        """One statement for each that differs: few scopes are in an episode at any time."""
        for key in before.keys() - after.keys():
            same = (rule_episodes.c.rule_id == key.rule_id) & (rule_episodes.c.scope == key.scope)
            await self._connection.execute(delete(rule_episodes).where(same))
        for key, episode in after.items():
            if before.get(key) != episode:
                statement = insert(rule_episodes).values(shallow(key) | shallow(episode))
                await self._connection.execute(
                    statement.on_conflict_do_update(index_elements=["rule_id", "scope"], set_=shallow(episode))
                )

    async def forget_orphans(self) -> None:
        gone = rule_episodes.c.rule_id.not_in(select(resources.c.id))
        await self._connection.execute(delete(rule_episodes).where(gone))


class PostgresRuleFailures:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def note(self, rule_id: str, scope: ScopeKey, error: str, at: datetime) -> None:
        new = insert(rule_failures).values(rule_id=rule_id, scope=scope, count=1, last_at=at, error=error)
        again = {"count": rule_failures.c.count + 1, "last_at": at, "error": error}
        await self._connection.execute(new.on_conflict_do_update(index_elements=["rule_id", "scope"], set_=again))

    async def all(self) -> list[RuleFailure]:
        rows = await self._connection.execute(select(rule_failures).order_by(*rule_failures.primary_key.columns))
        return [RuleFailure(**row._mapping) for row in rows]
