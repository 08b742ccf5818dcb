"""Counting the SQL statements of an engine."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+([a-z_]+)")


@contextmanager
def counted(engine: AsyncEngine) -> Iterator[Counter[str]]:
    """Statements inside the block, such as "SELECT alerts": the verb, and the first table that is named."""
    statements: Counter[str] = Counter()

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        table = _TABLE.search(statement)
        if table:
            statements[f"{statement.split(maxsplit=1)[0]} {table[1]}"] += 1

    event.listen(engine.sync_engine, "before_cursor_execute", count)
    try:
        yield statements
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", count)
