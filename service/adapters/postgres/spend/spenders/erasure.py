"""Taking the actors out of what is stored."""

from __future__ import annotations

from sqlalchemy import Update, func, literal, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.tables import series
from service.domain.values.scopes import Dimension

_ACTOR = Dimension.ACTOR.value


async def erase_actors(connection: AsyncConnection, source_id: str) -> None:
    """Amounts stay as they are. A series' key is salted: it is the digest of an actor, too."""
    await connection.execute(_without_actors(source_id))


def _without_actors(source_id: str) -> Update:
    salted = func.sha256(series.c.key.op("||")(func.uuid_send(func.gen_random_uuid())))
    return (
        update(series)
        .where(series.c.source_id == source_id, series.c.extra.has_key(literal(_ACTOR)))
        .values(extra=series.c.extra.op("-")(literal(_ACTOR)), key=salted)
    )
