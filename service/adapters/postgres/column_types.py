"""Column types that give domain values, so that a row mirrors its dataclass field by field."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import DateTime, Dialect, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from service.adapters.postgres.codec import decode, encode
from service.domain.values.money import Money
from service.domain.values.scopes import Dimension, ScopeKey

Words = TypeVar("Words", bound=StrEnum)


class Instant(TypeDecorator[datetime]):
    """timestamptz; refuses an instant without a time zone, which Postgres would take for UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"an instant without a time zone: {value}")
        return value


class Word(TypeDecorator[Words], Generic[Words]):
    """A member of an enum, as its text. New words need no migration."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[Words]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: Words | None, dialect: Dialect) -> str | None:
        return None if value is None else value.value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Words | None:
        return None if value is None else self.words(value)


class Dollars(TypeDecorator[Money]):
    """numeric(24,12): US dollars, exact."""

    impl = Numeric(24, 12)
    cache_ok = True

    def process_bind_param(self, value: Money | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else value.usd

    def process_result_value(self, value: Decimal | None, dialect: Dialect) -> Money | None:
        return None if value is None else Money(value)


class ScopeText(TypeDecorator[ScopeKey]):
    """A scope key as people read it: "org", "workspace:wrkspc_01"."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: ScopeKey | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> ScopeKey | None:
        if value is None:
            return None
        dimension, _, member = value.partition(":")
        return ScopeKey(Dimension(dimension), member)


class Encoded(TypeDecorator[Any]):
    """jsonb, read as the annotation given, such as `Encoded(tuple[Attempt, ...])`; None is NULL."""

    impl = JSONB(none_as_null=True)
    cache_ok = True

    def __init__(self, hint: object) -> None:
        super().__init__()
        self.hint = hint

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> Any:
        return None if value is None else encode(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any:
        return None if value is None else decode(self.hint, value)
