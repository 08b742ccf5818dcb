"""Arrays of floats, read from a real server."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sqlalchemy import literal_column, select
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.spend.packed_doubles import PackedDoubles

ARRAYS = {
    "'{}'::float8[]": [],
    "'{1.5}'::float8[]": [1.5],
    "'{0.1,-0.0,1e308,NaN,-Infinity}'::float8[]": [0.1, -0.0, 1e308, math.nan, -math.inf],
    "'{{1,2,3},{4,5,6}}'::float8[]": [[1, 2, 3], [4, 5, 6]],
    "'[5:6]={7,8}'::float8[]": [7, 8],
}


@pytest.mark.parametrize(("written", "expected"), ARRAYS.items(), ids=str)
async def test_an_array_is_read_in_its_shape_and_to_the_last_bit(
    written: str, expected: list[object], engine: AsyncEngine
) -> None:
    found = await read(engine, written)
    wanted = np.array(expected, dtype=np.float64)
    assert (found.shape, found.tobytes()) == (wanted.shape, wanted.tobytes())
    found.sort()  # it is nobody else's memory


async def test_no_array_is_none(engine: AsyncEngine) -> None:
    assert await read(engine, "NULL::float8[]") is None


async def read(engine: AsyncEngine, written: str) -> Any:
    column = literal_column(written, type_=PackedDoubles()).label("packed")
    async with engine.connect() as connection:
        return (await connection.execute(select(column))).scalar_one()
