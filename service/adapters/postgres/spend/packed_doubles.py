"""Arrays of floats, read as NumPy's. Beside the other column types, NumPy would be loaded by every command."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Dialect, LargeBinary, func
from sqlalchemy.types import TypeDecorator

_DIMENSION = np.dtype([("length", ">i4"), ("lower_bound", ">i4")])
_DOUBLE = np.dtype([("bytes", ">i4"), ("value", ">f8")])
_HEADER = 12


class PackedDoubles(TypeDecorator[npt.NDArray[np.float64]]):
    """double precision[] without NULLs, read as a NumPy array: an object for each takes more than twice as long.

    It is read by its bytes on the wire, as `array_send` of PostgreSQL gives them: the number of dimensions, whether
    there are NULLs, the type; for each dimension its length and lower bound; for each element its length and value.
    """

    impl = LargeBinary
    cache_ok = True

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.array_send(column, type_=self)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> npt.NDArray[np.float64] | None:
        if value is None:
            return None
        dimensions = int.from_bytes(value[:4])
        shape = np.frombuffer(value, _DIMENSION, dimensions, _HEADER)["length"].tolist() or [0]
        start = _HEADER + dimensions * _DIMENSION.itemsize
        return np.frombuffer(value, _DOUBLE, offset=start)["value"].astype(np.float64).reshape(shape)
