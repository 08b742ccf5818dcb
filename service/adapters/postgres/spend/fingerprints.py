"""Fingerprints of stored buckets, beside what is known of each bucket; and the fence up to which they hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.tables import fingerprint_fences, known_buckets
from service.domain.spend.rows import Width
from service.domain.values.periods import Window

_BUCKET = known_buckets.c


class PostgresBucketFingerprints:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def follow(self, source_id: str, fence: int) -> None:
        kept_until = await self._connection.scalar(
            select(fingerprint_fences.c.fence).where(fingerprint_fences.c.source_id == source_id)
        )
        if kept_until != fence - 1:
            await self._connection.execute(
                update(known_buckets)
                .where(_BUCKET.source_id == source_id, _BUCKET.fingerprint.is_not(None))
                .values(fingerprint=None)
            )
        noted = insert(fingerprint_fences).values(source_id=source_id, fence=fence)
        await self._connection.execute(
            noted.on_conflict_do_update(index_elements=["source_id"], set_={"fence": noted.excluded.fence})
        )

    async def stored(self, source_id: str, width: Width, window: Window) -> dict[Window, bytes]:
        rows = await self._connection.execute(
            select(_BUCKET.bucket, _BUCKET.fingerprint).where(
                _BUCKET.source_id == source_id,
                _BUCKET.width == width.value,
                _BUCKET.bucket >= window.start,
                _BUCKET.bucket < window.end,
                _BUCKET.complete,
                _BUCKET.fingerprint.is_not(None),
            )
        )
        starts = ((bucket.astimezone(UTC), fingerprint) for bucket, fingerprint in rows)
        return {Window(start, start + width.length): fingerprint for start, fingerprint in starts}

    async def keep(self, source_id: str, width: Width, fingerprints: Mapping[Window, bytes | None]) -> None:
        if not fingerprints or width is Width.MINUTE:
            return
        await self._connection.execute(
            update(known_buckets)
            .where(_BUCKET.source_id == source_id, _BUCKET.width == width.value, _BUCKET.bucket == bindparam("start"))
            .values(fingerprint=bindparam("read")),
            [{"start": window.start, "read": fingerprint} for window, fingerprint in fingerprints.items()],
        )
